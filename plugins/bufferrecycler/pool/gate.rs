//! The maximum of a pool, and the waiting at it.
//!
//! GstBufferPool can only be woken by making it useless. This gate stands in front of it and can also be opened for
//! good, so that a stream survives the removal of the element that offered the pool.

use std::sync::{Condvar, Mutex, PoisonError};

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
}

impl Inside {
    fn full(&self) -> bool {
        !self.open && self.limit != 0 && self.out >= self.limit
    }
}

/// The gate is full and the caller does not want to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Gate {
    pub(super) fn set_limit(&self, limit: u32) {
        lock(&self.inside).limit = limit;
        self.room.notify_all();
    }

    /// One buffer more is out. Waits for room; `before_waiting` is called once, without any lock held.
    pub(super) fn enter(&self, may_wait: bool, before_waiting: impl FnOnce()) -> Result<(), Full> {
        let mut inside = lock(&self.inside);
        if inside.full() && !inside.flushing {
            if !may_wait {
                return Err(Full);
            }
            drop(inside);
            before_waiting();
            inside = lock(&self.inside);
            while inside.full() && !inside.flushing {
                inside = self
                    .room
                    .wait(inside)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        inside.out += 1;
        Ok(())
    }

    /// One buffer less is out.
    pub(super) fn leave(&self) {
        let mut inside = lock(&self.inside);
        inside.out = inside.out.saturating_sub(1);
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
