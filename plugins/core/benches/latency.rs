//! What the latency meter costs per buffer.
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::latency::{
    Config, Kind, RegressionConfig, RegressionDetector, SlaConfig, SlaMonitor, StageMeter,
    StageShare, breakdown,
};
use livetune_core::time::MediaTime;
use livetune_core::units::{ByteCount, Ratio};

fn latency(criterion: &mut Criterion) {
    let config = Config {
        sla: Duration::from_millis(100),
        ..Config::default()
    };
    let mut meter = StageMeter::new(config).expect("a valid configuration");
    let mut now = 0_u64;
    criterion.bench_function("latency/on_buffer", |bencher| {
        bencher.iter(|| {
            now += 1_000_003;
            // Latencies spread over 0 to 134 ms, so that the histograms' lines are not all in the first cache.
            let latency = Duration::from_nanos(now.wrapping_mul(2_654_435_761) >> 5 & 0x7ff_ffff);
            meter.on_buffer(
                black_box(latency),
                ByteCount::new(1_400),
                MediaTime::from_nanos(now),
            );
        });
    });
    criterion.bench_function("latency/on_timer", |bencher| {
        bencher.iter(|| {
            now += 1_000_003;
            meter.on_buffer(
                Duration::from_millis(5),
                ByteCount::new(1_400),
                MediaTime::from_nanos(now),
            );
            black_box(meter.on_timer(MediaTime::from_nanos(now)))
        });
    });
    criterion.bench_function("latency/total", |bencher| {
        bencher.iter(|| black_box(meter.total()));
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
