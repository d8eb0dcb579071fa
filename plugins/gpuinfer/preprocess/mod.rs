//! From a frame of any format and size to the tensor that the model takes.
//!
//! Planes are scaled first, each as it is, and colours converted after that: the conversion then works on the few
//! pixels that the network sees. All buffers are reused.

mod developer;
mod scale;

use super::picture::{Picture, Pixels};
use developer::Developer;
use livetune_core::infer::{
    Element, Letterbox, Normalisation, Packing, Placement, Region, Size, fill, write_pixels,
};
use scale::{Extent, Scaler};

/// Why a frame could not be made a tensor; its text is for a warning.
pub(super) type Unfit = String;

/// How a model wants its pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    pub(super) size: Size,
    /// Of whole frames.
    pub(super) placement: Placement,
    /// Of parts of frames.
    pub(super) of_regions: Placement,
    pub(super) normalisation: Normalisation,
}

impl Form {
    /// Where the network sees what of a `frame`: all of it, or a `region`.
    pub(super) fn letterbox(
        &self,
        frame: Size,
        region: Option<Region>,
    ) -> Result<Letterbox, Unfit> {
        let Some(region) = region else {
            return Ok(Letterbox::new(frame, self.size, self.placement));
        };
        let inside = region.within(frame);
        let region = inside.ok_or("the region is outside of the frame")?;
        Ok(Letterbox::of(region, self.size, self.of_regions))
    }
}

/// Fills one place of a batch, always the same one.
#[derive(Debug)]
pub(super) struct Preprocessor {
    /// Where the last picture was put.
    letterbox: Option<Letterbox>,
    scaler: Scaler,
    /// A scaled picture of one plane.
    scaled: Vec<u8>,
    developer: Developer,
}

impl Preprocessor {
    pub(super) fn new() -> Self {
        Self {
            letterbox: None,
            scaler: Scaler::default(),
            scaled: Vec::new(),
            developer: Developer::default(),
        }
    }

    /// Makes `tensor` what the model wants of `picture`, all of it or a `region`, and says where it is.
    pub(super) fn prepare<T: Element>(
        &mut self,
        form: &Form,
        picture: &Picture<'_>,
        region: Option<Region>,
        tensor: &mut [T],
    ) -> Result<Letterbox, Unfit> {
        let letterbox = form.letterbox(picture.size, region)?;
        // What has the same letterbox has the same padding.
        if self.letterbox != Some(letterbox) && letterbox.has_padding() {
            fill(tensor, &form.normalisation);
        }
        self.letterbox = Some(letterbox);
        let (pixels, packing) = self.see(picture, &letterbox)?;
        write_pixels(pixels, &packing, &letterbox, &form.normalisation, tensor);
        Ok(letterbox)
    }

    /// What `letterbox` shows of `picture`, scaled, as packed colours.
    fn see<'a>(
        &'a mut self,
        picture: &Picture<'a>,
        letterbox: &Letterbox,
    ) -> Result<(&'a [u8], Packing), Unfit> {
        let (source, to) = (letterbox.source, letterbox.content);
        let is_as_large = source.size() == to;
        if let Pixels::Packed {
            plane,
            bytes,
            offsets,
        } = picture.pixels
        {
            let packing = |stride| Packing {
                stride,
                bytes,
                offsets,
            };
            if is_as_large {
                let start = source.top as usize * plane.stride + source.left as usize * bytes;
                let pixels = plane.data.get(start..).unwrap_or_default();
                return Ok((pixels, packing(plane.stride)));
            }
            let extent = Extent::full(source);
            let (scaler, scaled) = (&mut self.scaler, &mut self.scaled);
            match bytes {
                3 => scaler.scale::<3>(&plane, extent, to, scaled)?,
                _ => scaler.scale::<4>(&plane, extent, to, scaled)?,
            }
            return Ok((&self.scaled, packing(to.width as usize * bytes)));
        }
        if is_as_large && source == Region::whole(picture.size) {
            self.developer.develop(picture)?;
        } else {
            self.developer
                .shrink(&mut self.scaler, picture, source, to)?;
        }
        Ok(self.developer.rgba(to.width))
    }
}

#[cfg(test)]
mod tests;
