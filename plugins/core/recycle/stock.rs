//! How much free memory all depots of a process hold together, and whether somebody looks after it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes that lie free in all depots, against the most that may; and whether a keeper is there who gives back what lay
/// for too long. Lock-free: every depot tells it what comes and goes.
///
/// All is sequentially consistent. Who adds memory looks for a keeper afterwards, and a keeper who leaves looks for memory
/// afterwards: one of them sees the other, so that no memory stays without a keeper.
#[derive(Debug)]
pub struct Stock {
    pooled: AtomicU64,
    most: AtomicU64,
    kept: AtomicBool,
}

impl Stock {
    /// Nothing yet, of `most` bytes.
    pub const fn new(most: u64) -> Self {
        Self {
            pooled: AtomicU64::new(0),
            most: AtomicU64::new(most),
            kept: AtomicBool::new(false),
        }
    }

    /// From now on `most` bytes may lie free.
    pub fn set_most(&self, most: u64) {
        self.most.store(most, Ordering::SeqCst);
    }

    /// `bytes` lie free now. To be told before anybody else can take them: the sum is never below zero.
    pub fn on_put(&self, bytes: u64) {
        self.pooled.fetch_add(bytes, Ordering::SeqCst);
    }

    /// `bytes` do not lie free any more.
    pub fn on_taken(&self, bytes: u64) {
        self.pooled.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// Bytes that lie free.
    pub fn pooled(&self) -> u64 {
        self.pooled.load(Ordering::SeqCst)
    }

    /// Bytes that may lie free in addition.
    pub fn room(&self) -> u64 {
        let most = self.most.load(Ordering::SeqCst);
        most.saturating_sub(self.pooled())
    }

    /// Whether more lies free than may.
    pub fn is_over(&self) -> bool {
        self.pooled() > self.most.load(Ordering::SeqCst)
    }

    /// Memory was added: whether the caller has to bring a keeper, because none is there. To one caller it says so.
    pub fn needs_keeper(&self) -> bool {
        !self.kept.load(Ordering::SeqCst) && !self.kept.swap(true, Ordering::SeqCst)
    }

    /// The keeper who was to come does not.
    pub fn on_no_keeper(&self) {
        self.kept.store(false, Ordering::SeqCst);
    }

    /// The keeper has found nothing: whether it leaves. Where memory came meanwhile and nobody else looks after it, it
    /// stays.
    pub fn keeper_leaves(&self) -> bool {
        self.kept.store(false, Ordering::SeqCst);
        self.pooled() == 0 || !self.needs_keeper()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn it_is_over_when_more_lies_free_than_may() {
        let stock = Stock::new(10);
        stock.on_put(7);
        assert_eq!(stock.room(), 3);
        stock.on_put(3);
        assert!(!stock.is_over());
        stock.on_put(1);
        assert!(stock.is_over());
        assert_eq!(stock.room(), 0);
        stock.on_taken(1);
        assert!(!stock.is_over());
        stock.set_most(9);
        assert!(stock.is_over());
    }

    #[test]
    fn what_several_threads_put_and_take_adds_up() {
        let stock = Stock::new(u64::MAX);
        thread::scope(|scope| {
            for bytes in 1..=4 {
                let stock = &stock;
                scope.spawn(move || {
                    for _ in 0..100 {
                        stock.on_put(2 * bytes);
                        assert!(stock.pooled() >= bytes);
                        stock.on_taken(bytes);
                    }
                });
            }
        });
        assert_eq!(stock.pooled(), 100 * (1 + 2 + 3 + 4));
    }

    /// Does what a keeper does, until it may leave.
    fn keep(stock: &Stock, keepers: &AtomicU64) {
        assert_eq!(keepers.fetch_add(1, Ordering::SeqCst), 0, "two keepers");
        loop {
            let all = stock.pooled();
            stock.on_taken(all);
            // Another may come as soon as this one has gone.
            keepers.fetch_sub(1, Ordering::SeqCst);
            if all == 0 && stock.keeper_leaves() {
                return;
            }
            keepers.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn no_memory_stays_without_a_keeper() {
        let rounds = if cfg!(miri) { 2 } else { 50 };
        for _ in 0..rounds {
            let (stock, keepers) = (Stock::new(u64::MAX), AtomicU64::new(0));
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for _ in 0..4 {
                            stock.on_put(1);
                            if stock.needs_keeper() {
                                scope.spawn(|| keep(&stock, &keepers));
                            }
                        }
                    });
                }
            });
            // All threads have ended: what came last found a keeper, or brought one.
            assert_eq!(stock.pooled(), 0);
            assert!(stock.needs_keeper(), "a keeper that is not there");
        }
    }

    #[test]
    fn one_keeper_is_enough_and_one_that_does_not_come_is_asked_for_again() {
        let stock = Stock::new(10);
        stock.on_put(1);
        assert!(stock.needs_keeper());
        assert!(!stock.needs_keeper());
        assert!(!stock.keeper_leaves(), "there is memory");
        stock.on_taken(1);
        assert!(stock.keeper_leaves());
        assert!(stock.needs_keeper());
        stock.on_no_keeper();
        assert!(stock.needs_keeper());
    }
}
