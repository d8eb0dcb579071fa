//! YuNet (Wu et al. 2023, <https://doi.org/10.1007/s11633-023-1423-y>), a face detector: for each stride class,
//! objectness, box and five landmarks, of which the landmarks are left alone.

use super::super::detection::Area;
use super::super::found::Found;
use super::super::letterbox::Size;
use super::super::thresholds::Thresholds;
use super::grid::{grid, places};
use super::output::{Output, WrongLength, take};
use super::{Known, Reader, Scratch, Seen, objects};

const STRIDES: [u32; 3] = [8, 16, 32];
/// Numbers of a box.
const BOX: usize = 4;

#[derive(Debug)]
struct YuNet {
    levels: [Level; STRIDES.len()],
    input: Size,
}

/// Numbers of the outputs of one stride. Class and objectness are multiplied: which is which makes no difference.
#[derive(Clone, Copy, Debug)]
struct Level {
    stride: u32,
    scores: [usize; 2],
    boxes: usize,
}

pub(super) fn recognise(seen: &Seen<'_>) -> Option<Known> {
    let level = |stride: u32| {
        let (columns, rows) = grid(stride, seen.input);
        let cells = columns as usize * rows as usize;
        let is_score = |at: &usize| *take(seen.outputs, *at).shape == [cells, 1];
        let mut scores = (0..seen.outputs.len()).filter(is_score);
        Some(Level {
            stride,
            scores: [scores.next()?, scores.next()?],
            boxes: seen.position(|output| *output.shape == [cells, BOX])?,
        })
    };
    let [fine, middle, coarse] = STRIDES.map(level);
    let reader = YuNet {
        levels: [fine?, middle?, coarse?],
        input: seen.input,
    };
    Some(Known::of(1, reader))
}

impl Reader for YuNet {
    fn read(
        &self,
        outputs: &[Output<'_>],
        thresholds: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        let mut objects = objects(thresholds, found);
        for level in &self.levels {
            let size = grid(level.stride, self.input);
            let cells = size.0 as usize * size.1 as usize;
            let [class, objectness] = level.scores.map(|at| take(outputs, at).exactly(cells));
            let boxes = take(outputs, level.boxes).exactly(cells * BOX)?;
            let (boxes, _) = boxes.as_chunks::<BOX>();
            let stride = level.stride as f32;
            let all = places(size).zip(class?.iter().zip(objectness?).zip(boxes));
            for ((column, row), ((class, objectness), [x, y, width, height])) in all {
                let product = class.clamp(0.0, 1.0) * objectness.clamp(0.0, 1.0);
                let score = product.sqrt();
                if !objects.wants(score) {
                    continue;
                }
                let area = Area::around(
                    (column + x) * stride,
                    (row + y) * stride,
                    width.exp() * stride,
                    height.exp() * stride,
                );
                objects.add(area, 0, score);
            }
        }
        Ok(())
    }
}
