//! When to try again what failed.

use std::fmt;
use std::time::Duration;

use crate::time::MediaTime;

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffConfig {
    /// After the second failure; after the first there is no waiting.
    pub first: Duration,
    /// The longest: each wait is twice as long as the one before, up to that.
    pub longest: Duration,
}

impl BackoffConfig {
    /// One second, doubled up to half a minute.
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(30),
    };
}

/// A configuration that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackoffError {
    /// The first wait is none.
    NoWait,
    /// The longest wait is shorter than the first.
    Shrinks,
}

impl fmt::Display for BackoffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoWait => "the first wait must be longer than nothing",
            Self::Shrinks => "the longest wait must not be shorter than the first",
        })
    }
}

impl std::error::Error for BackoffError {}

/// Counts failures in a row. The first is tried again at once, later ones after a while.
#[derive(Clone, Debug)]
pub struct Backoff {
    config: BackoffConfig,
    failures: u32,
    next: MediaTime,
}

impl Backoff {
    /// Nothing has failed.
    pub fn new(config: BackoffConfig) -> Result<Self, BackoffError> {
        if config.first.is_zero() {
            return Err(BackoffError::NoWait);
        }
        if config.longest < config.first {
            return Err(BackoffError::Shrinks);
        }
        Ok(Self {
            config,
            failures: 0,
            next: MediaTime::ZERO,
        })
    }

    /// It failed.
    pub fn on_failure(&mut self, now: MediaTime) {
        self.failures = self.failures.saturating_add(1);
        self.next = now.after(self.wait());
    }

    /// It worked: the next failure is the first one.
    pub const fn on_success(&mut self) {
        self.failures = 0;
        self.next = MediaTime::ZERO;
    }

    /// Whether it may be tried.
    pub fn may_try(&self, now: MediaTime) -> bool {
        now >= self.next
    }

    /// When it may be tried, where that is not at once.
    pub fn next_wakeup(&self, now: MediaTime) -> Option<MediaTime> {
        (!self.may_try(now)).then_some(self.next)
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    fn wait(&self) -> Duration {
        let Some(doublings) = self.failures.checked_sub(2) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let wait = self.config.first.saturating_mul(factor);
        wait.min(self.config.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(BackoffConfig::DEFAULT).expect("a configuration")
    }

    /// The waits of so many failures, each at the time when the one before may be tried again.
    fn waits(backoff: &mut Backoff, count: usize) -> Vec<u64> {
        let mut now = MediaTime::from_millis(5000);
        let failures = (0..count).map(|_| {
            backoff.on_failure(now);
            let next = backoff.next_wakeup(now).unwrap_or(now);
            let wait = next.since(now);
            now = next;
            wait.as_secs()
        });
        failures.collect()
    }

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let mut backoff = backoff();
        assert_eq!(waits(&mut backoff, 9), [0, 1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(
            waits(&mut backoff, 100).last(),
            Some(&30),
            "nothing overflows"
        );
    }

    #[test]
    fn a_success_begins_anew() {
        let mut backoff = backoff();
        let now = MediaTime::from_millis(7000);
        assert!(backoff.may_try(now));
        for _ in 0..4 {
            backoff.on_failure(now);
        }
        assert!(!backoff.may_try(now.after(Duration::from_millis(3999))));
        assert!(backoff.may_try(now.after(Duration::from_secs(4))));
        backoff.on_success();
        assert!(backoff.may_try(now));
        assert_eq!(backoff.failures(), 0);
        assert_eq!(waits(&mut backoff, 3), [0, 1, 2]);
    }

    #[test]
    fn waits_that_do_not_rise_are_refused() {
        let (second, two) = (Duration::from_secs(1), Duration::from_secs(2));
        let config = |first, longest| BackoffConfig { first, longest };
        let refused = Backoff::new(config(two, second)).err();
        assert_eq!(refused, Some(BackoffError::Shrinks));
        let refused = Backoff::new(config(Duration::ZERO, second)).err();
        assert_eq!(refused, Some(BackoffError::NoWait));
        assert!(Backoff::new(config(second, second)).is_ok());
    }
}
