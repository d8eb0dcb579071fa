//! What the latency meter costs per buffer.
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::latency::{Config, StageMeter};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

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

criterion_group!(benches, latency);
criterion_main!(benches);
