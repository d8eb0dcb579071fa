//! The books on one element's pools and on the buffers that flow past it.

use std::time::Duration;

use super::loans::{Loans, Overdue};
use crate::time::MediaTime;
use crate::units::Ratio;

/// Why a pool allocated a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Ahead of time, to reach the pool's minimum.
    Ahead,
    /// Upstream wanted one and none was free.
    Miss,
}

/// Where the memory of a buffer that passes comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From one of our pools.
    Ours,
    /// From a pool of upstream's own.
    UpstreamPool,
    /// From a device; it is not looked at.
    Device,
    /// Allocated for this buffer.
    Fresh,
}

/// Counts what all pools of one element allocated, lent and took back, and what flowed past the element.
///
/// What counts up ends with [`Ledger::begin_run`]; what is held now (buffers lent, bytes) is a fact and stays.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    counts: Counts,
    /// Buffers of our pools that are out.
    lent: Loans,
    /// Buffers of upstream's own pool that are held downstream, as far as they are counted.
    held: Loans,
    peak_outstanding: u64,
    pooled_bytes: u64,
}

/// What begins at zero with every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Buffers allocated by the pools.
    pub allocations: u64,
    /// Of these, how many because none was free.
    pub misses: u64,
    /// Buffers lent.
    pub acquired: u64,
    /// How often upstream had to wait because a pool was at its maximum.
    pub waits: u64,
    /// How often it waited in vain.
    pub timeouts: u64,
    /// How often upstream's own pool ran low.
    pub low: u64,
    /// Bytes that pools gave back because nobody needed them any more.
    pub trimmed_bytes: u64,
    /// Frames copied so that upstream has its buffer back.
    pub copies: u64,
    /// Their bytes.
    pub copied_bytes: u64,
    /// Frames dropped because a pool was at its maximum.
    pub drops: u64,
    /// Buffers that flowed past.
    pub buffers: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them came from our pools.
    pub recycled: u64,
    /// How many of them came from a pool of upstream.
    pub upstream_pooled: u64,
    /// How many of them lay in memory of a device.
    pub device: u64,
    /// How many of them were allocated for themselves.
    pub fresh: u64,
    /// Page faults of the process in the run; known at its end.
    pub page_faults: u64,
}

impl Counts {
    /// Buffers lent without an allocation.
    pub fn hits(&self) -> u64 {
        self.acquired.saturating_sub(self.misses)
    }

    /// Part of the lent buffers that needed no allocation.
    pub fn hit_ratio(&self) -> Ratio {
        Ratio::of(self.hits(), self.acquired)
    }

    /// How often upstream ran out of buffers, or nearly so: ours or its own.
    pub fn starvations(&self) -> u64 {
        self.waits + self.low
    }
}

impl Ledger {
    /// A new run begins: all counters at zero, all holdings as they are.
    pub fn begin_run(&mut self) {
        self.counts = Counts::default();
        self.peak_outstanding = self.lent.outstanding();
    }

    /// The run ended; the process had so many page faults in it.
    pub fn end_run(&mut self, page_faults: u64) {
        self.counts.page_faults = page_faults;
    }

    /// A pool allocated a buffer of `bytes`.
    pub fn on_made(&mut self, bytes: u64, cause: Cause) {
        self.counts.allocations += 1;
        self.counts.misses += u64::from(cause == Cause::Miss);
        self.pooled_bytes += bytes;
    }

    /// A pool gave memory back: `bytes` in all.
    pub fn on_freed(&mut self, bytes: u64) {
        self.pooled_bytes = self.pooled_bytes.saturating_sub(bytes);
    }

    /// A pool is about to give `bytes` back because nobody needed them lately.
    pub fn on_trimmed(&mut self, bytes: u64) {
        self.counts.trimmed_bytes += bytes;
    }

    /// A pool is at its maximum and upstream waits for a buffer.
    pub fn on_waited(&mut self) {
        self.counts.waits += 1;
    }

    /// Upstream waited in vain.
    pub fn on_timeout(&mut self) {
        self.counts.timeouts += 1;
    }

    /// A pool lent the buffer `key` to upstream.
    pub fn on_acquired(&mut self, key: u64, now: MediaTime) {
        self.counts.acquired += 1;
        self.lent.on_lent(key, now);
        self.peak_outstanding = self.peak_outstanding.max(self.lent.outstanding());
    }

    /// The buffer `key` came home.
    pub fn on_returned(&mut self, key: u64) {
        self.lent.on_returned(key);
    }

    /// The buffer `key` of upstream's own pool goes downstream.
    pub fn on_held(&mut self, key: u64, now: MediaTime) {
        self.held.on_lent(key, now);
    }

    /// Nobody downstream holds the buffer `key` of upstream's own pool any more.
    pub fn on_let_go(&mut self, key: u64) {
        self.held.on_returned(key);
    }

    /// Upstream's own pool ran low.
    pub fn on_low(&mut self) {
        self.counts.low += 1;
    }

    /// A frame of `bytes` was copied so that upstream has its buffer back.
    pub fn on_copied(&mut self, bytes: u64) {
        self.counts.copies += 1;
        self.counts.copied_bytes += bytes;
    }

    /// A frame was dropped because a pool was at its maximum.
    pub fn on_dropped(&mut self) {
        self.counts.drops += 1;
    }

    /// A buffer of `bytes` came, whose memory is of `origin`.
    pub fn on_passed(&mut self, bytes: u64, origin: Origin) {
        let counts = &mut self.counts;
        counts.buffers += 1;
        counts.bytes += bytes;
        match origin {
            Origin::Ours => counts.recycled += 1,
            Origin::UpstreamPool => counts.upstream_pooled += 1,
            Origin::Device => counts.device += 1,
            Origin::Fresh => counts.fresh += 1,
        }
    }

    /// What was counted in this run.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Buffers of our pools that are out.
    pub fn outstanding(&self) -> u64 {
        self.lent.outstanding()
    }

    /// The most of them that were out at once in this run.
    pub fn peak_outstanding(&self) -> u64 {
        self.peak_outstanding
    }

    /// Buffers of upstream's own pool that are held downstream, as far as they are counted.
    pub fn held(&self) -> u64 {
        self.held.outstanding()
    }

    /// For how long the oldest of all buffers is out.
    pub fn oldest(&self, now: MediaTime) -> Duration {
        self.lent.oldest(now).max(self.held.oldest(now))
    }

    /// Buffers that are out for longer than `limit`, where any is new among them.
    pub fn overdue(&mut self, limit: Duration, now: MediaTime) -> Option<Overdue> {
        let (lent, held) = (self.lent.overdue(limit, now), self.held.overdue(limit, now));
        match (lent, held) {
            (Some(a), Some(b)) => Some(Overdue {
                count: a.count + b.count,
                oldest: a.oldest.max(b.oldest),
            }),
            (a, b) => a.or(b),
        }
    }

    /// Bytes that the pools hold, lent or free.
    pub fn pooled_bytes(&self) -> u64 {
        self.pooled_bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: MediaTime = MediaTime::from_millis(5);

    fn lend_new(ledger: &mut Ledger, key: u64) {
        ledger.on_made(10, Cause::Miss);
        ledger.on_acquired(key, NOW);
    }

    #[test]
    fn a_buffer_made_ahead_and_then_lent_is_a_hit() {
        let mut ledger = Ledger::default();
        ledger.on_made(10, Cause::Ahead);
        ledger.on_acquired(1, NOW);
        lend_new(&mut ledger, 2);
        let counts = ledger.counts();
        assert_eq!(
            (counts.allocations, counts.hits(), counts.misses),
            (2, 1, 1)
        );
        assert_eq!(counts.hit_ratio(), Ratio::new(0.5));
    }

    #[test]
    fn the_peak_stays_when_buffers_come_home() {
        let mut ledger = Ledger::default();
        lend_new(&mut ledger, 1);
        lend_new(&mut ledger, 2);
        ledger.on_returned(2);
        ledger.on_returned(1);
        assert_eq!((ledger.outstanding(), ledger.peak_outstanding()), (0, 2));
        assert_eq!(ledger.pooled_bytes(), 20);
        ledger.on_freed(20);
        assert_eq!(ledger.pooled_bytes(), 0);
    }

    #[test]
    fn a_new_run_counts_from_zero_and_remembers_what_is_still_out() {
        let mut ledger = Ledger::default();
        lend_new(&mut ledger, 1);
        lend_new(&mut ledger, 2);
        ledger.on_returned(1);
        ledger.on_waited();
        ledger.on_passed(10, Origin::Ours);
        ledger.on_copied(10);
        ledger.begin_run();
        assert_eq!(ledger.counts(), Counts::default());
        assert_eq!((ledger.outstanding(), ledger.peak_outstanding()), (1, 1));
        assert_eq!(ledger.pooled_bytes(), 20);
        assert_eq!(ledger.counts().hit_ratio(), Ratio::ZERO);
    }

    #[test]
    fn the_oldest_may_be_ours_or_upstreams() {
        let mut ledger = Ledger::default();
        ledger.on_held(1, MediaTime::from_millis(1));
        ledger.on_acquired(2, MediaTime::from_millis(4));
        let now = MediaTime::from_millis(10);
        assert_eq!(ledger.oldest(now), Duration::from_millis(9));
        let overdue = ledger.overdue(Duration::from_millis(5), now);
        assert_eq!(overdue.map(|overdue| overdue.count), Some(2));
        ledger.on_let_go(1);
        assert_eq!(
            (ledger.held(), ledger.oldest(now)),
            (0, Duration::from_millis(6))
        );
    }

    #[test]
    fn each_buffer_that_passes_has_one_origin() {
        let mut ledger = Ledger::default();
        for origin in [
            Origin::Ours,
            Origin::UpstreamPool,
            Origin::Device,
            Origin::Fresh,
        ] {
            ledger.on_passed(7, origin);
        }
        let counts = ledger.counts();
        assert_eq!((counts.buffers, counts.bytes), (4, 28));
        let each = [
            counts.recycled,
            counts.upstream_pooled,
            counts.device,
            counts.fresh,
        ];
        assert_eq!(each, [1; 4]);
    }

    proptest! {
        #[test]
        fn a_real_pool_never_makes_the_books_lie(steps in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut ledger = Ledger::default();
            let (mut free, mut out) = (0_u64, 0_u64);
            for lend in steps {
                if lend {
                    if free > 0 {
                        free -= 1;
                    } else {
                        ledger.on_made(1, Cause::Miss);
                    }
                    out += 1;
                    ledger.on_acquired(out, NOW);
                } else if out > 0 {
                    ledger.on_returned(out);
                    out -= 1;
                    free += 1;
                }
                prop_assert_eq!(ledger.outstanding(), out);
                prop_assert_eq!(ledger.pooled_bytes(), out + free);
                prop_assert!(ledger.peak_outstanding() >= out);
                prop_assert_eq!(ledger.counts().allocations, ledger.peak_outstanding());
            }
        }
    }
}
