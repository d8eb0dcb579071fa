//! What object detection costs per frame around the network.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::infer::{
    Decoder, Head, Letterbox, Packing, Size, Thresholds, fill, write_pixels,
};

const INPUT: Size = Size::new(416, 416);
const FRAME: Size = Size::new(1920, 1080);

fn thresholds() -> Thresholds {
    Thresholds {
        confidence: 0.3,
        ..Thresholds::default()
    }
}

/// A crowded street as YOLOX-nano would see it: most cells empty, one in 40 with something in it.
fn output() -> Vec<f32> {
    let mut seed = 7_u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 16_777_216.0
    };
    let mut output: Vec<f32> = (0..3549 * 85).map(|_| random() * 0.05).collect();
    for row in output.chunks_exact_mut(85).step_by(40) {
        row[..4].copy_from_slice(&[random(), random(), random(), random()]);
        row[4] = 0.95;
        row[5 + (random() * 3.0) as usize] = 0.5 + random() / 2.0;
    }
    output
}

fn decode(criterion: &mut Criterion) {
    let head = Head::from_output_shape(&[1, 3549, 85], INPUT).expect("YOLOX");
    let letterbox = Letterbox::new(FRAME, INPUT, head.placement());
    let mut decoder = Decoder::new(head);
    let (output, thresholds) = (output(), thresholds());
    let mut objects = Vec::new();
    criterion.bench_function("infer/yolox decode and nms [1,3549,85]", |bencher| {
        bencher.iter(|| {
            let output = black_box(&output);
            decoder.decode(output, &thresholds, &letterbox, &mut objects)
        });
    });
    let head = Head::from_output_shape(&[1, 84, 3549], INPUT).expect("YOLOv8");
    let mut decoder = Decoder::new(head);
    let mut columns = vec![0.0; 84 * 3549];
    for (cell, row) in output.chunks_exact(85).enumerate() {
        for (at, number) in row[..4].iter().chain(&row[5..]).enumerate() {
            columns[at * 3549 + cell] = *number * if at < 4 { 400.0 } else { 1.0 };
        }
    }
    criterion.bench_function("infer/yolov8 decode and nms [1,84,3549]", |bencher| {
        bencher.iter(|| {
            let output = black_box(&columns);
            decoder.decode(output, &thresholds, &letterbox, &mut objects)
        });
    });
}

fn pixels(criterion: &mut Criterion) {
    let head = Head::from_output_shape(&[1, 3549, 85], INPUT).expect("YOLOX");
    let letterbox = Letterbox::new(FRAME, INPUT, head.placement());
    let normalisation = head.normalisation();
    let packing = Packing {
        stride: 416 * 3,
        bytes: 3,
        offsets: [0, 1, 2],
    };
    let picture = vec![90_u8; 416 * 234 * 3];
    let mut tensor = vec![0.0; 3 * 416 * 416];
    fill(&mut tensor, &normalisation);
    criterion.bench_function("infer/pixels to tensor 416x234", |bencher| {
        bencher.iter(|| {
            write_pixels(
                black_box(&picture),
                &packing,
                &letterbox,
                &normalisation,
                &mut tensor,
            );
        });
    });
    criterion.bench_function("infer/letterbox", |bencher| {
        bencher.iter(|| Letterbox::new(black_box(FRAME), INPUT, head.placement()));
    });
}

criterion_group!(benches, decode, pixels);
criterion_main!(benches);
