//! Which rung a network carries: down at once, up after a wait that grows with each attempt that failed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Bitrate;

/// How slow the policy is to go up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// How long the network must have carried the next rung before it is taken.
    pub up_hold: Duration,
    /// The longest that this grows to when upgrades fail.
    pub up_hold_max: Duration,
    /// How many times its need the network must carry for a rung to be taken.
    pub up_margin: f64,
    /// How soon after an upgrade a fall says that the upgrade failed. One that lasts longer succeeded: the wait is
    /// short again.
    pub probation: Duration,
}

impl Default for Config {
    /// The measured prototype's 4 s; 40 s, doubled up to 240 s, as libwebrtc's OveruseFrameDetector waits after an
    /// overuse that followed an upgrade; the 15 % by which Jitsi's bridge lets an estimate differ before it acts.
    fn default() -> Self {
        Self {
            up_hold: Duration::from_secs(4),
            up_hold_max: Duration::from_secs(240),
            up_margin: 1.15,
            probation: Duration::from_secs(40),
        }
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// `up_hold_max` is shorter than `up_hold`.
    HoldsCrossed,
    /// `up_margin` is below 1 or no number: a rung would be taken that is left at once.
    Margin,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HoldsCrossed => "the longest hold is shorter than the first one",
            Self::Margin => "the margin is below 1",
        })
    }
}

impl Error for ConfigError {}

/// Chooses among steps, 0 for the best, by the bit rate that each needs.
#[derive(Clone, Debug)]
pub struct NetworkPolicy {
    config: Config,
    needs: Vec<Bitrate>,
    at: usize,
    target: Option<Bitrate>,
    hold: Duration,
    /// Since when the target has been enough for the next step up.
    enough_since: Option<MediaTime>,
    /// When the last step up was, while it may still turn out a failure.
    climbed: Option<MediaTime>,
}

impl NetworkPolicy {
    /// A policy without steps.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        if config.up_hold_max < config.up_hold {
            return Err(ConfigError::HoldsCrossed);
        }
        if config.up_margin.is_nan() || config.up_margin < 1.0 {
            return Err(ConfigError::Margin);
        }
        Ok(Self {
            config,
            needs: Vec::new(),
            at: 0,
            target: None,
            hold: config.up_hold,
            enough_since: None,
            climbed: None,
        })
    }

    /// From now on these are what the steps need, the best first, and `at` is the one that holds.
    pub fn on_steps(&mut self, needs: Vec<Bitrate>, at: usize) {
        self.needs = needs;
        self.at = at;
        self.enough_since = None;
        self.climbed = None;
    }

    /// The network carries `target`. Answers the step to go to.
    pub fn on_target(&mut self, target: Bitrate, now: MediaTime) -> Option<usize> {
        self.target = Some(target);
        self.on_time(now)
    }

    /// Time has passed. Answers the step to go to.
    pub fn on_time(&mut self, now: MediaTime) -> Option<usize> {
        let target = self.target?;
        let need = *self.needs.get(self.at)?;
        self.end_probation(now);
        if target < need {
            return self.fall(target, now);
        }
        let above = *self.needs.get(self.at.checked_sub(1)?)?;
        if target < above.scaled(self.config.up_margin) {
            self.enough_since = None;
            return None;
        }
        let since = *self.enough_since.get_or_insert(now);
        (now.since(since) >= self.hold).then(|| {
            self.at -= 1;
            self.enough_since = None;
            self.climbed = Some(now);
            self.at
        })
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub fn next_wakeup(&self) -> Option<MediaTime> {
        self.enough_since.map(|since| since.after(self.hold))
    }

    /// The wait before the next step up.
    pub fn hold(&self) -> Duration {
        self.hold
    }

    /// Goes to the best step that `target` carries, or the lowest.
    fn fall(&mut self, target: Bitrate, now: MediaTime) -> Option<usize> {
        self.enough_since = None;
        let lowest = self.needs.len() - 1;
        let below = self.at + 1..lowest;
        let to = below
            .into_iter()
            .find(|step| self.needs[*step] <= target)
            .unwrap_or(lowest);
        if to == self.at {
            return None;
        }
        if let Some(climbed) = self.climbed.take()
            && now.since(climbed) < self.config.probation
        {
            self.hold = (self.hold * 2).min(self.config.up_hold_max);
        }
        self.at = to;
        Some(to)
    }

    fn end_probation(&mut self, now: MediaTime) {
        if let Some(climbed) = self.climbed
            && now.since(climbed) >= self.config.probation
        {
            self.climbed = None;
            self.hold = self.config.up_hold;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NEEDS: [u64; 4] = [2_600, 1_200, 370, 160];

    fn policy(at: usize) -> NetworkPolicy {
        let mut policy = NetworkPolicy::new(Config::default()).unwrap();
        policy.on_steps(NEEDS.map(Bitrate::from_kbps).to_vec(), at);
        policy
    }

    fn seconds(seconds: u64) -> MediaTime {
        MediaTime::from_millis(seconds * 1_000)
    }

    /// Lets `policy` see `kbps` each 100 ms from `start` s to `end` s and answers when it moved where.
    fn run(policy: &mut NetworkPolicy, kbps: u64, start: u64, end: u64) -> Vec<(u64, usize)> {
        let ticks = (start * 10..end * 10).map(|n| MediaTime::from_millis(n * 100));
        let moves = ticks.filter_map(|now| {
            let to = policy.on_target(Bitrate::from_kbps(kbps), now)?;
            Some((now.as_nanos() / 1_000_000, to))
        });
        moves.collect()
    }

    #[test]
    fn falls_at_once_to_the_best_step_that_is_carried() {
        let mut policy = policy(0);
        assert_eq!(
            policy.on_target(Bitrate::from_kbps(2_600), seconds(0)),
            None
        );
        let to = policy.on_target(Bitrate::from_kbps(400), seconds(1));
        assert_eq!(to, Some(2));
        let to = policy.on_target(Bitrate::from_kbps(1), seconds(1));
        assert_eq!(to, Some(3));
        assert_eq!(policy.on_target(Bitrate::ZERO, seconds(2)), None);
    }

    #[test]
    fn climbs_one_step_at_a_time_after_the_hold() {
        let mut policy = policy(3);
        let moves = run(&mut policy, 5_000, 0, 20);
        assert_eq!(moves, [(4_000, 2), (8_100, 1), (12_200, 0)]);
    }

    #[test]
    fn a_single_report_is_enough_as_time_goes_on() {
        let mut policy = policy(1);
        assert_eq!(
            policy.on_target(Bitrate::from_kbps(3_000), seconds(0)),
            None
        );
        assert_eq!(policy.next_wakeup(), Some(seconds(4)));
        assert_eq!(policy.on_time(seconds(3)), None);
        assert_eq!(policy.on_time(seconds(4)), Some(0));
    }

    #[test]
    fn a_dip_below_the_margin_starts_the_hold_over() {
        let mut policy = policy(1);
        assert_eq!(run(&mut policy, 3_000, 0, 3), []);
        assert_eq!(run(&mut policy, 2_900, 3, 4), []);
        assert_eq!(run(&mut policy, 3_000, 4, 20), [(8_000, 0)]);
    }

    #[test]
    fn each_failed_upgrade_doubles_the_wait_up_to_its_limit() {
        let mut policy = policy(1);
        let mut start = 0;
        for wait in [4, 8, 16, 32, 64, 128, 240, 240] {
            assert_eq!(policy.hold().as_secs(), wait);
            let moves = run(&mut policy, 3_000, start, start + wait + 1);
            assert_eq!(moves, [((start + wait) * 1_000, 0)]);
            start += wait + 1;
            assert_eq!(run(&mut policy, 2_000, start, start + 1).len(), 1);
            start += 1;
        }
    }

    #[test]
    fn an_upgrade_that_lasted_makes_the_wait_short_again() {
        let mut policy = policy(1);
        run(&mut policy, 3_000, 0, 5);
        run(&mut policy, 2_000, 5, 6);
        assert_eq!(policy.hold().as_secs(), 8);
        assert_eq!(run(&mut policy, 3_000, 6, 60), [(14_000, 0)]);
        assert_eq!(policy.hold().as_secs(), 4);
        run(&mut policy, 2_000, 60, 61);
        assert_eq!(policy.hold().as_secs(), 4);
    }

    #[test]
    fn nonsense_is_refused() {
        let base = Config::default();
        let crossed = Config {
            up_hold_max: Duration::ZERO,
            ..base
        };
        let error = NetworkPolicy::new(crossed).unwrap_err();
        assert_eq!(error, ConfigError::HoldsCrossed);
        for up_margin in [0.9, f64::NAN] {
            let error = NetworkPolicy::new(Config { up_margin, ..base }).unwrap_err();
            assert_eq!(error, ConfigError::Margin);
        }
    }

    #[test]
    fn without_steps_or_target_it_rests() {
        let mut policy = NetworkPolicy::new(Config::default()).unwrap();
        assert_eq!(policy.on_time(seconds(1)), None);
        assert_eq!(policy.on_target(Bitrate::ZERO, seconds(1)), None);
    }

    proptest! {
        #[test]
        fn stays_on_the_ladder_falls_at_once_and_climbs_no_faster_than_the_hold(
            targets in proptest::collection::vec(0..4_000_u64, 1..300),
        ) {
            let mut policy = policy(0);
            let mut at = 0;
            let mut climbed = MediaTime::ZERO;
            for (second, kbps) in targets.into_iter().enumerate() {
                let now = seconds(second as u64);
                let hold = policy.hold();
                if let Some(to) = policy.on_target(Bitrate::from_kbps(kbps), now) {
                    prop_assert!(to < NEEDS.len() && to != at);
                    if to < at {
                        prop_assert_eq!(to, at - 1);
                        prop_assert!(now.since(climbed) >= hold);
                        climbed = now;
                    }
                    at = to;
                }
                prop_assert!(NEEDS[at] <= kbps || at == NEEDS.len() - 1);
            }
        }
    }
}
