//! Time as the cores see it: a number handed in by the caller.

use std::fmt;
use std::time::Duration;

/// A point on a time axis that the caller chooses (running time, or the monotonic clock), in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(u64);

impl MediaTime {
    /// The start of the axis.
    pub const ZERO: Self = Self(0);

    /// `nanos` ns after the start of the axis.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `millis` ms after the start of the axis.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Nanoseconds since the start of the axis.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`, or zero where `earlier` lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Time passed since `earlier`, or `None` where `earlier` lies ahead.
    pub fn checked_since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    /// The point `duration` later; the end of the axis where that lies beyond it.
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// The point `duration` earlier; the start of the axis where that lies before it.
    pub const fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }
}

impl fmt::Display for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} ms", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// `duration` in nanoseconds; `u64::MAX` (584 years) where it does not fit.
pub const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 {
        u64::MAX
    } else {
        nanos as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let (early, late) = (MediaTime::from_millis(3), MediaTime::from_millis(9));
        assert_eq!(late.since(early), Duration::from_millis(6));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.checked_since(late), None);
    }

    #[test]
    fn the_axis_ends_without_an_overflow() {
        let end = MediaTime::from_nanos(u64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        let early = MediaTime::from_millis(9);
        assert_eq!(
            early.before(Duration::from_millis(4)),
            MediaTime::from_millis(5)
        );
        assert_eq!(early.before(Duration::MAX), MediaTime::ZERO);
    }
}
