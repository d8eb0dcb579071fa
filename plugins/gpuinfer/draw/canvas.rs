//! A mapped frame of any format as something to draw on.

use std::convert::Infallible;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef};

use crate::gpuinfer::picture::{Colours, packing};
use yuv::YuvRange;

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
        let strides = info.stride().to_vec();
        let strides: Vec<usize> = strides
            .iter()
            .filter_map(|s| usize::try_from(*s).ok())
            .collect();
        let layer = |plane: usize, every, step, offset| {
            let stride = *strides.get(plane)?;
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
    fn samples(&self, colour: Rgb888) -> [u8; 3] {
        let [red, green, blue] = [colour.r(), colour.g(), colour.b()];
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

    /// Makes everything from `left`, `top` to before `right`, `bottom`, which lies in the picture, of one colour.
    fn fill(&mut self, (left, top): (u32, u32), (right, bottom): (u32, u32), samples: [u8; 3]) {
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
}

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            self.fill_solid(&Rectangle::new(at, Size::new(1, 1)), colour)?;
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let visible = area.intersection(&self.bounding_box());
        let Some(last) = visible.bottom_right() else {
            return Ok(());
        };
        let first = (visible.top_left.x as u32, visible.top_left.y as u32);
        let samples = self.samples(colour);
        self.fill(first, (last.x as u32 + 1, last.y as u32 + 1), samples);
        Ok(())
    }
}

/// A canvas seen through a magnifying glass: each pixel drawn is a square of pixels there.
pub(super) struct Magnified<'a, 'b> {
    canvas: &'a mut Canvas<'b>,
    origin: Point,
    factor: u32,
}

impl<'a, 'b> Magnified<'a, 'b> {
    pub(super) fn new(canvas: &'a mut Canvas<'b>, origin: Point, factor: u32) -> Self {
        Self {
            canvas,
            origin,
            factor,
        }
    }
}

impl Dimensions for Magnified<'_, '_> {
    fn bounding_box(&self) -> Rectangle {
        Rectangle::new(Point::zero(), self.canvas.size() / self.factor)
    }
}

impl DrawTarget for Magnified<'_, '_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        let square = Size::new_equal(self.factor);
        for Pixel(at, colour) in pixels {
            let corner = self.origin + at * self.factor as i32;
            self.canvas
                .fill_solid(&Rectangle::new(corner, square), colour)?;
        }
        Ok(())
    }
}
