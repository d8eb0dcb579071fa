//! What the kernel is told of one picture: where its numbers lie, what of them is seen, and what the network wants.

use gst_video::VideoFormat;
use livetune_core::infer::{ChannelOrder, Layout, Letterbox, Region, Size};
use yuv::YuvRange;

use crate::gpuinfer::engine::Number;
use crate::gpuinfer::picture::{Colours, packing};
use crate::gpuinfer::preprocess::Form;

/// What the three numbers of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) enum Kind {
    /// Red, green, blue.
    Rgb = 0,
    /// Luma, blueness, redness.
    Yuv = 1,
    /// Luma, three times.
    Gray = 2,
}

/// A picture in memory that only a GPU reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) struct Surface {
    /// On the GPU.
    pub(in crate::gpuinfer) address: u64,
    /// From there on.
    pub(in crate::gpuinfer) bytes: usize,
    pub(super) kind: Kind,
    pub(super) channels: [Channel; 3],
}

/// Where the numbers of one kind lie in the memory of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) start: usize,
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    /// Bytes from one number to the next.
    pub(super) step: usize,
    /// By how much they are fewer than the pixels, as a power of two.
    pub(super) shifts: [u32; 2],
}

impl Channel {
    const fn new((start, stride): (usize, usize), inside: usize, step: usize) -> Self {
        Self {
            start: start + inside,
            stride,
            step,
            shifts: [0, 0],
        }
    }

    const fn shifted(self, shifts: [u32; 2]) -> Self {
        Self { shifts, ..self }
    }

    /// Of a picture of this `size`.
    fn size(&self, size: Size) -> Size {
        let [x, y] = self.shifts.map(|shift| 1 << shift);
        Size::new(size.width.div_ceil(x), size.height.div_ceil(y))
    }

    /// Whether all of it lies in so many `bytes`.
    fn fits(&self, size: Size, bytes: usize) -> bool {
        let size = self.size(size);
        let (Some(rows), Some(columns)) = (size.height.checked_sub(1), size.width.checked_sub(1))
        else {
            return false;
        };
        let last = (rows as usize)
            .checked_mul(self.stride)
            .and_then(|row| row.checked_add(self.start))
            .and_then(|row| row.checked_add(columns as usize * self.step));
        let is_wide = columns as usize * self.step < self.stride;
        is_wide && i32::try_from(self.stride).is_ok() && last.is_some_and(|last| last < bytes)
    }
}

impl Surface {
    /// The picture of this `format` and `size` in so many `bytes` from `address` on, with its `planes`: where each
    /// starts, and its stride. `None` where the format is not known, or the planes are longer than the memory.
    pub(in crate::gpuinfer) fn of(
        format: VideoFormat,
        size: Size,
        planes: &[(usize, usize)],
        (address, bytes): (u64, usize),
    ) -> Option<Self> {
        let plane = |at: usize| planes.get(at).copied();
        let (half, wide) = ([1, 1], [1, 0]);
        let (kind, channels) = match format {
            VideoFormat::Nv12 => {
                let chroma = |inside| Some(Channel::new(plane(1)?, inside, 2).shifted(half));
                let luma = Channel::new(plane(0)?, 0, 1);
                (Kind::Yuv, [luma, chroma(0)?, chroma(1)?])
            }
            VideoFormat::I420 => {
                let chroma = |at| Some(Channel::new(plane(at)?, 0, 1).shifted(half));
                let luma = Channel::new(plane(0)?, 0, 1);
                (Kind::Yuv, [luma, chroma(1)?, chroma(2)?])
            }
            VideoFormat::Yuy2 => {
                let pairs = |inside| Some(Channel::new(plane(0)?, inside, 4).shifted(wide));
                let luma = Channel::new(plane(0)?, 0, 2);
                (Kind::Yuv, [luma, pairs(1)?, pairs(3)?])
            }
            VideoFormat::Gray8 => (Kind::Gray, [Channel::new(plane(0)?, 0, 1); 3]),
            format => {
                let ((bytes, offsets), plane) = (packing(format)?, plane(0)?);
                (Kind::Rgb, offsets.map(|at| Channel::new(plane, at, bytes)))
            }
        };
        let surface = Self {
            address,
            bytes,
            kind,
            channels,
        };
        let fits = channels.iter().all(|channel| channel.fits(size, bytes));
        fits.then_some(surface)
    }
}

/// One plane, as the kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Plane {
    pub(super) start: u64,
    /// Of what is seen, in numbers of the plane.
    pub(super) left: f64,
    pub(super) top: f64,
    /// Numbers of the plane from one pixel of the network's input to the next.
    pub(super) across: f64,
    pub(super) down: f64,
    pub(super) stride: i32,
    pub(super) step: i32,
    pub(super) columns: i32,
    pub(super) rows: i32,
    pub(super) shift_x: i32,
    pub(super) shift_y: i32,
}

/// The kernel's only argument beside the memory that it reads and writes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Plan {
    pub(super) planes: [Plane; 3],
    pub(super) colours: i32,
    /// Whether the picture is as large as it is seen: nothing is mixed.
    pub(super) exact: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) content_width: i32,
    pub(super) content_height: i32,
    pub(super) interleaved: i32,
    pub(super) number: i32,
    pub(super) padding: i32,
    /// Which of red, green and blue each channel of the tensor is.
    pub(super) source: [i32; 3],
    pub(super) luma_scale: f32,
    pub(super) luma_start: f32,
    pub(super) red_of_v: f32,
    pub(super) green_of_u: f32,
    pub(super) green_of_v: f32,
    pub(super) blue_of_u: f32,
    pub(super) scale: [f32; 3],
    pub(super) shift: [f32; 3],
}

impl Plan {
    /// For the part of a picture of this `size` that `letterbox` shows.
    pub(super) fn new(
        form: &Form,
        letterbox: &Letterbox,
        (size, colours): (Size, Colours),
        surface: &Surface,
        number: Number,
    ) -> Self {
        let normalisation = &form.normalisation;
        let factors = normalisation.factors();
        let seen = letterbox.source;
        let is_whole = seen == Region::whole(size) && seen.size() == letterbox.content;
        let planes = surface
            .channels
            .map(|channel| plane(&channel, size, letterbox));
        let [
            luma_scale,
            luma_start,
            red_of_v,
            green_of_u,
            green_of_v,
            blue_of_u,
        ] = matrix(colours);
        Self {
            planes,
            colours: surface.kind as i32,
            exact: is_whole.into(),
            width: letterbox.input.width as i32,
            height: letterbox.input.height as i32,
            left: letterbox.left as i32,
            top: letterbox.top as i32,
            content_width: letterbox.content.width as i32,
            content_height: letterbox.content.height as i32,
            interleaved: (normalisation.layout == Layout::Interleaved).into(),
            number: number as i32,
            padding: normalisation.padding.into(),
            source: match normalisation.order {
                ChannelOrder::Rgb => [0, 1, 2],
                ChannelOrder::Bgr => [2, 1, 0],
            },
            luma_scale,
            luma_start,
            red_of_v,
            green_of_u,
            green_of_v,
            blue_of_u,
            scale: factors.map(|(scale, _)| scale),
            shift: factors.map(|(_, shift)| shift),
        }
    }
}

fn plane(channel: &Channel, size: Size, letterbox: &Letterbox) -> Plane {
    let inside = channel.size(size);
    let seen = letterbox.source;
    let fewer = |length: u32, shift: u32| f64::from(length) / f64::from(1_u32 << shift);
    let [x, y] = channel.shifts;
    let (width, height) = (fewer(seen.width, x), fewer(seen.height, y));
    Plane {
        start: channel.start as u64,
        left: fewer(seen.left, x),
        top: fewer(seen.top, y),
        across: width / f64::from(letterbox.content.width),
        down: height / f64::from(letterbox.content.height),
        stride: channel.stride as i32,
        step: channel.step as i32,
        columns: inside.width as i32,
        rows: inside.height as i32,
        shift_x: x as i32,
        shift_y: y as i32,
    }
}

/// Scale and start of luma, and what of red, green and blue comes of the chroma (ITU-T H.273, section 8.3).
fn matrix(colours: Colours) -> [f32; 6] {
    let bias = colours.matrix.get_kr_kb();
    let (red, blue) = (f64::from(bias.kr), f64::from(bias.kb));
    let green = 1.0 - red - blue;
    let (start, luma, chroma) = match colours.range {
        YuvRange::Limited => (16.0, 255.0 / 219.0, 255.0 / 224.0),
        YuvRange::Full => (0.0, 1.0, 1.0),
    };
    let (of_v, of_u) = (2.0 * (1.0 - red) * chroma, 2.0 * (1.0 - blue) * chroma);
    [
        luma,
        start,
        of_v,
        of_u * blue / green,
        of_v * red / green,
        of_u,
    ]
    .map(|number| number as f32)
}
