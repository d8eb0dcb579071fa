//! What object detection costs per frame around the network.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::infer::{
    Decoder, Family, Found, Head, Hints, Letterbox, Output, Packing, Size, Thresholds, fill,
    write_pixels,
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

fn head(shape: &[usize]) -> Head {
    let output = Output {
        shape,
        ..Output::default()
    };
    Head::recognise(None, &[output], INPUT, &Hints::default()).expect("known shape")
}

fn measure(criterion: &mut Criterion, name: &str, shape: &[usize], data: &[f32]) {
    let head = head(shape);
    let letterbox = Letterbox::new(FRAME, INPUT, head.family().placement());
    let mut decoder = Decoder::new(head);
    let (thresholds, mut found) = (thresholds(), Found::default());
    criterion.bench_function(&format!("infer/{name} to objects {shape:?}"), |bencher| {
        bencher.iter(|| {
            let output = Output {
                data: black_box(data),
                ..Output::default()
            };
            decoder.decode(&[output], &thresholds, &letterbox, &mut found)
        });
    });
}

fn decode(criterion: &mut Criterion) {
    let rows = output();
    measure(criterion, "yolox", &[3549, 85], &rows);
    let mut columns = vec![0.0; 84 * 3549];
    for (cell, row) in rows.chunks_exact(85).enumerate() {
        for (at, number) in row[..4].iter().chain(&row[5..]).enumerate() {
            columns[at * 3549 + cell] = *number * if at < 4 { 400.0 } else { 1.0 };
        }
    }
    measure(criterion, "yolov8", &[84, 3549], &columns);
}

fn pixels(criterion: &mut Criterion) {
    let family = Family::YoloX;
    let letterbox = Letterbox::new(FRAME, INPUT, family.placement());
    let normalisation = family.normalisation();
    let packing = Packing {
        stride: 416 * 4,
        bytes: 4,
        offsets: [0, 1, 2],
    };
    let picture = vec![90_u8; 416 * 234 * 4];
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
        bencher.iter(|| Letterbox::new(black_box(FRAME), INPUT, family.placement()));
    });
}

criterion_group!(benches, decode, pixels);
criterion_main!(benches);
