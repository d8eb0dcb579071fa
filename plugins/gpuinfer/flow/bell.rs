//! Wakes whoever waits in the element: something happened.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::runtime::lock::lock;

/// Rung when something happened. Whoever is to wait first looks how often it rang, then looks at what there is to do,
/// and then waits for it to ring once more: nothing that happens in between is missed.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    /// How often it rang.
    pub(super) fn rung(&self) -> u64 {
        *lock(&self.rung)
    }

    pub(super) fn ring(&self) {
        *lock(&self.rung) += 1;
        self.changed.notify_all();
    }

    /// Returns when it has rung more often than `seen`, or when `limit` has passed.
    pub(super) fn wait(&self, seen: u64, limit: Option<Duration>) {
        let rung = lock(&self.rung);
        let quiet = |rung: &mut u64| *rung == seen;
        let guard = match limit {
            Some(limit) => {
                let woken = self.changed.wait_timeout_while(rung, limit, quiet);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let woken = self.changed.wait_while(rung, quiet);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
        };
        drop(guard);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_ring_before_the_waiting_is_not_missed() {
        let bell = Arc::new(Bell::default());
        let seen = bell.rung();
        let other = bell.clone();
        let ringer = std::thread::spawn(move || other.ring());
        bell.wait(seen, None);
        assert!(ringer.join().is_ok());
        bell.wait(seen, None);
    }

    #[test]
    fn without_a_ring_the_waiting_ends() {
        let bell = Bell::default();
        bell.wait(bell.rung(), Some(Duration::from_millis(1)));
        assert_eq!(bell.rung(), 0);
    }
}
