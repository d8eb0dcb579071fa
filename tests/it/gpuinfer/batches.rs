//! What deciding on batches takes from the heap.

use std::time::Duration;

use livetune_core::infer::{Batcher, Config, StreamId};
use livetune_core::time::MediaTime;

use crate::support::allocations::Tally;

const STREAMS: usize = 16;

fn config(max_batch: usize) -> Config {
    Config {
        max_batch,
        max_queue_delay: Duration::from_millis(5),
        workers: 2,
        preferred: vec![1, max_batch],
    }
}

/// A frame of each stream comes; `batches` of them are served.
fn round(batcher: &mut Batcher<[u64; 4]>, streams: &[StreamId], batches: u64, now: MediaTime) {
    let mut frames = Vec::new();
    for stream in streams {
        let deadline = now.after(Duration::from_millis(90));
        let sent = batcher.submit(*stream, ([1; 4], 1), deadline, now);
        assert!(sent.is_ok());
    }
    // Room for what comes back is the caller's.
    Tally::leave();
    frames.reserve(STREAMS);
    TALLY.with(|tally| tally.join());
    for _ in 0..batches {
        batcher.next(now, &mut frames);
        batcher.on_batch(frames.len(), Duration::from_millis(7));
        frames.clear();
    }
}

thread_local! {
    static TALLY: &'static Tally = Tally::new();
}

#[test]
fn a_frame_asks_for_no_memory() {
    for (max_batch, batches) in [(1, STREAMS as u64), (1, 2), (32, 1)] {
        let mut batcher = Batcher::new(config(max_batch)).unwrap();
        let streams: Vec<StreamId> = (0..STREAMS).map(|_| batcher.join(1)).collect();
        let at = |round: u64| MediaTime::from_millis(round * 40);
        let tally = TALLY.with(|tally| *tally);
        (0..100).for_each(|now| round(&mut batcher, &streams, batches, at(now)));
        let before = tally.allocations();
        (100..1100).for_each(|now| round(&mut batcher, &streams, batches, at(now)));
        Tally::leave();
        assert_eq!(tally.allocations(), before, "batches of {max_batch}");
    }
}
