//! A measured point that can be told from all others there ever were.

use std::sync::atomic::{AtomicU64, Ordering};

use livetune_core::latency::{Mark, Point};
use livetune_core::time::MediaTime;

#[derive(Debug)]
pub(super) struct Numbered {
    id: u64,
    pub(super) point: Point,
}

impl Default for Numbered {
    fn default() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            id: LAST.fetch_add(1, Ordering::Relaxed),
            point: Point::default(),
        }
    }
}

impl Numbered {
    /// What was measured until `now`; where it is `over`, what has not come counts as lost.
    pub(super) fn mark(&mut self, over: bool, now: MediaTime) -> (u64, Mark) {
        if over {
            // No interval is open: marks say what came in between.
            let _ = self.point.on_end(now);
        }
        (self.id, self.point.mark(now))
    }
}
