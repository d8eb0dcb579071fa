//! How much free memory all depots of a process hold together.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that lie free in all depots, against the most that may. Lock-free: every depot tells it what comes and goes.
#[derive(Debug)]
pub struct Stock {
    pooled: AtomicU64,
    most: AtomicU64,
}

impl Stock {
    /// Nothing yet, of `most` bytes.
    pub const fn new(most: u64) -> Self {
        Self {
            pooled: AtomicU64::new(0),
            most: AtomicU64::new(most),
        }
    }

    /// From now on `most` bytes may lie free.
    pub fn set_most(&self, most: u64) {
        self.most.store(most, Ordering::SeqCst);
    }

    /// `bytes` lie free now. Told before anybody else can take them: the sum is never below zero.
    ///
    /// Sequentially consistent, as [`Self::pooled`]: whoever looks after free memory goes home only when it sees none, and
    /// whoever adds some afterwards sees that it has gone.
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
}
