//! The books on one element's pools and on the buffers that flow past it.

use crate::units::Ratio;

/// Why a pool made a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Ahead of time, to reach the pool's minimum.
    Ahead,
    /// Upstream wanted one and none was free.
    Now,
}

/// Counts what all pools of one element made, lent and took back, and what flowed past the element.
///
/// What counts up ends with [`Ledger::begin_run`]; what is held now (buffers lent, bytes) is a fact and stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ledger {
    made: u64,
    made_now: u64,
    acquired: u64,
    waits: u64,
    outstanding: u64,
    peak_outstanding: u64,
    pooled_bytes: u64,
    buffers: u64,
    bytes: u64,
    recycled: u64,
}

impl Ledger {
    /// A new run begins: all counters at zero, all holdings as they are.
    pub fn begin_run(&mut self) {
        *self = Self {
            outstanding: self.outstanding,
            peak_outstanding: self.outstanding,
            pooled_bytes: self.pooled_bytes,
            ..Self::default()
        };
    }

    /// A pool allocated a buffer of `bytes`.
    pub fn on_made(&mut self, bytes: u64, demand: Demand) {
        self.made += 1;
        self.made_now += u64::from(demand == Demand::Now);
        self.pooled_bytes += bytes;
    }

    /// A pool gave memory back to the system: `bytes` in all.
    pub fn on_freed(&mut self, bytes: u64) {
        self.pooled_bytes = self.pooled_bytes.saturating_sub(bytes);
    }

    /// A pool is at its maximum and upstream waits for a buffer.
    pub fn on_waited(&mut self) {
        self.waits += 1;
    }

    /// A pool lent a buffer to upstream.
    pub fn on_acquired(&mut self) {
        self.acquired += 1;
        self.outstanding += 1;
        self.peak_outstanding = self.peak_outstanding.max(self.outstanding);
    }

    /// A buffer came home.
    pub fn on_returned(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// A buffer of `bytes` flowed past the element; `recycled` where one of the element's pools lent it.
    pub fn on_passed(&mut self, bytes: u64, recycled: bool) {
        self.buffers += 1;
        self.bytes += bytes;
        self.recycled += u64::from(recycled);
    }

    /// Buffers allocated by the pools in this run.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Buffers lent without an allocation.
    pub fn reused(&self) -> u64 {
        self.acquired.saturating_sub(self.made_now)
    }

    /// Part of the lent buffers that needed no allocation.
    pub fn hit_ratio(&self) -> Ratio {
        Ratio::of(self.reused(), self.acquired)
    }

    /// How often upstream had to wait because a pool was at its maximum.
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// Buffers lent and not yet back.
    pub fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// The most buffers that were out at once in this run.
    pub fn peak_outstanding(&self) -> u64 {
        self.peak_outstanding
    }

    /// Bytes that the pools hold, lent or free.
    pub fn pooled_bytes(&self) -> u64 {
        self.pooled_bytes
    }

    /// Buffers that flowed past.
    pub fn buffers(&self) -> u64 {
        self.buffers
    }

    /// Bytes that flowed past.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Buffers that flowed past and came from our pools.
    pub fn recycled(&self) -> u64 {
        self.recycled
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lend_new(ledger: &mut Ledger, bytes: u64) {
        ledger.on_made(bytes, Demand::Now);
        ledger.on_acquired();
    }

    #[test]
    fn a_buffer_made_ahead_and_then_lent_counts_as_reused() {
        let mut ledger = Ledger::default();
        ledger.on_made(10, Demand::Ahead);
        ledger.on_acquired();
        lend_new(&mut ledger, 10);
        assert_eq!((ledger.made(), ledger.reused()), (2, 1));
        assert_eq!(ledger.hit_ratio(), Ratio::new(0.5));
    }

    #[test]
    fn the_peak_stays_when_buffers_come_home() {
        let mut ledger = Ledger::default();
        lend_new(&mut ledger, 10);
        lend_new(&mut ledger, 10);
        ledger.on_returned();
        ledger.on_returned();
        assert_eq!((ledger.outstanding(), ledger.peak_outstanding()), (0, 2));
        assert_eq!(ledger.pooled_bytes(), 20);
        ledger.on_freed(20);
        assert_eq!(ledger.pooled_bytes(), 0);
    }

    #[test]
    fn a_new_run_counts_from_zero_and_remembers_what_is_still_out() {
        let mut ledger = Ledger::default();
        lend_new(&mut ledger, 10);
        lend_new(&mut ledger, 10);
        ledger.on_returned();
        ledger.on_waited();
        ledger.on_passed(10, true);
        ledger.begin_run();
        assert_eq!((ledger.made(), ledger.reused(), ledger.waits()), (0, 0, 0));
        assert_eq!(
            (ledger.buffers(), ledger.bytes(), ledger.recycled()),
            (0, 0, 0)
        );
        assert_eq!((ledger.outstanding(), ledger.peak_outstanding()), (1, 1));
        assert_eq!(ledger.pooled_bytes(), 20);
        assert_eq!(ledger.hit_ratio(), Ratio::ZERO);
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
                        ledger.on_made(1, Demand::Now);
                    }
                    out += 1;
                    ledger.on_acquired();
                } else if out > 0 {
                    out -= 1;
                    free += 1;
                    ledger.on_returned();
                }
                prop_assert_eq!(ledger.outstanding(), out);
                prop_assert_eq!(ledger.pooled_bytes(), out + free);
                prop_assert!(ledger.peak_outstanding() >= out);
                prop_assert_eq!(ledger.made(), ledger.peak_outstanding());
            }
        }
    }
}
