//! What goes into the controller and what comes out.

use std::fmt;
use std::time::Duration;

use crate::units::{Bitrate, Ratio};

/// The limits between which a controller chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Never below this.
    pub min: Bitrate,
    /// Never above this.
    pub max: Bitrate,
}

impl Config {
    /// Says whether the limits can be kept.
    pub fn validate(self) -> Result<Self, ConfigError> {
        if self.min > self.max {
            return Err(ConfigError::MinAboveMax);
        }
        if self.max == Bitrate::ZERO {
            return Err(ConfigError::NoRate);
        }
        Ok(self)
    }
}

/// Why limits cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The lower limit lies above the upper one.
    MinAboveMax,
    /// The upper limit is zero.
    NoRate,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MinAboveMax => "the lower limit lies above the upper one",
            Self::NoRate => "the upper limit is zero",
        })
    }
}

impl std::error::Error for ConfigError {}

/// What a receiver says of the time since its last report. Absurd numbers do no harm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IntervalReport {
    /// The part of the packets that did not arrive.
    pub loss: Ratio,
    /// Packets that should have arrived, where that is known.
    pub expected: Option<u32>,
    /// The rate at which payload arrived, where that is known.
    pub delivered: Option<Bitrate>,
    /// Time to the receiver and back, measured since the last report; `None` where it was not.
    pub rtt: Option<Duration>,
    /// Interarrival jitter (RFC 3550, 6.4.1), where the receiver says it.
    pub jitter: Option<Duration>,
}

/// Why the target changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The stream starts.
    Start,
    /// The path carries all of it and there is more to send.
    Increase,
    /// The queue is drained: back to what the path carried.
    Recover,
    /// Packets got lost, more than the path loses anyhow.
    Loss,
    /// A queue builds up.
    Delay,
    /// The sink does not take what it is given.
    Backlog,
    /// The receiver has fallen silent.
    FeedbackLost,
    /// The limits changed.
    Limits,
    /// Others on the path take more or less of it.
    Sharing,
}

impl Reason {
    /// The word for messages and statistics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Increase => "increase",
            Self::Recover => "recover",
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Backlog => "backlog",
            Self::FeedbackLost => "feedback-lost",
            Self::Limits => "limits",
            Self::Sharing => "sharing",
        }
    }

    /// The rate was lowered because the network is in trouble.
    pub const fn is_congestion(self) -> bool {
        matches!(
            self,
            Self::Loss | Self::Delay | Self::Backlog | Self::FeedbackLost
        )
    }
}

/// A new target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Send this much from now on.
    pub bitrate: Bitrate,
    /// The target so far.
    pub previous: Bitrate,
    /// Why.
    pub reason: Reason,
}
