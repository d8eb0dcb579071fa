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
