//! Networks of every family that compute what they say from the pixels, from the frame to the metas: what their shapes
//! are taken for, the colours that they see, what their numbers mean, and where in the frame that is.

use std::path::Path;

use gst_check::Harness;

use super::linear::{self, Linear};
use super::{Found, found, running};
use crate::support::init;

const SIDE: u64 = 64;
const CAPS: &str = "video/x-raw,format=RGB,width=64,height=64,framerate=30/1";
/// Twice as wide as the input, and as high: boxes are stretched with it.
const WIDE: &str = "video/x-raw,format=RGB,width=128,height=64,framerate=30/1";
/// Red, green, blue: each another.
const COLOURS: [[u8; 3]; 3] = [[51, 204, 26], [255, 0, 230], [128, 102, 153]];

/// What torchvision takes off pictures, and divides them by: red, green, blue.
const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];

fn camera(model: &Path, caps: &str) -> Harness {
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .build()
        .unwrap();
    running(&element, caps)
}

/// A frame of `pixels` pixels of one colour.
fn painted(colour: [u8; 3], pixels: usize) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_mut_slice(colour.repeat(pixels));
    buffer.make_mut().set_pts(gst::ClockTime::ZERO);
    buffer
}

/// What is to be found in a frame of a colour whose parts are 0 to 1: left, top, right, bottom, class, confidence.
type Expected = ([f32; 4], usize, f32);

/// Has `model` look at frames of all colours and compares what it finds with what it should.
fn finds(model: &Path, caps: &str, expected: impl Fn([f32; 3]) -> Expected) {
    let mut harness = camera(model, caps);
    let width = if caps == WIDE { 128 } else { 64 };
    for colour in COLOURS {
        let out = harness.push_and_pull(painted(colour, width * 64)).unwrap();
        let objects = found(&out);
        let [
            Found {
                label,
                rect: (x, y, w, h),
                confidence,
                ..
            },
        ] = &objects[..]
        else {
            panic!("{colour:?}: {objects:?}");
        };
        let (edges, class, sure) = expected(colour.map(|part| f32::from(part) / 255.0));
        let seen = [*x, *y, x + w, y + h].map(|edge| edge as f32);
        for (seen, edge) in seen.into_iter().zip(edges) {
            assert!(
                (seen - edge).abs() <= 1.01,
                "{colour:?}: {objects:?} for {edges:?}"
            );
        }
        assert_eq!(label, &format!("class {class}"), "{colour:?}");
        assert!(
            (confidence - f64::from(sure)).abs() < 0.01,
            "{colour:?}: {confidence} for {sure}"
        );
    }
}

fn around(x: f32, y: f32, width: f32, height: f32) -> [f32; 4] {
    [
        x - width / 2.0,
        y - height / 2.0,
        x + width / 2.0,
        y + height / 2.0,
    ]
}

/// The surer one of two classes that share what there is.
fn of_two(second: f32) -> (usize, f32) {
    if second > 0.5 {
        (1, second)
    } else {
        (0, 1.0 - second)
    }
}

#[test]
fn yolov5_from_the_pixels_to_the_box() {
    // 3 boxes in each cell of strides 8, 16 and 32; centre, size, whether there is one, two classes.
    let row = 5 * 7;
    let output = Linear::new("output0", &[252, 7])
        .set(row, 12.0, [40.0, 0.0, 0.0])
        .set(row + 1, 12.0, [0.0, 40.0, 0.0])
        .set(row + 2, 10.0, [0.0; 3])
        .set(row + 3, 8.0, [0.0; 3])
        .set(row + 4, 0.95, [0.0; 3])
        .set(row + 5, 1.0, [0.0, 0.0, -1.0])
        .set(row + 6, 0.0, [0.0, 0.0, 1.0]);
    let model = linear::linear(Some(1), (SIDE, SIDE), &[output]);
    finds(&model, CAPS, |[red, green, blue]| {
        let (class, sure) = of_two(blue);
        let edges = around(12.0 + 40.0 * red, 12.0 + 40.0 * green, 10.0, 8.0);
        (edges, class, 0.95 * sure)
    });
}

/// One of 300 queries: centre and size in parts of the input, which a frame is stretched to.
fn query(output: Linear, row: usize) -> Linear {
    output
        .set(row, 0.2, [0.6, 0.0, 0.0])
        .set(row + 1, 0.2, [0.0, 0.6, 0.0])
        .set(row + 2, 0.25, [0.0; 3])
        .set(row + 3, 0.125, [0.0; 3])
}

#[test]
fn rt_detr_in_one_output_from_the_pixels_to_the_box() {
    let row = 7 * 7;
    let output = query(Linear::new("output0", &[300, 7]), row)
        .set(row + 4, 0.0, [0.0, 0.0, 1.0])
        .set(row + 6, 1.0, [0.0, 0.0, -1.0]);
    let model = linear::linear(Some(1), (SIDE, SIDE), &[output]);
    finds(&model, WIDE, |[red, green, blue]| {
        let edges = around(
            128.0 * (0.2 + 0.6 * red),
            64.0 * (0.2 + 0.6 * green),
            32.0,
            8.0,
        );
        let (last, sure) = of_two(1.0 - blue);
        (edges, 2 * last, sure)
    });
}

#[test]
fn rt_detr_in_two_outputs_from_the_pixels_to_the_box() {
    let boxes = query(Linear::new("boxes", &[300, 4]), 7 * 4);
    // As trained ones say it: nothing in most of them.
    let scores = Linear::new("logits", &[300, 3])
        .fill(-10.0)
        .set(7 * 3 + 1, 1.0, [0.0, 0.0, 2.0]);
    let model = linear::linear(Some(1), (SIDE, SIDE), &[scores, boxes]);
    finds(&model, WIDE, |[red, green, blue]| {
        let edges = around(
            128.0 * (0.2 + 0.6 * red),
            64.0 * (0.2 + 0.6 * green),
            32.0,
            8.0,
        );
        (edges, 1, sigmoid(1.0 + 2.0 * blue))
    });
}

fn sigmoid(number: f32) -> f32 {
    1.0 / (1.0 + (-number).exp())
}

/// Summand and factors of `factor` times a colour's part (0 red, 1 green, 2 blue), where the model takes BGR with
/// ImageNet's mean and deviation.
fn of_imagenet(colour: usize, factor: f32) -> (f32, [f32; 3]) {
    let mut factors = [0.0; 3];
    factors[2 - colour] = factor * DEVIATION[colour] / 255.0;
    (factor * MEAN[colour] / 255.0, factors)
}

#[test]
fn nanodet_plus_from_the_pixels_to_the_box() {
    // Cells of strides 8, 16, 32 and 64; the one in the middle of the finest. Two classes, then four edges, each as a
    // distribution over 0 to 7 strides.
    let row = 36 * 34;
    let mut output = Linear::new("output", &[85, 34]);
    let (red, reds) = of_imagenet(0, 1.0);
    output = output
        .set(row, 1.0 - red, reds.map(|factor| -factor))
        .set(row + 1, red, reds);
    for (edge, bin) in [(1, 1), (2, 3), (3, 2)] {
        output = output.set(row + 2 + edge * 8 + bin, 50.0, [0.0; 3]);
    }
    // The left edge: between one and two strides.
    for bin in 0..8 {
        output = output.set(row + 2 + bin, -50.0, [0.0; 3]);
    }
    let (blue, blues) = of_imagenet(2, 8.0);
    output = output
        .set(row + 3, 0.0, [0.0; 3])
        .set(row + 4, blue - 4.0, blues);
    let model = linear::linear(Some(1), (SIDE, SIDE), &[output]);
    finds(&model, CAPS, |[red, _, blue]| {
        let (class, sure) = of_two(red);
        let left = 32.0 - 8.0 * (1.0 + sigmoid(8.0 * blue - 4.0));
        ([left, 24.0, 56.0, 48.0], class, sure)
    });
}

#[test]
fn yunet_from_the_pixels_to_the_box() {
    let mut outputs = Vec::new();
    for (class, object, boxes, points, cells) in [
        ("cls_8", "obj_8", "bbox_8", "kps_8", 64),
        ("cls_16", "obj_16", "bbox_16", "kps_16", 16),
        ("cls_32", "obj_32", "bbox_32", "kps_32", 4),
    ] {
        let (mut class, mut object) = (
            Linear::new(class, &[cells, 1]),
            Linear::new(object, &[cells, 1]),
        );
        let mut boxes = Linear::new(boxes, &[cells, 4]);
        if cells == 16 {
            // The second cell of the second row. Blue comes first, and pixels are 0 to 255.
            class = class.set(5, 0.3, [0.0, 0.0, 0.7 / 255.0]);
            object = object.set(5, 1.0, [0.0; 3]);
            boxes = boxes
                .set(20, 0.0, [0.0, 1.0 / 255.0, 0.0])
                .set(21, 0.0, [1.0 / 255.0, 0.0, 0.0])
                .set(23, 2.0_f32.ln(), [0.0; 3]);
        }
        outputs.extend([class, object, boxes, Linear::new(points, &[cells, 10])]);
    }
    let model = linear::linear(Some(1), (SIDE, SIDE), &outputs);
    finds(&model, CAPS, |[red, green, blue]| {
        let edges = around(16.0 * (1.0 + green), 16.0 * (1.0 + blue), 16.0, 32.0);
        (edges.map(|edge| edge.max(0.0)), 0, (0.3 + 0.7 * red).sqrt())
    });
}

#[test]
fn yolov8_in_nv12_from_the_pixels_to_the_box() {
    let model = linear::linear(Some(1), (SIDE, SIDE), &[super::colour_meter()]);
    const NV12: &str =
        "video/x-raw,format=NV12,width=64,height=64,framerate=30/1,colorimetry=bt709";
    let mut harness = camera(&model, NV12);
    // A saturated red, by BT.709 in limited range.
    let mut pixels = vec![63; 64 * 64];
    pixels.extend([102, 240].repeat(32 * 32));
    let mut buffer = gst::Buffer::from_mut_slice(pixels);
    buffer.make_mut().set_pts(gst::ClockTime::ZERO);
    let out = harness.push_and_pull(buffer).unwrap();
    let objects = found(&out);
    let [
        Found {
            rect: (x, y, w, h), ..
        },
    ] = objects[..]
    else {
        panic!("{objects:?}");
    };
    let middle = (
        f64::from(x) + f64::from(w) / 2.0,
        f64::from(y) + f64::from(h) / 2.0,
    );
    assert!(
        (middle.0 - 52.0).abs() <= 1.0 && (middle.1 - 12.0).abs() <= 1.0,
        "{objects:?}"
    );
}
