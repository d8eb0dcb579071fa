//! The buffers of a pool: how many there are, how many of them are out, and how many are too many.

use std::time::Duration;

use livetune_core::recycle::Demand;
use livetune_core::time::MediaTime;

/// The buffers that exist, lent or free.
#[derive(Debug)]
pub(super) struct Holdings {
    pub(super) count: u64,
    pub(super) bytes_each: u64,
    /// The pool fills up to its minimum: buffers go in that were never lent.
    pub(super) filling: bool,
    /// Buffers that stay, whether they are needed or not.
    min: u64,
    out: u64,
    most_free: u64,
    demand: Demand,
    /// Nothing is ever too much.
    keeps: bool,
}

impl Default for Holdings {
    fn default() -> Self {
        Self {
            count: 0,
            bytes_each: 0,
            filling: false,
            min: 0,
            out: 0,
            most_free: u64::MAX,
            demand: Demand::new(Duration::ZERO),
            keeps: true,
        }
    }
}

impl Holdings {
    /// Buffers that nobody needed for `window` are too many (zero: never), and those that lie free beyond `most_free`
    /// bytes.
    pub(super) fn plan(&mut self, window: Duration, most_free: u64) {
        self.demand = Demand::new(window);
        self.keeps = window.is_zero();
        self.most_free = most_free;
    }

    pub(super) fn set_min(&mut self, min: u32) {
        self.min = min.into();
    }

    pub(super) fn on_lent(&mut self, now: MediaTime) {
        self.out += 1;
        self.note(now);
    }

    pub(super) fn on_returned(&mut self, now: MediaTime) {
        self.out = self.out.saturating_sub(1);
        self.note(now);
    }

    /// Free buffers that are too many. One of which it is not known yet whether it goes back is not counted as free.
    pub(super) fn excess(&mut self, now: MediaTime) -> u64 {
        let free = self.count.saturating_sub(self.out);
        let beyond = free.saturating_sub(self.most_free / self.bytes_each.max(1));
        let needed = u64::from(self.demand.most(now)).max(self.min);
        let unneeded = if self.keeps {
            0
        } else {
            self.count.saturating_sub(needed)
        };
        let spare = self.count.saturating_sub(self.min);
        unneeded.max(beyond).min(free).min(spare)
    }

    fn note(&mut self, now: MediaTime) {
        let out = u32::try_from(self.out).unwrap_or(u32::MAX);
        self.demand.on_outstanding(out, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(100_000 + millis)
    }

    /// Ten buffers, all of which were out at the beginning and came home.
    fn after_a_stall(min: u32, most_free: u64) -> Holdings {
        let mut holdings = Holdings::default();
        holdings.plan(Duration::from_secs(2), most_free);
        holdings.set_min(min);
        holdings.bytes_each = 100;
        for _ in 0..10 {
            holdings.count += 1;
            holdings.on_lent(at(0));
        }
        for _ in 0..10 {
            holdings.on_returned(at(10));
        }
        holdings
    }

    #[test]
    fn what_was_needed_lately_stays() {
        let mut holdings = after_a_stall(0, u64::MAX);
        assert_eq!(holdings.excess(at(1_000)), 0);
        assert_eq!(holdings.excess(at(3_000)), 10);
        holdings.on_lent(at(3_100));
        assert_eq!(holdings.excess(at(3_200)), 9);
    }

    #[test]
    fn the_minimum_stays() {
        assert_eq!(after_a_stall(4, u64::MAX).excess(at(3_000)), 6);
        assert_eq!(after_a_stall(4, 0).excess(at(3_000)), 6);
    }

    #[test]
    fn what_lies_free_beyond_the_limit_goes_at_once() {
        assert_eq!(after_a_stall(0, 300).excess(at(20)), 7);
        assert_eq!(after_a_stall(0, 0).excess(at(20)), 10);
    }

    #[test]
    fn without_a_window_nothing_goes_but_by_the_limit() {
        let mut holdings = after_a_stall(0, u64::MAX);
        holdings.plan(Duration::ZERO, u64::MAX);
        assert_eq!(holdings.excess(at(3_600_000)), 0);
    }
}
