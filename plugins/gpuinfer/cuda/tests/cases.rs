//! Pictures of all formats, sizes and gaps, and networks that want them in all ways.

use livetune_core::infer::{
    CHANNELS, ChannelOrder, Layout, Letterbox, Normalisation, Placement, Region, Size,
};
use yuv::{YuvRange, YuvStandardMatrix};

use crate::gpuinfer::cuda::plan::Plan;
use crate::gpuinfer::cuda::upload::Upload;
use crate::gpuinfer::engine::Number;
use crate::gpuinfer::picture::{Colours, Picture, Pixels, Plane};
use crate::gpuinfer::preprocess::Form;

#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Nv12,
    I420,
    Yuy2,
    Gray,
    Packed(usize, [usize; 3]),
}

pub(super) const FORMATS: [Format; 8] = [
    Format::Nv12,
    Format::I420,
    Format::Yuy2,
    Format::Gray,
    Format::Packed(3, [0, 1, 2]),
    Format::Packed(3, [2, 1, 0]),
    Format::Packed(4, [1, 2, 3]),
    Format::Packed(4, [2, 1, 0]),
];

/// A picture to be prepared in one way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) format: Format,
    pub(super) size: Size,
    pub(super) input: Size,
    pub(super) placement: Placement,
    pub(super) region: Option<Region>,
    pub(super) colours: Colours,
}

const BT601: Colours = Colours {
    range: YuvRange::Limited,
    matrix: YuvStandardMatrix::Bt601,
};
const BT709: Colours = Colours {
    range: YuvRange::Full,
    matrix: YuvStandardMatrix::Bt709,
};
const BT2020: Colours = Colours {
    range: YuvRange::Limited,
    matrix: YuvStandardMatrix::Bt2020,
};

/// Larger and smaller than the input, as large, and of odd sizes; all of the picture, and parts of it.
pub(super) fn cases() -> Vec<Case> {
    let region = |left, top, width, height| {
        Some(Region {
            left,
            top,
            width,
            height,
        })
    };
    let ways = [
        ((128, 96), (64, 64), Placement::TopLeft, None, BT601),
        ((61, 35), (64, 48), Placement::Centred, None, BT709),
        ((20, 11), (52, 40), Placement::Stretch, None, BT2020),
        ((64, 48), (64, 64), Placement::TopLeft, None, BT601),
        ((33, 64), (33, 64), Placement::TopLeft, None, BT709),
        ((300, 170), (48, 80), Placement::Crop, None, BT709),
        ((1, 1), (8, 8), Placement::Stretch, None, BT601),
        (
            (97, 83),
            (40, 56),
            Placement::Stretch,
            region(13, 7, 31, 21),
            BT601,
        ),
        (
            (97, 83),
            (32, 32),
            Placement::Centred,
            region(64, 50, 99, 99),
            BT709,
        ),
        (
            (97, 83),
            (31, 21),
            Placement::TopLeft,
            region(13, 7, 31, 21),
            BT2020,
        ),
    ];
    let size = |(width, height)| Size::new(width, height);
    let all = FORMATS.into_iter().flat_map(|format| {
        ways.map(|(of, input, placement, region, colours)| Case {
            format,
            size: size(of),
            input: size(input),
            placement,
            region,
            colours,
        })
    });
    all.collect()
}

/// Planes of bytes with gaps between their rows, and how long those are.
pub(super) struct Planes([(Vec<u8>, usize, Size); 3]);

/// Any level from a place: waves with a grain, black and white now and then.
fn level(x: usize, y: usize, seed: usize) -> u8 {
    let (x, y, phase) = (x as f64, y as f64, seed as f64);
    let wave = (x / 7.0 + phase).sin() * (y / 11.0 - phase).cos() * 150.0;
    let grain = ((x * 13.7 + y * 7.3 + phase).sin() * 43_758.545).fract() * 60.0;
    (128.0 + wave + grain).clamp(0.0, 255.0) as u8
}

impl Case {
    pub(super) fn planes(&self) -> Planes {
        let size = self.size;
        let half = Size::new(size.width.div_ceil(2), size.height.div_ceil(2));
        let none = (Size::default(), 0);
        let kinds = match self.format {
            Format::Nv12 => [(size, 1), (half, 2), none],
            Format::I420 => [(size, 1), (half, 1), (half, 1)],
            Format::Yuy2 => [(Size::new(half.width, size.height), 4), none, none],
            Format::Gray => [(size, 1), none, none],
            Format::Packed(bytes, _) => [(size, bytes), none, none],
        };
        // What yuv makes of blacker than black depends on the column, in packed 4:2:2.
        let least = if matches!(self.format, Format::Yuy2) {
            16
        } else {
            0
        };
        let mut seed = 0;
        Planes(kinds.map(|(size, bytes)| {
            seed += 1;
            let stride = size.width as usize * bytes + 5;
            let places = (0..stride * size.height as usize).map(|at| (at % stride, at / stride));
            let data = places.map(|(x, y)| level(x / bytes, y, seed + x % bytes * 5).max(least));
            (data.collect(), stride, size)
        }))
    }

    pub(super) fn picture<'a>(&self, planes: &'a Planes) -> Picture<'a> {
        let plane = |at: usize| {
            let (data, stride, size) = &planes.0[at];
            let (stride, size) = (*stride, *size);
            Plane { data, stride, size }
        };
        let pixels = match self.format {
            Format::Nv12 => Pixels::SemiPlanar {
                luma: plane(0),
                chroma: plane(1),
            },
            Format::I420 => Pixels::Planar {
                luma: plane(0),
                blue: plane(1),
                red: plane(2),
            },
            Format::Yuy2 => Pixels::Yuyv(Plane {
                size: self.size,
                ..plane(0)
            }),
            Format::Gray => Pixels::Gray(plane(0)),
            Format::Packed(bytes, offsets) => Pixels::Packed {
                plane: plane(0),
                bytes,
                offsets,
            },
        };
        Picture {
            size: self.size,
            pixels,
            colours: self.colours,
        }
    }

    pub(super) fn form(&self, normalisation: Normalisation) -> Form {
        Form {
            size: self.input,
            placement: self.placement,
            of_regions: self.placement,
            normalisation,
        }
    }

    /// The frame as it lies on a GPU, and what the kernel is told of it.
    pub(super) fn plan(&self, form: &Form, number: Number) -> (Vec<u8>, Plan) {
        let planes = self.planes();
        let picture = self.picture(&planes);
        let upload = Upload::of(&picture.pixels, picture.size).expect("planes");
        let letterbox: Letterbox = form.letterbox(self.size, self.region).expect("a region");
        let about = (self.size, self.colours);
        let plan = Plan::new(form, &letterbox, about, &upload.surface, number);
        (upload.parts.concat(), plan)
    }

    pub(super) fn numbers(&self) -> usize {
        CHANNELS * self.input.width as usize * self.input.height as usize
    }
}

/// Levels as they are.
pub(super) fn plain(layout: Layout) -> Normalisation {
    Normalisation {
        padding: 114,
        layout,
        ..Normalisation::plain(ChannelOrder::Bgr)
    }
}

/// As classifiers want it, each channel in another way.
pub(super) fn normalised(layout: Layout) -> Normalisation {
    Normalisation {
        order: ChannelOrder::Rgb,
        layout,
        mean: [123.675, 116.28, 103.53],
        scale: [0.017_124_8, 0.017_507, 0.017_429_2],
        padding: 3,
    }
}
