//! A mapped frame, seen as planes of bytes.

use gst_video::prelude::*;
use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat, VideoFrameRef, VideoInfo};
use livetune_core::infer::Size;
use yuv::{YuvRange, YuvStandardMatrix};

use super::cuda::{Mapped, Surface};

/// All formats that the element takes.
pub(super) const FORMATS: [VideoFormat; 14] = [
    VideoFormat::Nv12,
    VideoFormat::I420,
    VideoFormat::Yuy2,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Xrgb,
    VideoFormat::Xbgr,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
    VideoFormat::Argb,
    VideoFormat::Abgr,
    VideoFormat::Gray8,
];

/// Rows of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane<'a> {
    pub(super) data: &'a [u8],
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    /// Pixels of this plane, which has fewer than the picture where it is colour at half the size.
    pub(super) size: Size,
}

/// How the picture lies in its planes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pixels<'a> {
    /// Colours side by side, 3 or 4 bytes; where in them red, green and blue lie.
    Packed {
        plane: Plane<'a>,
        bytes: usize,
        offsets: [usize; 3],
    },
    /// NV12.
    SemiPlanar { luma: Plane<'a>, chroma: Plane<'a> },
    /// I420.
    Planar {
        luma: Plane<'a>,
        blue: Plane<'a>,
        red: Plane<'a>,
    },
    /// YUY2: Y U Y V, two pixels.
    Yuyv(Plane<'a>),
    /// GRAY8.
    Gray(Plane<'a>),
    /// Any of them, on a GPU.
    Device(Surface),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Picture<'a> {
    pub(super) size: Size,
    pub(super) pixels: Pixels<'a>,
    pub(super) colours: Colours,
}

/// How YUV numbers stand for colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colours {
    pub(super) range: YuvRange,
    pub(super) matrix: YuvStandardMatrix,
}

impl Colours {
    pub(super) fn of(info: &VideoInfo) -> Self {
        let colorimetry = info.colorimetry();
        let range = match colorimetry.range() {
            VideoColorRange::Range0_255 => YuvRange::Full,
            _ => YuvRange::Limited,
        };
        let matrix = match colorimetry.matrix() {
            VideoColorMatrix::Bt709 => YuvStandardMatrix::Bt709,
            VideoColorMatrix::Bt2020 => YuvStandardMatrix::Bt2020,
            VideoColorMatrix::Smpte240m => YuvStandardMatrix::Smpte240,
            VideoColorMatrix::Fcc => YuvStandardMatrix::Fcc,
            _ => YuvStandardMatrix::Bt601,
        };
        Self { range, matrix }
    }
}

/// Bytes of a pixel and where in it red, green and blue lie, for the formats that have them side by side.
pub(super) fn packing(format: VideoFormat) -> Option<(usize, [usize; 3])> {
    Some(match format {
        VideoFormat::Rgb => (3, [0, 1, 2]),
        VideoFormat::Bgr => (3, [2, 1, 0]),
        VideoFormat::Rgbx | VideoFormat::Rgba => (4, [0, 1, 2]),
        VideoFormat::Bgrx | VideoFormat::Bgra => (4, [2, 1, 0]),
        VideoFormat::Xrgb | VideoFormat::Argb => (4, [1, 2, 3]),
        VideoFormat::Xbgr | VideoFormat::Abgr => (4, [3, 2, 1]),
        _ => return None,
    })
}

impl<'a> Picture<'a> {
    /// The picture of this `size` in `frame`, whose planes may have more, or `None` where it is not of [`FORMATS`] or
    /// its planes are too short.
    pub(super) fn of(frame: &'a VideoFrameRef<&gst::BufferRef>, size: Size) -> Option<Self> {
        let half = Size::new(size.width.div_ceil(2), size.height.div_ceil(2));
        let plane = |index, size, bytes| Plane::of(frame, index, size, bytes);
        let pixels = match frame.format() {
            VideoFormat::Nv12 => Pixels::SemiPlanar {
                luma: plane(0, size, 1)?,
                chroma: plane(1, half, 2)?,
            },
            VideoFormat::I420 => Pixels::Planar {
                luma: plane(0, size, 1)?,
                blue: plane(1, half, 1)?,
                red: plane(2, half, 1)?,
            },
            VideoFormat::Yuy2 => {
                let pairs = Size::new(half.width, size.height);
                let pairs = plane(0, pairs, 4)?;
                Pixels::Yuyv(Plane { size, ..pairs })
            }
            VideoFormat::Gray8 => Pixels::Gray(plane(0, size, 1)?),
            format => {
                let (bytes, offsets) = packing(format)?;
                let plane = plane(0, size, bytes)?;
                Pixels::Packed {
                    plane,
                    bytes,
                    offsets,
                }
            }
        };
        let colours = Colours::of(frame.info());
        Some(Self {
            size,
            pixels,
            colours,
        })
    }
}

impl Picture<'_> {
    /// The picture of `info` in `frame`, on a GPU.
    pub(super) fn on_device(frame: &Mapped<'_>, info: &VideoInfo) -> Self {
        Self {
            size: Size::new(info.width(), info.height()),
            pixels: Pixels::Device(frame.surface()),
            colours: Colours::of(info),
        }
    }

    pub(super) const fn is_on_device(&self) -> bool {
        matches!(self.pixels, Pixels::Device(_))
    }
}

impl<'a> Plane<'a> {
    fn of(
        frame: &'a VideoFrameRef<&gst::BufferRef>,
        index: u32,
        size: Size,
        bytes: usize,
    ) -> Option<Self> {
        let data = frame.plane_data(index).ok()?;
        let stride = usize::try_from(*frame.plane_stride().get(index as usize)?).ok()?;
        let row = size.width as usize * bytes;
        let needed = stride * (size.height as usize).checked_sub(1)? + row;
        (row <= stride && needed <= data.len()).then_some(Self { data, stride, size })
    }
}
