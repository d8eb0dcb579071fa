//! The user's word on how finely and how often the rate moves.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Bitrate;

use super::report::Config;

/// Rounds a wanted rate to steps, and lets it rise no more often than once in an interval. Down it goes at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Granularity {
    /// Rates are multiples of this, or one of the limits; zero: any rate.
    pub step: Bitrate,
    /// From one change to the next rise; zero: as often as it comes.
    pub interval: Duration,
    current: Option<(Bitrate, MediaTime)>,
}

impl Granularity {
    /// Steps of `step`, rises `interval` apart.
    pub fn set(&mut self, step: Bitrate, interval: Duration) {
        self.step = step;
        self.interval = interval;
    }

    /// Takes in the rate that is `wanted`; answers the one that is due.
    pub fn settle(&mut self, wanted: Bitrate, limits: Config, now: MediaTime) -> Bitrate {
        let rounded = self.round(wanted).clamp(limits.min, limits.max);
        let due = match self.current {
            Some((current, since)) => {
                rounded < current
                    || current < limits.min
                    || (rounded > current && now.since(since) >= self.interval)
            }
            None => true,
        };
        if due {
            self.current = Some((rounded, now));
        }
        self.current.map_or(rounded, |(current, _)| current)
    }

    fn round(&self, wanted: Bitrate) -> Bitrate {
        match self.step.as_bps() {
            0 => wanted,
            step => Bitrate::from_bps(wanted.as_bps() / step * step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Config = Config {
        min: Bitrate::from_kbps(300),
        max: Bitrate::from_kbps(4_100),
    };

    fn settle(granularity: &mut Granularity, kbps: u64, ms: u64) -> u64 {
        let wanted = Bitrate::from_kbps(kbps);
        let now = MediaTime::from_millis(ms);
        granularity.settle(wanted, LIMITS, now).as_bps() / 1_000
    }

    #[test]
    fn rates_are_multiples_of_the_step_or_a_limit() {
        let mut granularity = Granularity::default();
        granularity.set(Bitrate::from_kbps(500), Duration::ZERO);
        assert_eq!(settle(&mut granularity, 1_740, 0), 1_500);
        assert_eq!(settle(&mut granularity, 400, 1), 300);
        assert_eq!(settle(&mut granularity, 9_000, 2), 4_100);
    }

    #[test]
    fn rises_keep_their_distance_and_falls_do_not_wait() {
        let mut granularity = Granularity::default();
        granularity.set(Bitrate::ZERO, Duration::from_secs(5));
        assert_eq!(settle(&mut granularity, 1_000, 0), 1_000);
        assert_eq!(settle(&mut granularity, 2_000, 4_999), 1_000);
        assert_eq!(settle(&mut granularity, 2_000, 5_000), 2_000);
        assert_eq!(settle(&mut granularity, 1_500, 5_001), 1_500);
        assert_eq!(settle(&mut granularity, 1_600, 9_000), 1_500);
    }
}
