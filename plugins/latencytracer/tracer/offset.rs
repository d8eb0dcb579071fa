//! The time of a hook on the monotonic clock.
//!
//! Hooks say how long ago GStreamer was started, by the same clock, and nobody says when that was. Each look at the
//! clock in a hook is a little later than the hook's own: the smallest difference seen is the nearest.

use std::sync::atomic::{AtomicU64, Ordering};

use livetune_core::time::MediaTime;

use crate::runtime::clock;

/// How many looks at the clock are enough.
const ENOUGH: u64 = 32;

#[derive(Debug)]
pub(super) struct Offset {
    nanos: AtomicU64,
    looks: AtomicU64,
}

impl Default for Offset {
    fn default() -> Self {
        Self {
            nanos: AtomicU64::new(u64::MAX),
            looks: AtomicU64::new(0),
        }
    }
}

impl Offset {
    /// `hook` as a time of the monotonic clock.
    #[inline]
    pub(super) fn apply(&self, hook: u64) -> MediaTime {
        if self.looks.load(Ordering::Relaxed) < ENOUGH {
            self.look(hook);
        }
        MediaTime::from_nanos(hook.wrapping_add(self.nanos.load(Ordering::Relaxed)))
    }

    #[cold]
    pub(super) fn look(&self, hook: u64) {
        let difference = clock::monotonic().as_nanos().wrapping_sub(hook);
        self.nanos.fetch_min(difference, Ordering::Relaxed);
        self.looks.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_look_counts() {
        gst::init().expect("GStreamer starts");
        let offset = Offset::default();
        let start = clock::monotonic().as_nanos();
        for _ in 0..ENOUGH {
            offset.look(clock::monotonic().as_nanos() - start);
        }
        let hook = clock::monotonic().as_nanos() - start;
        let told = offset.apply(hook).as_nanos();
        assert!(told >= start + hook, "a look is never early");
        assert!(told - (start + hook) < 100_000, "{told}");
    }
}
