//! What `qualityswitch` decides for each frame.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::quality::{
    Config, DEFAULT_LADDER, Decimator, FrameRate, Governor, InputVideo, Ladder,
};
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

fn decimate(c: &mut Criterion) {
    let mut decimator = Decimator::new();
    decimator.set_rate(FrameRate::new(25, 1));
    let mut frame = 0;
    c.bench_function("quality/decimator/frame", |b| {
        b.iter(|| {
            frame += 1;
            decimator.on_frame(black_box(MediaTime::from_nanos(frame * 33_333_333)))
        });
    });
}

fn decide(c: &mut Criterion) {
    let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
    let mut governor = Governor::new(ladder, None, true, Config::default()).unwrap();
    let input = InputVideo {
        width: 1920,
        height: 1080,
        pixel_aspect: (1, 1),
        rate: FrameRate::new(30, 1),
        scalable: true,
    };
    governor.on_input(&input, MediaTime::ZERO);
    governor.on_target(Bitrate::from_kbps(1_000), MediaTime::ZERO);
    let mut frame = 0;
    c.bench_function("quality/governor/frame", |b| {
        b.iter(|| {
            frame += 1;
            governor.on_time(black_box(MediaTime::from_nanos(frame * 33_333_333)))
        });
    });
}

criterion_group!(benches, decimate, decide);
criterion_main!(benches);
