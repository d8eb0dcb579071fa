//! A mapped frame of any format as something to draw on.

use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef};

use livetune_core::infer::Size;
use yuv::YuvRange;

use crate::gpuinfer::picture::{Colours, packing};

/// Red, green and blue.
pub(super) type Colour = [u8; 3];

/// A rectangle of whole pixels: left and top, and right and bottom, which it does not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) from: (u32, u32),
    pub(super) to: (u32, u32),
}

/// Where the bytes of one plane lie and how a pixel of the picture finds its own.
#[derive(Clone, Copy, Debug)]
struct Layer {
    plane: usize,
    stride: usize,
    /// Pixels of the picture per sample, across and down.
    every: (u32, u32),
    /// Bytes from one sample to the next, and where in that group it is.
    step: usize,
    offset: usize,
}

/// The samples that make up a pixel and what stands in them for a colour.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    planes: [&'a mut [u8]; 4],
    layers: [Option<Layer>; 3],
    size: Size,
    /// `None` where the samples are red, green and blue themselves.
    colours: Option<Colours>,
}

impl<'a> Canvas<'a> {
    /// The first `size` pixels of `frame`; `None` for a format that is not known.
    pub(super) fn of(
        frame: &'a mut VideoFrameRef<&mut gst::BufferRef>,
        size: Size,
    ) -> Option<Self> {
        let info = frame.info();
        let strides = info.stride();
        let layer = |plane: usize, every, step, offset| {
            let stride = usize::try_from(*strides.get(plane)?).ok()?;
            Some(Layer {
                plane,
                stride,
                every,
                step,
                offset,
            })
        };
        let (whole, half, column) = ((1, 1), (2, 2), (2, 1));
        let layers = match frame.format() {
            VideoFormat::Nv12 => [
                layer(0, whole, 1, 0),
                layer(1, half, 2, 0),
                layer(1, half, 2, 1),
            ],
            VideoFormat::I420 => [
                layer(0, whole, 1, 0),
                layer(1, half, 1, 0),
                layer(2, half, 1, 0),
            ],
            VideoFormat::Yuy2 => [
                layer(0, whole, 2, 0),
                layer(0, column, 4, 1),
                layer(0, column, 4, 3),
            ],
            VideoFormat::Gray8 => [layer(0, whole, 1, 0), None, None],
            format => {
                let (bytes, offsets) = packing(format)?;
                offsets.map(|offset| layer(0, whole, bytes, offset))
            }
        };
        let is_rgb = packing(frame.format()).is_some();
        Some(Self {
            layers,
            size,
            colours: (!is_rgb).then(|| Colours::of(info)),
            planes: frame.planes_data_mut(),
        })
    }

    /// The samples of `colour`, one per layer.
    fn samples(&self, [red, green, blue]: Colour) -> [u8; 3] {
        let Some(Colours { range, matrix }) = self.colours else {
            return [red, green, blue];
        };
        // ITU-R BT.601 section 2.5: luma from the weights, chroma from the distances to it.
        let bias = matrix.get_kr_kb();
        let [red, green, blue] = [red, green, blue].map(|value| f32::from(value) / 255.0);
        let luma = bias.kr * red + (1.0 - bias.kr - bias.kb) * green + bias.kb * blue;
        let from_blue = (blue - luma) / (2.0 * (1.0 - bias.kb));
        let from_red = (red - luma) / (2.0 * (1.0 - bias.kr));
        let (floor, luma_span, chroma_span) = match range {
            YuvRange::Limited => (16.0, 219.0, 224.0),
            YuvRange::Full => (0.0, 255.0, 255.0),
        };
        [
            floor + luma_span * luma,
            128.0 + chroma_span * from_blue,
            128.0 + chroma_span * from_red,
        ]
        .map(|sample| sample.round() as u8)
    }

    /// The whole picture.
    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// Makes what of `patch` is in the picture all of one colour.
    pub(super) fn fill(&mut self, patch: Patch, colour: Colour) {
        let Size { width, height } = self.size;
        let (left, top) = patch.from;
        let (right, bottom) = (patch.to.0.min(width), patch.to.1.min(height));
        if left >= right || top >= bottom {
            return;
        }
        let samples = self.samples(colour);
        for (layer, sample) in self.layers.iter().zip(samples) {
            let Some(layer) = layer else { continue };
            let (across, down) = layer.every;
            let columns = (left / across) as usize..right.div_ceil(across) as usize;
            for row in top / down..bottom.div_ceil(down) {
                let start = row as usize * layer.stride;
                let Some(row) = self.planes[layer.plane].get_mut(start..) else {
                    continue;
                };
                let first = columns.start * layer.step + layer.offset;
                let targets = row.iter_mut().skip(first).step_by(layer.step);
                for target in targets.take(columns.len()) {
                    *target = sample;
                }
            }
        }
    }

    /// Lays `colour` over the picture where `mask` is, rows of `width` with 255 where it covers all. What lies
    /// outside of `clip` stays as it is.
    pub(super) fn stamp(
        &mut self,
        mask: &[u8],
        width: usize,
        (left, top): (i64, i64),
        clip: Patch,
        colour: Colour,
    ) {
        let samples = self.samples(colour);
        for (row, covers) in (top..).zip(mask.chunks_exact(width.max(1))) {
            for (column, cover) in (left..).zip(covers) {
                let inside = (i64::from(clip.from.0)..i64::from(clip.to.0)).contains(&column)
                    && (i64::from(clip.from.1)..i64::from(clip.to.1)).contains(&row);
                if inside && *cover > 0 {
                    self.blend((column as u32, row as u32), *cover, samples);
                }
            }
        }
    }

    /// Moves the samples of a pixel towards `samples`, by `cover` parts of 255. Of a sample that pixels share it is
    /// the part of one.
    fn blend(&mut self, (x, y): (u32, u32), cover: u8, samples: [u8; 3]) {
        for (layer, sample) in self.layers.iter().zip(samples) {
            let Some(layer) = layer else { continue };
            let (across, down) = layer.every;
            let column = (x / across) as usize * layer.step + layer.offset;
            let place = (y / down) as usize * layer.stride + column;
            let Some(target) = self.planes[layer.plane].get_mut(place) else {
                continue;
            };
            let (part, whole) = (i32::from(cover), (255 * across * down) as i32);
            let way = i32::from(sample) - i32::from(*target);
            *target = (i32::from(*target) + (way * part + way.signum() * whole / 2) / whole) as u8;
        }
    }
}
