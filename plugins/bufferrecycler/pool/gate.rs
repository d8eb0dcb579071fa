//! The maximum of a pool, and the waiting at it.
//!
//! GstBufferPool can only be woken by making it useless, and waits for ever. This gate stands in front of it: it waits
//! for a while only, and can be opened for good, so that a stream survives the removal of the element that offered the
//! pool.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::runtime::clock;
use crate::runtime::lock::lock;

#[derive(Debug, Default)]
pub(super) struct Gate {
    inside: Mutex<Inside>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    /// Buffers that may be out at once; 0 = no limit.
    limit: u32,
    out: u32,
    flushing: bool,
    open: bool,
    /// Somebody waited in vain, and no buffer has come home since.
    given_up: bool,
}

impl Inside {
    fn full(&self) -> bool {
        !self.open && self.limit != 0 && self.out >= self.limit
    }
}

/// The gate is full and the caller does not want to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// A buffer more is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// There was room.
    Within,
    /// There was none, for as long as one waits.
    Beyond {
        /// How many may be out.
        limit: u32,
        /// Nobody found that before, since there was room.
        first: bool,
    },
}

impl Gate {
    pub(super) fn set_limit(&self, limit: u32) {
        lock(&self.inside).limit = limit;
        self.room.notify_all();
    }

    /// One buffer more is out. Waits for room as long as `patience` says, once until there was room again; without
    /// patience the answer is [`Full`]. `before_waiting` is called once, without any lock held.
    pub(super) fn enter(
        &self,
        patience: Option<Duration>,
        before_waiting: impl FnOnce(),
    ) -> Result<Entered, Full> {
        let mut inside = lock(&self.inside);
        let mut first = false;
        if inside.full() && !inside.flushing {
            let Some(patience) = patience else {
                return Err(Full);
            };
            if !inside.given_up {
                drop(inside);
                before_waiting();
                inside = self.wait(patience);
                first = inside.full() && !inside.flushing && !inside.given_up;
                inside.given_up |= first;
            }
        }
        let beyond = inside.full() && !inside.flushing;
        inside.out += 1;
        if !beyond {
            return Ok(Entered::Within);
        }
        let limit = inside.limit;
        Ok(Entered::Beyond { limit, first })
    }

    /// Returns with the lock when there is room, or after `patience`.
    fn wait(&self, patience: Duration) -> std::sync::MutexGuard<'_, Inside> {
        let end = clock::monotonic().after(patience);
        let mut inside = lock(&self.inside);
        while inside.full() && !inside.flushing && !inside.given_up {
            let left = end.since(clock::monotonic());
            if left.is_zero() {
                break;
            }
            let waited = self.room.wait_timeout(inside, left);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inside
    }

    /// One buffer less is out.
    pub(super) fn leave(&self) {
        let mut inside = lock(&self.inside);
        inside.out = inside.out.saturating_sub(1);
        inside.given_up &= inside.full();
        drop(inside);
        self.room.notify_one();
    }

    /// Whoever waits gives up for as long as this holds.
    pub(super) fn set_flushing(&self, flushing: bool) {
        lock(&self.inside).flushing = flushing;
        self.room.notify_all();
    }

    /// No limit from now on.
    pub(super) fn open(&self) {
        lock(&self.inside).open = true;
        self.room.notify_all();
    }
}
