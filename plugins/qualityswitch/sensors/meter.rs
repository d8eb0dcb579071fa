//! A sum that only grows, read from time to time: how fast it grew meanwhile.

use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

/// Nanoseconds so far, and when that was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter(Option<(u64, MediaTime)>);

impl Meter {
    /// The sum is `nanos` at `now`. Answers the part of the time since the last reading that it grew by, from the second
    /// reading on; nothing where it started over.
    pub(super) fn on_sum(&mut self, nanos: u64, now: MediaTime) -> Option<Ratio> {
        let (before, since) = self.0.replace((nanos, now))?;
        let grown = nanos.checked_sub(before)?;
        let passed = now.as_nanos().saturating_sub(since.as_nanos());
        (passed > 0).then(|| Ratio::of(grown, passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_part_of_the_time_and_never_more_than_all_of_it() {
        let mut meter = Meter::default();
        let at = MediaTime::from_millis;
        assert_eq!(meter.on_sum(5_000_000_000, at(1_000)), None);
        assert_eq!(
            meter.on_sum(5_050_000_000, at(1_200)),
            Some(Ratio::new(0.25))
        );
        assert_eq!(
            meter.on_sum(9_000_000_000, at(1_300)),
            Some(Ratio::new(1.0))
        );
        assert_eq!(
            meter.on_sum(9_000_000_000, at(1_300)),
            None,
            "no time passed"
        );
    }

    #[test]
    fn a_sum_that_starts_over_says_nothing_once() {
        let mut meter = Meter::default();
        let at = MediaTime::from_millis;
        meter.on_sum(7_000_000, at(0));
        assert_eq!(meter.on_sum(1_000_000, at(10)), None);
        assert_eq!(meter.on_sum(6_000_000, at(20)), Some(Ratio::new(0.5)));
    }
}
