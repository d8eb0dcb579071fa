//! What the latency meter costs per buffer.
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::latency::{Arrivals, Capture, Point, Sample, Source};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

/// Frame number `sequence`, of an age of 0 to 134 ms, so that the histograms' lines are not all in the first cache.
fn sample(sequence: u64) -> Sample {
    let spread = sequence.wrapping_mul(2_654_435_761) & 0x7ff_ffff;
    Sample {
        frame: Capture {
            origin: 7,
            sequence,
            entry: MediaTime::from_nanos(sequence * 1_000_003),
            captured: MediaTime::from_nanos(sequence * 1_000_003),
        },
        pts: Some(MediaTime::from_nanos(sequence)),
        age: Duration::from_nanos(spread),
        negative: false,
        source: Source::Capture,
        size: ByteCount::new(1_400),
    }
}

fn latency(criterion: &mut Criterion) {
    let mut point = Point::new(Duration::from_secs(1));
    let arrivals = Arrivals::default();
    let mut sequence = 0_u64;
    criterion.bench_function("latency/point.on_buffer", |bencher| {
        bencher.iter(|| {
            sequence += 1;
            let sample = black_box(sample(sequence));
            let now = sample.frame.entry.after(sample.age);
            point.on_buffer(&sample, || Some(sample.frame.entry), now)
        });
    });
    criterion.bench_function("latency/arrivals", |bencher| {
        bencher.iter(|| {
            sequence += 1;
            let frame = black_box(sample(sequence).frame);
            arrivals.on_arrival(&frame, frame.entry);
            arrivals.find(&frame)
        });
    });
    criterion.bench_function("latency/point.on_timer", |bencher| {
        bencher.iter(|| {
            sequence += 1;
            point.on_timer(black_box(MediaTime::from_nanos(sequence)))
        });
    });
    criterion.bench_function("latency/point.total", |bencher| {
        bencher.iter(|| black_box(point.total()));
    });
}

criterion_group!(benches, latency);
criterion_main!(benches);
