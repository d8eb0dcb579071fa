//! Pixels as the numbers that a network takes.

use super::letterbox::Letterbox;

/// Channels of a network's picture.
pub const CHANNELS: usize = 3;

/// Which channel comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How the numbers of a picture lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One plane per channel: NCHW.
    Planes,
    /// The channels of a pixel side by side: NHWC.
    Interleaved,
}

/// How a model wants its pixels: (value - mean) x scale, values being 0..255. Mean and scale are listed in the order of
/// the tensor's channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// The order of the channels.
    pub order: ChannelOrder,
    /// How they lie.
    pub layout: Layout,
    /// Taken off the values.
    pub mean: [f32; CHANNELS],
    /// Factor for what is left of them.
    pub scale: [f32; CHANNELS],
    /// The value, 0..255, around the picture.
    pub padding: u8,
}

/// How the bytes of a picture with one plane lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes of a pixel: 1, 3 or 4.
    pub bytes: usize,
    /// Where in a pixel red, green and blue lie.
    pub offsets: [usize; 3],
}

/// A number of a tensor.
pub trait Element: Copy {
    /// What stands for a `level` of 0..255 where the network wants it times `scale` plus `shift`.
    fn of(level: u8, scale: f32, shift: f32) -> Self;
}

impl Element for f32 {
    #[inline]
    fn of(level: u8, scale: f32, shift: f32) -> Self {
        // By way of i32, for which SSE2 has an instruction.
        i32::from(level) as Self * scale + shift
    }
}

/// A network that takes bytes takes pixels as they are.
impl Element for u8 {
    #[inline]
    fn of(level: u8, _: f32, _: f32) -> Self {
        level
    }
}

impl Normalisation {
    /// Pixels as they are, one plane per channel, nothing around them.
    pub const fn plain(order: ChannelOrder) -> Self {
        Self {
            order,
            layout: Layout::Planes,
            mean: [0.0; CHANNELS],
            scale: [1.0; CHANNELS],
            padding: 0,
        }
    }

    /// Factor and summand of each channel.
    pub fn factors(&self) -> [(f32, f32); CHANNELS] {
        std::array::from_fn(|channel| {
            let (mean, scale) = (self.mean[channel], self.scale[channel]);
            (scale, -mean * scale)
        })
    }

    /// Where in a pixel of `packing` each channel of the tensor lies.
    fn offsets(&self, packing: &Packing) -> [usize; CHANNELS] {
        let [red, green, blue] = packing.offsets;
        let offsets = match self.order {
            ChannelOrder::Rgb => [red, green, blue],
            ChannelOrder::Bgr => [blue, green, red],
        };
        offsets.map(|offset| offset.min(packing.bytes.saturating_sub(1)))
    }
}

/// Makes all of `tensor`, one picture, padding.
pub fn fill<T: Element>(tensor: &mut [T], normalisation: &Normalisation) {
    let padding = normalisation
        .factors()
        .map(|(scale, shift)| T::of(normalisation.padding, scale, shift));
    match normalisation.layout {
        Layout::Planes => {
            let plane = (tensor.len() / CHANNELS).max(1);
            for (plane, value) in tensor.chunks_exact_mut(plane).zip(padding) {
                plane.fill(value);
            }
        }
        Layout::Interleaved => {
            let (pixels, _) = tensor.as_chunks_mut::<CHANNELS>();
            pixels.fill(padding);
        }
    }
}

/// Writes `pixels`, what is seen, scaled, where `letterbox` puts it in `tensor`, one picture, and leaves the rest of it.
///
/// `pixels` holds at least the content of `letterbox` and `tensor` its input three times; what does not fit is left.
pub fn write_pixels<T: Element>(
    pixels: &[u8],
    packing: &Packing,
    letterbox: &Letterbox,
    normalisation: &Normalisation,
    tensor: &mut [T],
) {
    match (normalisation.layout, packing.bytes) {
        (Layout::Planes, 1) => planes::<T, 1>(pixels, packing, letterbox, normalisation, tensor),
        (Layout::Planes, 3) => planes::<T, 3>(pixels, packing, letterbox, normalisation, tensor),
        (Layout::Planes, _) => planes::<T, 4>(pixels, packing, letterbox, normalisation, tensor),
        (_, 1) => interleaved::<T, 1>(pixels, packing, letterbox, normalisation, tensor),
        (_, 3) => interleaved::<T, 3>(pixels, packing, letterbox, normalisation, tensor),
        (_, _) => interleaved::<T, 4>(pixels, packing, letterbox, normalisation, tensor),
    }
}

fn planes<T: Element, const BYTES: usize>(
    pixels: &[u8],
    packing: &Packing,
    letterbox: &Letterbox,
    normalisation: &Normalisation,
    tensor: &mut [T],
) {
    let row_length = letterbox.input.width as usize;
    let plane_length = row_length * letterbox.input.height as usize;
    let (left, width) = (letterbox.left as usize, letterbox.content.width as usize);
    let first = letterbox.top as usize;
    let rows = pixels.chunks(packing.stride.max(1));
    let channels = normalisation.offsets(packing).into_iter();
    let planes = tensor.chunks_exact_mut(plane_length.max(1));
    for (plane, (offset, factors)) in planes.zip(channels.zip(normalisation.factors())) {
        let targets = plane.chunks_exact_mut(row_length.max(1)).skip(first);
        let content = rows.clone().take(letterbox.content.height as usize);
        for (target, row) in targets.zip(content) {
            let Some(target) = target.get_mut(left..left + width) else {
                continue;
            };
            let (scale, shift) = factors;
            let (row, _) = row.as_chunks::<BYTES>();
            // As one number shifted, not as a byte picked: several pixels at once, by vector instructions.
            let bits = offset as u32 * 8;
            for (number, pixel) in target.iter_mut().zip(row) {
                let mut bytes = [0; 4];
                bytes[..BYTES].copy_from_slice(pixel);
                *number = T::of((u32::from_le_bytes(bytes) >> bits) as u8, scale, shift);
            }
        }
    }
}

fn interleaved<T: Element, const BYTES: usize>(
    pixels: &[u8],
    packing: &Packing,
    letterbox: &Letterbox,
    normalisation: &Normalisation,
    tensor: &mut [T],
) {
    let row_length = letterbox.input.width as usize * CHANNELS;
    let (left, width) = (letterbox.left as usize, letterbox.content.width as usize);
    let (offsets, factors) = (normalisation.offsets(packing), normalisation.factors());
    let rows = pixels.chunks(packing.stride.max(1));
    let targets = tensor.chunks_exact_mut(row_length.max(1));
    let content = rows.take(letterbox.content.height as usize);
    for (target, row) in targets.skip(letterbox.top as usize).zip(content) {
        let (target, _) = target.as_chunks_mut::<CHANNELS>();
        let Some(target) = target.get_mut(left..left + width) else {
            continue;
        };
        let (row, _) = row.as_chunks::<BYTES>();
        for (numbers, pixel) in target.iter_mut().zip(row) {
            *numbers = std::array::from_fn(|channel| {
                let (scale, shift) = factors[channel];
                T::of(pixel[offsets[channel]], scale, shift)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::letterbox::{Placement, Size};

    const RAW: Normalisation = Normalisation {
        padding: 114,
        ..Normalisation::plain(ChannelOrder::Bgr)
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
            scale: [1.0 / 255.0; 3],
            ..Normalisation::plain(ChannelOrder::Rgb)
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

    #[test]
    fn every_channel_has_its_own_mean_and_scale() {
        let size = Size::new(2, 1);
        let letterbox = Letterbox::new(Size::new(1, 1), size, Placement::TopLeft);
        let packing = Packing {
            stride: 4,
            bytes: 4,
            offsets: [2, 1, 0],
        };
        let planes = Normalisation {
            mean: [100.0, 110.0, 120.0],
            scale: [0.5, 0.25, 2.0],
            padding: 10,
            ..Normalisation::plain(ChannelOrder::Rgb)
        };
        // Blue 130, green 120, red 110 and padding of 10.
        let (red, green, blue) = ([5.0, -45.0], [2.5, -25.0], [20.0, -220.0]);
        let mut tensor = [0.0_f32; 6];
        fill(&mut tensor, &planes);
        write_pixels(
            &[130, 120, 110, 0],
            &packing,
            &letterbox,
            &planes,
            &mut tensor,
        );
        assert_eq!(tensor[..], [red, green, blue].concat());
        let side_by_side = Normalisation {
            layout: Layout::Interleaved,
            ..planes
        };
        fill(&mut tensor, &side_by_side);
        write_pixels(
            &[130, 120, 110, 0],
            &packing,
            &letterbox,
            &side_by_side,
            &mut tensor,
        );
        let pixel = |at: usize| [red[at], green[at], blue[at]];
        assert_eq!(tensor[..], [pixel(0), pixel(1)].concat());
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let size = Size::new(1, 1);
        let letterbox = Letterbox::new(size, size, Placement::Stretch);
        let packing = Packing {
            stride: 3,
            bytes: 3,
            offsets: [0, 1, 2],
        };
        let normalisation = Normalisation {
            layout: Layout::Interleaved,
            ..RAW
        };
        let mut tensor = [0_u8; 3];
        write_pixels(
            &[1, 2, 3],
            &packing,
            &letterbox,
            &normalisation,
            &mut tensor,
        );
        assert_eq!(tensor, [3, 2, 1]);
    }
}
