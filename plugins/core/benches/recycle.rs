//! What the books and the answers of the buffer recycler cost.
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::recycle::{Config, Downstream, Ledger, Origin, Request, Sizing};
use livetune_core::time::MediaTime;

fn per_buffer(c: &mut Criterion) {
    let mut ledger = Ledger::default();
    c.bench_function("recycle/passed", |b| {
        b.iter(|| ledger.on_passed(black_box(3_110_400), black_box(Origin::Ours)));
    });
    c.bench_function("recycle/lent and returned", |b| {
        b.iter(|| {
            black_box(&mut ledger).on_acquired(1, MediaTime::ZERO);
            black_box(&mut ledger).on_returned(1);
        });
    });
    let Ok(sizing) = Sizing::new(Config::default()) else {
        return;
    };
    let request = Request {
        wants_pool: true,
        frame_size: Some(3_110_400),
        largest_size: None,
        downstream: Downstream::Nothing,
    };
    c.bench_function("recycle/answer", |b| {
        b.iter(|| sizing.answer(black_box(&request)));
    });
}

criterion_group!(benches, per_buffer);
criterion_main!(benches);
