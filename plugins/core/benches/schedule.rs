//! What deciding on batches costs per frame: submission, decision and measurement, with nothing in the network.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use livetune_core::infer::{Batcher, Config, CostModel, StreamId};
use livetune_core::time::MediaTime;

fn batcher(max_batch: usize, streams: usize) -> (Batcher<u64>, Vec<StreamId>) {
    let config = Config {
        max_batch,
        max_queue_delay: Duration::from_millis(5),
        workers: 2,
        preferred: vec![1],
    };
    let mut batcher = Batcher::new(config).expect("a batch can be made");
    let ids = (0..streams).map(|_| batcher.join(1)).collect();
    for size in 1..=max_batch {
        let millis = 4 + size as u64;
        batcher.on_batch(size, Duration::from_millis(millis));
    }
    (batcher, ids)
}

/// One frame of each stream comes, and all are served.
fn round(batcher: &mut Batcher<u64>, ids: &[StreamId], now: MediaTime) -> usize {
    let deadline = now.after(Duration::from_millis(80));
    for id in ids {
        let sent = batcher.submit(*id, (7, 1), deadline, now);
        black_box(sent.is_ok());
    }
    let mut served = 0;
    let mut frames = Vec::with_capacity(64);
    while let Some(batch) = batcher.next(now, &mut frames) {
        batcher.on_batch(batch.weight, Duration::from_millis(6));
        served += frames.len();
        frames.clear();
    }
    served
}

fn rounds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("schedule");
    for (max_batch, streams) in [(1, 1), (1, 16), (32, 32), (32, 128)] {
        let (mut batcher, ids) = batcher(max_batch, streams);
        let mut now = MediaTime::ZERO;
        group.throughput(Throughput::Elements(streams as u64));
        group.bench_function(
            format!("{streams} streams, batches of {max_batch}"),
            |bencher| {
                bencher.iter(|| {
                    now = now.after(Duration::from_millis(40));
                    round(&mut batcher, &ids, now)
                });
            },
        );
    }
    group.finish();
}

fn overload(criterion: &mut Criterion) {
    let (mut batcher, ids) = batcher(1, 16);
    let mut now = MediaTime::ZERO;
    let mut frames = Vec::with_capacity(4);
    let mut group = criterion.benchmark_group("schedule");
    group.throughput(Throughput::Elements(16));
    group.bench_function(
        "16 streams at overload, two of their frames served",
        |bencher| {
            bencher.iter(|| {
                now = now.after(Duration::from_millis(33));
                let deadline = now.after(Duration::from_millis(80));
                for id in &ids {
                    let sent = batcher.submit(*id, (7, 1), deadline, now);
                    black_box(sent.is_ok());
                }
                for _ in 0..2 {
                    black_box(batcher.next(now, &mut frames));
                    frames.clear();
                }
            });
        },
    );
    group.finish();
}

fn costs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("schedule");
    group.bench_function("a measured batch of 32 sizes", |bencher| {
        let costs = CostModel::new(32);
        bencher.iter_batched_ref(
            || costs.clone(),
            |costs| costs.on_batch(black_box(8), Duration::from_millis(9)),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, rounds, overload, costs);
criterion_main!(benches);
