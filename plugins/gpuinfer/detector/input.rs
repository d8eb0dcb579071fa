//! What a model takes.

use livetune_core::infer::{CHANNELS, Layout, Size};

use super::Understood;
use crate::gpuinfer::engine::TensorInfo;
use crate::gpuinfer::sidecar::Sidecar;

/// Side of the input where nobody says; what Ultralytics exports by default.
const FREE_SIDE: usize = 640;
/// The longest side of an input: 4096 by 4096 is 200 MB of tensor, and no detector in use comes near it.
const LONGEST_SIDE: usize = 4096;
/// Where the model leaves the batch open: more pictures than any device works on at once.
pub(super) const LARGEST_BATCH: usize = 64;

/// The pictures that a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Input {
    /// How many, where that is fixed.
    pub(super) batch: Option<usize>,
    pub(super) size: Size,
    pub(super) layout: Layout,
}

impl Input {
    /// The only input of a model with these `inputs`.
    pub(super) fn of(inputs: &[TensorInfo], sidecar: &Sidecar) -> Understood<Self> {
        let [info] = inputs else {
            return Err("it must have exactly one input, the picture".to_owned());
        };
        let &[batch, a, b, c] = &info.shape[..] else {
            return Err("its input must have four dimensions".to_owned());
        };
        if !info.is_float {
            return Err("its input must be of float".to_owned());
        }
        if batch.is_some_and(|batch| !(1..=LARGEST_BATCH).contains(&batch)) {
            return Err(format!(
                "its input must be of 1 to {LARGEST_BATCH} pictures"
            ));
        }
        let guess = if a != Some(CHANNELS) && c == Some(CHANNELS) {
            Layout::Interleaved
        } else {
            Layout::Planes
        };
        let layout = sidecar.layout.unwrap_or(guess);
        let (channels, height, width) = match layout {
            Layout::Planes => (a, b, c),
            Layout::Interleaved => (c, a, b),
        };
        if channels.is_some_and(|channels| channels != CHANNELS) {
            return Err(
                "its input must be [batch,3,height,width] or [batch,height,width,3]".to_owned(),
            );
        }
        let width = side(width, sidecar.width, "width")?;
        let height = side(height, sidecar.height, "height")?;
        let size = Size::new(width, height);
        Ok(Self {
            batch,
            size,
            layout,
        })
    }

    /// The shape of a tensor of so many `pictures`.
    pub(super) fn shape(&self, pictures: usize) -> [usize; 4] {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        match self.layout {
            Layout::Planes => [pictures, CHANNELS, height, width],
            Layout::Interleaved => [pictures, height, width, CHANNELS],
        }
    }
}

fn side(fixed: Option<usize>, said: Option<usize>, name: &str) -> Understood<u32> {
    if let (Some(fixed), Some(said)) = (fixed, said)
        && fixed != said
    {
        return Err(format!(
            "its input has a {name} of {fixed} and the sidecar says {said}: leave \"{name}\" out there"
        ));
    }
    let side = fixed.or(said).unwrap_or(FREE_SIDE);
    let fits = (1..=LONGEST_SIDE).contains(&side);
    let refusal = || format!("a side of its input must be 1 to {LONGEST_SIDE} pixels long");
    fits.then_some(side as u32).ok_or_else(refusal)
}
