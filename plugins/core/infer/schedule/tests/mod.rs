//! Batches in virtual time.

mod closing;
mod load;
mod random;
mod world;

use super::{Batcher, Config, Due, Frame, StreamId};
use crate::time::MediaTime;
use std::time::Duration;

const fn at(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const NEVER: MediaTime = MediaTime::from_nanos(u64::MAX);

fn config(max_batch: usize, delay: u64) -> Config {
    Config {
        max_batch,
        max_queue_delay: ms(delay),
        workers: 1,
        preferred: Vec::new(),
    }
}

fn batcher(max_batch: usize, delay: u64) -> Batcher<u64> {
    Batcher::new(config(max_batch, delay)).expect("a batch can be made")
}

/// A batcher with `streams` streams, each of which has sent frames every 40 ms until now, and the time of the last.
fn steady(streams: usize, mut batcher: Batcher<u64>) -> (Batcher<u64>, Vec<StreamId>, MediaTime) {
    let ids: Vec<StreamId> = (0..streams).map(|_| batcher.join(1)).collect();
    let mut frames = Vec::new();
    let mut now = at(0);
    for round in 0..30 {
        now = at(round * 40);
        for id in &ids {
            batcher.submit(*id, (0, 1), NEVER, now).expect("joined");
        }
        while batcher.next(now, &mut frames).is_some() {}
        assert_eq!(batcher.waiting(), 0);
    }
    (batcher, ids, now)
}
