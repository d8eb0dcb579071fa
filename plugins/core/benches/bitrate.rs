//! What adaptivebitrate's controller costs per buffer and per report.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::bitrate::{Config, Controller, IntervalReport, PacketResult};
use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, ByteCount};

fn controller() -> Controller {
    let config = Config {
        min: Bitrate::from_kbps(100),
        max: Bitrate::from_kbps(8_000),
    };
    let mut controller = Controller::new(config).unwrap();
    controller.start_at(Bitrate::from_kbps(2_000), MediaTime::ZERO);
    controller
}

fn per_buffer(criterion: &mut Criterion) {
    let mut controller = controller();
    let mut now = MediaTime::ZERO;
    criterion.bench_function("bitrate/on_sent", |bencher| {
        bencher.iter(|| {
            now = now.after(Duration::from_millis(33));
            controller.on_sent(black_box(ByteCount::new(8_000)), now);
            black_box(controller.next_wakeup())
        });
    });
}

fn per_report(criterion: &mut Criterion) {
    let mut controller = controller();
    let mut now = MediaTime::ZERO;
    let report = IntervalReport {
        rtt: Some(Duration::from_millis(50)),
        ..IntervalReport::default()
    };
    criterion.bench_function("bitrate/on_report", |bencher| {
        bencher.iter(|| {
            now = now.after(Duration::from_millis(200));
            black_box(controller.on_report(black_box(report), now))
        });
    });
}

/// A frame of 2 Mbit/s: seven packets in one message.
fn per_message(criterion: &mut Criterion) {
    let mut controller = controller();
    let mut now = MediaTime::ZERO;
    let mut sequence = 0;
    let mut results = Vec::new();
    criterion.bench_function("bitrate/on_packets", |bencher| {
        bencher.iter(|| {
            now = now.after(Duration::from_millis(33));
            results.clear();
            results.extend((0..7).map(|n| PacketResult {
                sequence: sequence + n,
                departed: now,
                arrived: Some(now.after(Duration::from_millis(25 + 5 * n))),
                size: ByteCount::new(1_200),
            }));
            sequence += 7;
            controller.on_sent(ByteCount::new(8_400), now);
            black_box(controller.on_packets(black_box(&results), now))
        });
    });
}

criterion_group!(benches, per_buffer, per_report, per_message);
criterion_main!(benches);
