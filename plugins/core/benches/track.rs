//! What following objects costs per frame.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::infer::{Area, Detection, Tracker};
use livetune_core::time::MediaTime;

/// `count` objects in rows, which all walk to the right.
fn objects(count: usize, frame: u64) -> Vec<Detection> {
    let moved = (frame % 50) as f32;
    let place = |at: usize| (60.0 * (at % 30) as f32 + moved, 100.0 * (at / 30) as f32);
    (0..count)
        .map(|at| {
            let (x, y) = place(at);
            Detection {
                area: Area::around(x, y, 50.0, 90.0),
                class: 0,
                confidence: 0.8,
            }
        })
        .collect()
}

fn track(criterion: &mut Criterion) {
    for count in [5, 30, 300] {
        let frames: Vec<_> = (0..50).map(|frame| objects(count, frame)).collect();
        let mut tracker = Tracker::default();
        let mut frame = 0_u64;
        criterion.bench_function(&format!("infer/track {count} objects"), |bencher| {
            bencher.iter(|| {
                frame += 1;
                let now = MediaTime::ZERO.after(Duration::from_millis(40 * frame));
                let found = black_box(&frames[(frame % 50) as usize]);
                tracker.on_detections(found, 0.5, now).len()
            });
        });
    }
}

criterion_group!(benches, track);
criterion_main!(benches);
