//! What a monitor of a limit is told.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::latency::histogram::LONGEST;

/// Under 100 ms a quarter of the window is shorter than the gap between two frames at 40 fps.
const SHORTEST_WINDOW: Duration = Duration::from_millis(100);

/// Which limit a monitor watches, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlaConfig {
    /// The limit; zero: none.
    pub limit: Duration,
    /// Which percentile of the values must keep it, in percent.
    pub percentile: f64,
    /// Over how much time the percentile is taken.
    pub window: Duration,
    /// How long a violation stays at least: the least time, too, between two changes of one kind.
    pub cooldown: Duration,
}

impl Default for SlaConfig {
    /// 10 s hold 300 frames at 30 fps, of which 15 may break a limit on the 95th percentile: enough that no single
    /// hiccup is a violation. A cooldown of half the window: a change of the same kind before that would be told mostly
    /// of the same frames.
    fn default() -> Self {
        Self {
            limit: Duration::ZERO,
            percentile: 95.0,
            window: Duration::from_secs(10),
            cooldown: Duration::from_secs(5),
        }
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SlaConfigError {
    /// The limit lies beyond what the histograms tell apart.
    LimitTooLong(Duration),
    /// The percentile is not within 50 to 99.99 %.
    Percentile(f64),
    /// The window is too short.
    WindowTooShort(Duration),
}

impl fmt::Display for SlaConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitTooLong(limit) => write!(
                f,
                "a limit of {limit:?} cannot be watched: latencies are told apart up to {LONGEST:?}"
            ),
            Self::Percentile(percentile) => write!(
                f,
                "a limit on the percentile {percentile} cannot be watched: it must be 50 to 99.99"
            ),
            Self::WindowTooShort(window) => write!(
                f,
                "a window of {window:?} is too short: it must be {SHORTEST_WINDOW:?} or longer"
            ),
        }
    }
}

impl Error for SlaConfigError {}

impl SlaConfig {
    pub(super) fn validate(&self) -> Result<(), SlaConfigError> {
        if self.limit >= LONGEST {
            return Err(SlaConfigError::LimitTooLong(self.limit));
        }
        if !(50.0..=99.99).contains(&self.percentile) {
            return Err(SlaConfigError::Percentile(self.percentile));
        }
        if self.window < SHORTEST_WINDOW {
            return Err(SlaConfigError::WindowTooShort(self.window));
        }
        Ok(())
    }

    /// How many of a million values may be over the limit.
    pub(super) fn allowed_ppm(&self) -> u64 {
        1_000_000 - (self.percentile * 10_000.0).round() as u64
    }
}
