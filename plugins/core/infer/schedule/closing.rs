//! When a batch closes.

use super::batcher::{Batcher, Stream};
use crate::time::MediaTime;

/// Why a batch closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It has as many pictures as go into the network.
    Full,
    /// A stream ended, and its last frame is in it.
    Ended,
    /// Every stream whose frame could have come in time has one in it.
    Complete,
    /// Its earliest deadline leaves just the time that such a batch takes.
    Deadline,
    /// Its oldest frame has waited long enough.
    Delay,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Full,
        Self::Ended,
        Self::Complete,
        Self::Deadline,
        Self::Delay,
    ];
}

/// When the next batch closes, if nothing happens until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At once.
    Now(Reason),
    /// Then.
    At(MediaTime),
    /// There is nothing to do.
    Never,
}

/// A batch that closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Why.
    pub reason: Reason,
    /// Pictures in it.
    pub weight: usize,
    /// Pictures that it is padded to.
    pub padded: usize,
}

impl<J> Batcher<J> {
    /// When there is something to do for a worker that is free.
    pub fn due(&self, now: MediaTime) -> Due {
        if self.weight == 0 {
            return Due::Never;
        }
        if self.weight >= self.config.max_batch {
            return Due::Now(Reason::Full);
        }
        let streams = || self.streams.iter().flatten();
        let waiting = || streams().filter(|stream| !stream.waiting.is_empty());
        if waiting().any(|stream| stream.ended) {
            return Due::Now(Reason::Ended);
        }
        let cost = self.costs.p95(self.padded(self.weight));
        let since = waiting().map(|stream| stream.since).min();
        let deadline = waiting().filter_map(Stream::deadline).min();
        let (Some(since), Some(deadline)) = (since, deadline) else {
            return Due::Never;
        };
        let enough = since.after(self.config.max_queue_delay);
        let latest = deadline.before(cost);
        let limit = enough.min(latest);
        let awaited = streams()
            .filter(|stream| stream.waiting.is_empty())
            .filter_map(|stream| stream.cadence.awaited_until(limit, now))
            .max();
        match awaited {
            None => Due::Now(Reason::Complete),
            Some(_) if latest <= now => Due::Now(Reason::Deadline),
            Some(_) if enough <= now => Due::Now(Reason::Delay),
            Some(silent) => Due::At(limit.min(silent)),
        }
    }

    /// When to ask for a batch again, where nothing happens before.
    pub fn next_wakeup(&self, now: MediaTime) -> Option<MediaTime> {
        match self.due(now) {
            Due::Now(_) => Some(now),
            Due::At(time) => Some(time),
            Due::Never => None,
        }
    }
}
