//! What the latency meter costs per buffer.
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::latency::{
    Arrivals, Capture, Kind, Point, RegressionConfig, RegressionDetector, Sample, SlaConfig,
    SlaMonitor, Source, StageShare, breakdown,
};
use livetune_core::time::MediaTime;
use livetune_core::units::{ByteCount, Ratio};

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

/// Frames of 0 to 134 ms, 30 a second.
fn frame(now: &mut u64) -> (Duration, MediaTime) {
    *now += 33_333_333;
    let latency = now.wrapping_mul(2_654_435_761) >> 5 & 0x7ff_ffff;
    (Duration::from_nanos(latency), MediaTime::from_nanos(*now))
}

fn judging(criterion: &mut Criterion) {
    let mut now = 0;
    let config = SlaConfig {
        limit: Duration::from_millis(100),
        ..SlaConfig::default()
    };
    let mut monitor = SlaMonitor::new(config).expect("a valid configuration");
    criterion.bench_function("latency/sla", |bencher| {
        bencher.iter(|| {
            let (latency, now) = frame(&mut now);
            monitor.on_value(black_box(latency), now);
            black_box(monitor.on_timer(now))
        });
    });
    let mut detector =
        RegressionDetector::new(RegressionConfig::default()).expect("a valid configuration");
    criterion.bench_function("latency/regression", |bencher| {
        bencher.iter(|| {
            let (latency, now) = frame(&mut now);
            detector.on_value(black_box(latency), now);
            black_box(detector.on_timer(now))
        });
    });
    let stages = [0, 1, 2, 3, 4, 5, 6, 7].map(|index| StageShare {
        mean: Duration::from_millis(7 * index % 5),
        kind: if index % 3 == 0 {
            Kind::Queue
        } else {
            Kind::Other
        },
        fill: Ratio::new(0.5),
    });
    criterion.bench_function("latency/breakdown", |bencher| {
        bencher.iter(|| breakdown(black_box(&stages), Duration::from_millis(40)));
    });
}

criterion_group!(benches, latency, judging);
criterion_main!(benches);
