//! Pixels as the numbers that a network takes: one plane per channel (NCHW).

use super::letterbox::Letterbox;

/// Which channel comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How a model wants its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// The order of the planes.
    pub order: ChannelOrder,
    /// Factor for values 0..255.
    pub scale: f32,
    /// The value, 0..255, around the frame.
    pub padding: u8,
}

/// How the bytes of a picture with one plane lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes of a pixel, 1 to 4.
    pub bytes: usize,
    /// Where in a pixel red, green and blue lie.
    pub offsets: [usize; 3],
}

/// Makes all of `tensor` padding.
pub fn fill(tensor: &mut [f32], normalisation: &Normalisation) {
    tensor.fill(f32::from(normalisation.padding) * normalisation.scale);
}

/// Writes `pixels`, the scaled frame, where `letterbox` puts it in `tensor`, and leaves the rest of it.
///
/// `pixels` holds at least the content of `letterbox` and `tensor` its input three times; what does not fit is left.
pub fn write_pixels(
    pixels: &[u8],
    packing: &Packing,
    letterbox: &Letterbox,
    normalisation: &Normalisation,
    tensor: &mut [f32],
) {
    let [red, green, blue] = packing.offsets;
    let offsets = match normalisation.order {
        ChannelOrder::Rgb => [red, green, blue],
        ChannelOrder::Bgr => [blue, green, red],
    };
    let row_length = letterbox.input.width as usize;
    let plane_length = row_length * letterbox.input.height as usize;
    let (left, width) = (letterbox.left as usize, letterbox.content.width as usize);
    let first = letterbox.top as usize;
    let rows = pixels.chunks(packing.stride.max(1));
    for (plane, offset) in tensor.chunks_exact_mut(plane_length.max(1)).zip(offsets) {
        let targets = plane.chunks_exact_mut(row_length.max(1)).skip(first);
        let content = rows.clone().take(letterbox.content.height as usize);
        for (target, row) in targets.zip(content) {
            let Some(target) = target.get_mut(left..left + width) else {
                continue;
            };
            let scale = normalisation.scale;
            match packing.bytes {
                1 => convert::<1>(row, 0, scale, target),
                3 => convert::<3>(row, offset, scale, target),
                _ => convert::<4>(row, offset, scale, target),
            }
        }
    }
}

fn convert<const BYTES: usize>(row: &[u8], offset: usize, scale: f32, target: &mut [f32]) {
    let offset = offset.min(BYTES - 1);
    let (pixels, _) = row.as_chunks::<BYTES>();
    for (number, pixel) in target.iter_mut().zip(pixels) {
        *number = f32::from(pixel[offset]) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::letterbox::{Placement, Size};

    const RAW: Normalisation = Normalisation {
        order: ChannelOrder::Bgr,
        scale: 1.0,
        padding: 114,
    };

    #[test]
    fn channels_become_planes_inside_the_padding() {
        let letterbox = Letterbox::new(Size::new(2, 1), Size::new(4, 4), Placement::Centred);
        assert_eq!(letterbox.content, Size::new(4, 2));
        let packing = Packing {
            stride: 20,
            bytes: 4,
            offsets: [1, 2, 3],
        };
        let pixels: Vec<u8> = (0..36).collect();
        let mut tensor = [0.0; 48];
        fill(&mut tensor, &RAW);
        write_pixels(&pixels, &packing, &letterbox, &RAW, &mut tensor);
        assert_eq!(tensor[..4], [114.0; 4]);
        assert_eq!(
            tensor[4..12],
            [3.0, 7.0, 11.0, 15.0, 23.0, 27.0, 31.0, 35.0]
        );
        assert_eq!(tensor[12..20], [114.0; 8]);
        assert_eq!(tensor[36..40], [1.0, 5.0, 9.0, 13.0], "red comes last");
    }

    #[test]
    fn numbers_are_scaled_and_rgb_keeps_its_order() {
        let size = Size::new(1, 1);
        let letterbox = Letterbox::new(size, size, Placement::TopLeft);
        let packing = Packing {
            stride: 3,
            bytes: 3,
            offsets: [0, 1, 2],
        };
        let normalisation = Normalisation {
            order: ChannelOrder::Rgb,
            scale: 1.0 / 255.0,
            padding: 114,
        };
        let mut tensor = [0.0; 3];
        write_pixels(
            &[255, 0, 51],
            &packing,
            &letterbox,
            &normalisation,
            &mut tensor,
        );
        assert!((tensor[0] - 1.0).abs() < 1e-6 && tensor[1] == 0.0);
        assert!((tensor[2] - 0.2).abs() < 1e-6);
    }

    #[test]
    fn too_few_pixels_leave_the_rest_alone() {
        let size = Size::new(2, 2);
        let letterbox = Letterbox::new(size, size, Placement::TopLeft);
        let packing = Packing {
            stride: 6,
            bytes: 3,
            offsets: [0, 1, 2],
        };
        let mut tensor = [7.0; 12];
        write_pixels(&[1, 2, 3], &packing, &letterbox, &RAW, &mut tensor);
        assert_eq!(tensor[..4], [3.0, 7.0, 7.0, 7.0]);
    }
}
