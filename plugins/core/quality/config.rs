//! How quick the governor is down, and how slow up.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::sensor::Sensors;

/// How quick the governor is down, and how slow up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// The sensors that are heard.
    pub sensors: Sensors,
    /// From this part of the frame interval on, the elements behind are too busy with a frame.
    pub busy_high: f64,
    /// How long a sensor must find the load too high for a step down.
    pub down_hold: Duration,
    /// The part of the frame interval that a frame may be expected to take after a step up.
    pub up_projected_max: f64,
    /// How long there must have been room for the next step up.
    pub up_hold: Duration,
    /// The longest that this grows to when upgrades fail.
    pub up_hold_max: Duration,
    /// How many times its need the network must carry for a step up.
    pub up_margin: f64,
    /// How soon after an upgrade a fall says that the upgrade failed. One that lasts longer succeeded: the wait is
    /// short again.
    pub probation: Duration,
    /// After a switch nothing is believed for so long: a key frame, new buffers and a new encoder are no load.
    pub settle: Duration,
    /// What a frame should take where the rate follows that ([`Preference::Paced`](super::Preference::Paced)), and
    /// only then.
    pub pace: Option<Duration>,
}

impl Default for Config {
    /// 0.85: libwebrtc's OveruseFrameDetector. 0.5 s, 0.7, 4 s and 1 s: a prototype that was measured under load on
    /// 1080p30 through x264. 40 s, doubled up to 240 s: libwebrtc after an overuse that followed an upgrade. 1.15: the
    /// 15 % by which Jitsi's bridge lets an estimate differ before it acts.
    fn default() -> Self {
        Self {
            sensors: Sensors::ALL,
            busy_high: 0.85,
            down_hold: Duration::from_millis(500),
            up_projected_max: 0.7,
            up_hold: Duration::from_secs(4),
            up_hold_max: Duration::from_secs(240),
            up_margin: 1.15,
            probation: Duration::from_secs(40),
            settle: Duration::from_secs(1),
            pace: None,
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
    /// `busy_high` is not above 0 and at most 1.
    Busy,
    /// `up_projected_max` is not above 0 and below `busy_high`: a rung would be taken that is left at once.
    Projection,
    /// `pace` is no time at all.
    Pace,
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.up_hold_max < self.up_hold {
            return Err(ConfigError::HoldsCrossed);
        }
        if self.up_margin.is_nan() || self.up_margin < 1.0 {
            return Err(ConfigError::Margin);
        }
        if !(self.busy_high > 0.0 && self.busy_high <= 1.0) {
            return Err(ConfigError::Busy);
        }
        if !(self.up_projected_max > 0.0 && self.up_projected_max < self.busy_high) {
            return Err(ConfigError::Projection);
        }
        if self.pace == Some(Duration::ZERO) {
            return Err(ConfigError::Pace);
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HoldsCrossed => "the longest hold is shorter than the first one",
            Self::Margin => "the margin is below 1",
            Self::Busy => "busy-high is not above 0 and at most 1",
            Self::Projection => "up-projected-max is not above 0 and below busy-high",
            Self::Pace => "the time that a frame should take is 0",
        })
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        let base = Config::default();
        assert_eq!(base.check(), Ok(()));
        let up_hold_max = Duration::ZERO;
        let crossed = Config {
            up_hold_max,
            ..base
        };
        assert_eq!(crossed.check(), Err(ConfigError::HoldsCrossed));
        for up_margin in [0.9, f64::NAN] {
            let error = Config { up_margin, ..base }.check();
            assert_eq!(error, Err(ConfigError::Margin));
        }
        for busy_high in [0.0, 1.1, f64::NAN] {
            let error = Config { busy_high, ..base }.check();
            assert_eq!(error, Err(ConfigError::Busy));
        }
        for up_projected_max in [0.0, 0.85, f64::NAN] {
            let error = Config {
                up_projected_max,
                ..base
            }
            .check();
            assert_eq!(error, Err(ConfigError::Projection));
        }
        let pace = Some(Duration::ZERO);
        assert_eq!(Config { pace, ..base }.check(), Err(ConfigError::Pace));
    }
}
