//! Preprocessing against a plain reference.

use livetune_core::infer::ChannelOrder;
use yuv::{YuvRange, YuvStandardMatrix};

use super::*;
use crate::gpuinfer::picture::{Colours, Plane};

const INPUT: Size = Size::new(32, 32);
const PADDING: f32 = 114.0;
/// What stands in the gaps between rows.
const GAP: u8 = 255;

/// Left and right half of the picture: red, green, blue.
const LEFT: [u8; 3] = [200, 80, 40];
const RIGHT: [u8; 3] = [30, 60, 120];

/// ITU-R BT.601 section 2.5, video range.
fn yuv(rgb: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = rgb.map(|value| f64::from(value) / 255.0);
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    let (blue, red) = ((b - luma) / 1.772, (r - luma) / 1.402);
    [
        16.0 + 219.0 * luma,
        128.0 + 224.0 * blue,
        128.0 + 224.0 * red,
    ]
    .map(|value| value.round() as u8)
}

/// Rows of `left` and `right` groups of bytes with a gap after each.
fn rows(size: Size, left: &[u8], right: &[u8]) -> (Vec<u8>, usize) {
    let half = size.width.div_ceil(2) as usize;
    let others = size.width as usize - half;
    let row = [left.repeat(half), right.repeat(others), vec![GAP; 5]].concat();
    (row.repeat(size.height as usize), row.len())
}

fn plane(rows: &(Vec<u8>, usize), size: Size) -> Plane<'_> {
    Plane {
        data: &rows.0,
        stride: rows.1,
        size,
    }
}

fn form(placement: Placement) -> Form {
    Form {
        size: INPUT,
        placement,
        of_regions: placement,
        normalisation: Normalisation {
            padding: 114,
            ..Normalisation::plain(ChannelOrder::Rgb)
        },
    }
}

/// The mean of each plane of the tensor over the middles of both halves and over the last rows.
fn tensor_of(size: Size, pixels: Pixels<'_>) -> [[f32; 3]; 3] {
    let form = form(Placement::TopLeft);
    let colours = Colours {
        range: YuvRange::Limited,
        matrix: YuvStandardMatrix::Bt601,
    };
    let picture = Picture {
        size,
        pixels,
        colours,
    };
    let mut preprocessor = Preprocessor::new();
    let mut tensor = vec![0.0; 3 * 32 * 32];
    let mut answer = [[0.0; 3]; 3];
    // Twice: the second time with buffers that were used.
    for _ in 0..2 {
        let letterbox = preprocessor
            .prepare(&form, &picture, None, &mut tensor)
            .expect("prepared");
        let rows = letterbox.content.height as usize;
        assert!(rows < 32 && letterbox.content.width == 32);
        let mean = |channel: usize, columns: [usize; 2], rows: [usize; 2]| {
            let all = (rows[0]..rows[1])
                .flat_map(|row| (columns[0]..columns[1]).map(move |x| row * 32 + x));
            let values: Vec<f32> = all.map(|at| tensor[channel * 1024 + at]).collect();
            let first = values[0];
            assert!(
                values.iter().all(|value| (value - first).abs() < 2.0),
                "{values:?}"
            );
            first
        };
        let area = |columns, rows| [0, 1, 2].map(|channel| mean(channel, columns, rows));
        answer = [
            area([0, 13], [0, rows]),
            area([19, 32], [0, rows]),
            area([0, 32], [rows, 32]),
        ];
    }
    answer
}

fn check(what: &str, size: Size, pixels: Pixels<'_>, [left, right]: [[u8; 3]; 2]) {
    let [in_left, in_right, below] = tensor_of(size, pixels);
    assert_eq!(below, [PADDING; 3], "{what}");
    for (seen, expected) in in_left
        .iter()
        .chain(&in_right)
        .zip(left.iter().chain(&right))
    {
        let difference = (seen - f32::from(*expected)).abs();
        assert!(
            difference <= 3.0,
            "{what} {size:?}: {in_left:?} {in_right:?}"
        );
    }
}

#[test]
fn colours_and_halves_are_where_they_belong_whatever_the_format() {
    // Larger, smaller and exactly as wide as the input; odd sizes.
    for (width, height) in [(128, 96), (61, 35), (20, 11), (32, 18)] {
        let size = Size::new(width, height);
        let half = Size::new(width.div_ceil(2), height.div_ceil(2));
        let both = [LEFT, RIGHT];
        let ([ly, lu, lv], [ry, ru, rv]) = (yuv(LEFT), yuv(RIGHT));
        let luma_rows = rows(size, &[ly], &[ry]);
        let luma = plane(&luma_rows, size);

        let chroma = rows(half, &[lu, lv], &[ru, rv]);
        let chroma = plane(&chroma, half);
        check("NV12", size, Pixels::SemiPlanar { luma, chroma }, both);

        let (blue, red) = (rows(half, &[lu], &[ru]), rows(half, &[lv], &[rv]));
        let (blue, red) = (plane(&blue, half), plane(&red, half));
        check("I420", size, Pixels::Planar { luma, blue, red }, both);

        let pairs = rows(
            Size::new(half.width, height),
            &[ly, lu, ly, lv],
            &[ry, ru, ry, rv],
        );
        check("YUY2", size, Pixels::Yuyv(plane(&pairs, size)), both);

        for (bytes, offsets) in [
            (3, [0, 1, 2]),
            (3, [2, 1, 0]),
            (4, [1, 2, 3]),
            (4, [2, 1, 0]),
        ] {
            let place = |rgb: [u8; 3]| {
                let mut pixel = vec![7; bytes];
                offsets
                    .into_iter()
                    .zip(rgb)
                    .for_each(|(at, value)| pixel[at] = value);
                pixel
            };
            let packed = rows(size, &place(LEFT), &place(RIGHT));
            let pixels = Pixels::Packed {
                plane: plane(&packed, size),
                bytes,
                offsets,
            };
            check("packed", size, pixels, both);
        }
    }
}

#[test]
fn grey_is_grey() {
    let size = Size::new(64, 40);
    let gray = rows(size, &[16], &[235]);
    let pixels = Pixels::Gray(plane(&gray, size));
    check("GRAY8 in video range", size, pixels, [[0; 3], [255; 3]]);
}

#[test]
fn a_plane_that_is_too_short_is_an_error() {
    let size = Size::new(64, 40);
    let short = (vec![0; 100], 64);
    let picture = Picture {
        size,
        pixels: Pixels::Gray(plane(&short, size)),
        colours: Colours {
            range: YuvRange::Full,
            matrix: YuvStandardMatrix::Bt601,
        },
    };
    let mut tensor = vec![0.0; 3 * 32 * 32];
    let form = form(Placement::Centred);
    let prepared = Preprocessor::new().prepare(&form, &picture, None, &mut tensor);
    assert!(prepared.is_err());
}

/// Any level from a place: waves with a grain.
fn level(x: usize, y: usize, seed: usize) -> u8 {
    let (x, y, phase) = (x as f64, y as f64, seed as f64);
    let wave = (x / 7.0 + phase).sin() * (y / 11.0 - phase).cos() * 60.0;
    let grain = ((x * 13.7 + y * 7.3 + phase).sin() * 43_758.545).fract() * 30.0;
    (128.0 + wave + grain) as u8
}

/// A value between the pixels of a plane, as the definition has it: centres on half integers, edges repeated.
fn between(data: &[u8], size: Size, step: usize, offset: usize, x: f64, y: f64) -> f64 {
    let side = |at: f64, length: u32| {
        let at = (at - 0.5).clamp(0.0, f64::from(length) - 1.0);
        let first = at.floor();
        let second = (first + 1.0).min(f64::from(length) - 1.0);
        (first as usize, second as usize, at - first)
    };
    let ((left, right, across), (top, bottom, down)) = (side(x, size.width), side(y, size.height));
    let row = size.width as usize * step;
    let at = |x: usize, y: usize| f64::from(data[y * row + x * step + offset]);
    let upper = at(left, top) * (1.0 - across) + at(right, top) * across;
    let lower = at(left, bottom) * (1.0 - across) + at(right, bottom) * across;
    upper * (1.0 - down) + lower * down
}

/// ITU-R BT.601 section 2.5, video range, the other way.
fn rgb([y, u, v]: [f64; 3]) -> [f64; 3] {
    let y = (y - 16.0) * 255.0 / 219.0;
    let (u, v) = ((u - 128.0) * 255.0 / 224.0, (v - 128.0) * 255.0 / 224.0);
    let (red, blue) = (y + 1.402 * v, y + 1.772 * u);
    let green = (y - 0.299 * red - 0.114 * blue) / 0.587;
    [red, green, blue].map(|value| value.clamp(0.0, 255.0))
}

#[test]
fn a_scaled_frame_is_what_the_definition_says() {
    let (size, half) = (Size::new(768, 432), Size::new(384, 216));
    let place = |at: usize, width: usize| (at % width, at / width);
    let luma: Vec<u8> = (0..768 * 432)
        .map(|at| place(at, 768))
        .map(|(x, y)| level(x, y, 0))
        .collect();
    let chroma: Vec<u8> = (0..384 * 216)
        .map(|at| place(at, 384))
        .flat_map(|(x, y)| [level(x, y, 1), level(x, y, 2)])
        .collect();
    let (luma, chroma) = ((luma, 768), (chroma, 768));
    let picture = Picture {
        size,
        pixels: Pixels::SemiPlanar {
            luma: plane(&luma, size),
            chroma: plane(&chroma, half),
        },
        colours: Colours {
            range: YuvRange::Limited,
            matrix: YuvStandardMatrix::Bt601,
        },
    };
    let form = Form {
        size: Size::new(416, 234),
        ..form(Placement::TopLeft)
    };
    let mut tensor = vec![0.0; 3 * 416 * 234];
    let prepared = Preprocessor::new().prepare(&form, &picture, None, &mut tensor);
    prepared.expect("prepared");
    let (mut sum, mut bias, mut most) = (0.0, 0.0, 0.0_f64);
    for at in 0..416 * 234 {
        let (x, y) = (at % 416, at / 416);
        let scale = 768.0 / 416.0;
        let (x, y) = ((x as f64 + 0.5) * scale, (y as f64 + 0.5) * scale);
        let expected = rgb([
            between(&luma.0, size, 1, 0, x, y),
            between(&chroma.0, half, 2, 0, x / 2.0, y / 2.0),
            between(&chroma.0, half, 2, 1, x / 2.0, y / 2.0),
        ]);
        for (channel, expected) in expected.into_iter().enumerate() {
            let off = f64::from(tensor[channel * 416 * 234 + at]) - expected;
            sum += off.abs();
            bias += off;
            most = most.max(off.abs());
        }
    }
    let numbers = f64::from(3 * 416 * 234);
    let (mean, bias) = (sum / numbers, bias / numbers);
    // Levels are rounded twice on the way, and colours are up to 2 times differences of them.
    let is_near = mean < 0.6 && bias.abs() < 0.05 && most < 3.0;
    assert!(is_near, "{mean} {bias} {most}");
}

/// What a colour of luma 120, blue 100 and red 170 is, by section 3 of ITU-R BT.601, BT.709 and BT.2020, whose `kr` and
/// `kb` differ, and in either range.
fn shade([kr, kb]: [f64; 2], is_full: bool) -> [f32; 3] {
    let (luma, chroma) = if is_full {
        (120.0, 255.0)
    } else {
        ((120.0 - 16.0) * 255.0 / 219.0, 255.0 * 255.0 / 224.0)
    };
    let (blue, red) = (
        (100.0 - 128.0) / 255.0 * chroma,
        (170.0 - 128.0) / 255.0 * chroma,
    );
    let (r, b) = (
        luma + 2.0 * (1.0 - kr) * red,
        luma + 2.0 * (1.0 - kb) * blue,
    );
    let g = (luma - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|value| value.clamp(0.0, 255.0) as f32)
}

#[test]
fn colours_are_those_that_the_caps_say() {
    gst::init().expect("GStreamer starts");
    let cases = [
        ("bt601", [0.299, 0.114], false),
        ("bt709", [0.2126, 0.0722], false),
        ("bt2020", [0.2627, 0.0593], false),
        ("1:4:0:0", [0.299, 0.114], true),
        ("1:3:0:0", [0.2126, 0.0722], true),
    ];
    for (name, weights, is_full) in cases {
        let colorimetry = name.parse().expect("a colorimetry");
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Nv12, 64, 64)
            .colorimetry(&colorimetry)
            .build();
        let size = Size::new(64, 64);
        let half = Size::new(32, 32);
        let (luma, chroma) = (
            rows(size, &[120], &[120]),
            rows(half, &[100, 170], &[100, 170]),
        );
        let picture = Picture {
            size,
            pixels: Pixels::SemiPlanar {
                luma: plane(&luma, size),
                chroma: plane(&chroma, half),
            },
            colours: Colours::of(&info.expect("caps")),
        };
        let mut tensor = vec![0.0; 3 * 32 * 32];
        let form = form(Placement::TopLeft);
        let prepared = Preprocessor::new().prepare(&form, &picture, None, &mut tensor);
        assert!(prepared.is_ok());
        let expected = shade(weights, is_full);
        for (channel, expected) in expected.into_iter().enumerate() {
            let seen = tensor[channel * 1024 + 500];
            assert!(
                (seen - expected).abs() <= 3.0,
                "{name}: {seen} for {expected} in channel {channel}"
            );
        }
    }
}
