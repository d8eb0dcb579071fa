//! From a frame of any format and size to the tensor that the model takes.
//!
//! Planes are scaled first, each as it is, and colours converted after that: the conversion then works on the few
//! pixels that the network sees. All buffers are reused.

mod developer;
mod scale;

use super::engine::TensorRef;
use super::picture::{Picture, Pixels};
use developer::{Developer, RGB};
use fast_image_resize::Resizer;
use fast_image_resize::pixels::{U8x3, U8x4};
use livetune_core::infer::{
    Letterbox, Normalisation, Packing, Placement, Size, fill, write_pixels,
};
use scale::{Extent, scale};

/// Why a frame could not be made a tensor; its text is for a warning.
pub(super) type Unfit = String;

/// Makes tensors for one model.
#[derive(Debug)]
pub(super) struct Preprocessor {
    input: Size,
    placement: Placement,
    normalisation: Normalisation,
    shape: [usize; 4],
    /// Where the last frame was put.
    letterbox: Option<Letterbox>,
    tensor: Vec<f32>,
    resizer: Resizer,
    /// A scaled picture of one plane.
    scaled: Vec<u8>,
    developer: Developer,
}

impl Preprocessor {
    pub(super) fn new(input: Size, placement: Placement, normalisation: Normalisation) -> Self {
        let (width, height) = (input.width as usize, input.height as usize);
        Self {
            input,
            placement,
            normalisation,
            shape: [1, 3, height, width],
            letterbox: None,
            tensor: vec![0.0; 3 * width * height],
            resizer: Resizer::new(),
            scaled: Vec::new(),
            developer: Developer::default(),
        }
    }

    /// The tensor of `picture` and where in it the picture is.
    pub(super) fn prepare(
        &mut self,
        picture: &Picture<'_>,
    ) -> Result<(TensorRef<'_>, Letterbox), Unfit> {
        let letterbox = self.lay_out(picture.size);
        if letterbox.content == picture.size {
            self.take(picture, &letterbox)?;
        } else {
            self.shrink(picture, &letterbox)?;
        }
        let tensor = TensorRef {
            shape: &self.shape,
            data: &self.tensor,
        };
        Ok((tensor, letterbox))
    }

    /// Letterboxes of frames of one size are the same: the padding is written once.
    fn lay_out(&mut self, frame: Size) -> Letterbox {
        if let Some(letterbox) = self.letterbox.filter(|known| known.frame == frame) {
            return letterbox;
        }
        fill(&mut self.tensor, &self.normalisation);
        let letterbox = Letterbox::new(frame, self.input, self.placement);
        self.letterbox = Some(letterbox);
        letterbox
    }

    /// A frame that fits as it is: colours only.
    fn take(&mut self, picture: &Picture<'_>, letterbox: &Letterbox) -> Result<(), Unfit> {
        if let Pixels::Packed {
            plane,
            bytes,
            offsets,
        } = picture.pixels
        {
            let packing = Packing {
                stride: plane.stride,
                bytes,
                offsets,
            };
            let (normalisation, tensor) = (&self.normalisation, &mut self.tensor);
            write_pixels(plane.data, &packing, letterbox, normalisation, tensor);
            return Ok(());
        }
        self.developer.develop(picture)?;
        self.write_developed(letterbox);
        Ok(())
    }

    fn shrink(&mut self, picture: &Picture<'_>, letterbox: &Letterbox) -> Result<(), Unfit> {
        let to = letterbox.content;
        if let Pixels::Packed {
            plane,
            bytes,
            offsets,
        } = picture.pixels
        {
            let whole = Extent::whole(picture.size);
            let (resizer, scaled) = (&mut self.resizer, &mut self.scaled);
            match bytes {
                3 => scale::<U8x3>(resizer, &plane, whole, to, scaled)?,
                _ => scale::<U8x4>(resizer, &plane, whole, to, scaled)?,
            }
            let packing = Packing {
                stride: to.width as usize * bytes,
                bytes,
                offsets,
            };
            let (normalisation, tensor) = (&self.normalisation, &mut self.tensor);
            write_pixels(&self.scaled, &packing, letterbox, normalisation, tensor);
            return Ok(());
        }
        self.developer.shrink(&mut self.resizer, picture, to)?;
        self.write_developed(letterbox);
        Ok(())
    }

    fn write_developed(&mut self, letterbox: &Letterbox) {
        let packing = Packing {
            stride: letterbox.content.width as usize * RGB,
            bytes: RGB,
            offsets: [0, 1, 2],
        };
        let (normalisation, tensor) = (&self.normalisation, &mut self.tensor);
        let pixels = self.developer.rgb();
        write_pixels(pixels, &packing, letterbox, normalisation, tensor);
    }
}

#[cfg(test)]
mod tests;
