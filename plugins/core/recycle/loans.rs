//! Which buffers are out, and since when.

use std::collections::HashMap;
use std::time::Duration;

use crate::time::MediaTime;

/// Buffers that somebody holds, by a number that tells one from another while it is out (such as its address).
#[derive(Clone, Debug, Default)]
pub struct Loans(HashMap<u64, Loan>);

#[derive(Clone, Copy, Debug)]
struct Loan {
    since: MediaTime,
    /// Somebody was told that it is out for too long.
    told: bool,
}

/// Buffers that are out for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// How many of which nobody was told before.
    pub count: u64,
    /// For how long the oldest of all is out.
    pub oldest: Duration,
}

impl Loans {
    /// The buffer `key` is out from `now` on.
    pub fn on_lent(&mut self, key: u64, now: MediaTime) {
        let loan = Loan {
            since: now,
            told: false,
        };
        self.0.insert(key, loan);
    }

    /// The buffer `key` is back.
    pub fn on_returned(&mut self, key: u64) {
        self.0.remove(&key);
    }

    /// How many are out.
    pub fn outstanding(&self) -> u64 {
        self.0.len() as u64
    }

    /// For how long the oldest is out; zero where none is.
    pub fn oldest(&self, now: MediaTime) -> Duration {
        let ages = self.0.values().map(|loan| now.since(loan.since));
        ages.max().unwrap_or_default()
    }

    /// Those that are out for longer than `limit`, where any of them is new among those.
    pub fn overdue(&mut self, limit: Duration, now: MediaTime) -> Option<Overdue> {
        let mut count = 0;
        for loan in self.0.values_mut() {
            if !loan.told && now.since(loan.since) > limit {
                loan.told = true;
                count += 1;
            }
        }
        (count > 0).then(|| Overdue {
            count,
            oldest: self.oldest(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn the_oldest_is_the_one_that_is_out_for_the_longest() {
        let mut loans = Loans::default();
        assert_eq!(loans.oldest(at(5)), Duration::ZERO);
        loans.on_lent(1, at(10));
        loans.on_lent(2, at(30));
        assert_eq!(loans.oldest(at(50)), Duration::from_millis(40));
        loans.on_returned(1);
        assert_eq!(loans.oldest(at(50)), Duration::from_millis(20));
        assert_eq!(loans.outstanding(), 1);
    }

    #[test]
    fn each_buffer_is_overdue_once() {
        let mut loans = Loans::default();
        loans.on_lent(1, at(0));
        loans.on_lent(2, at(50));
        assert_eq!(loans.overdue(LIMIT, at(100)), None);
        let first = loans.overdue(LIMIT, at(120));
        let expected = Overdue {
            count: 1,
            oldest: Duration::from_millis(120),
        };
        assert_eq!(first, Some(expected));
        assert_eq!(loans.overdue(LIMIT, at(140)), None);
        let second = loans.overdue(LIMIT, at(160));
        assert_eq!(second.map(|overdue| overdue.count), Some(1));
        // Back and out again: a new loan.
        loans.on_returned(1);
        loans.on_lent(1, at(200));
        assert_eq!(loans.overdue(LIMIT, at(290)), None);
        assert!(loans.overdue(LIMIT, at(301)).is_some());
    }
}
