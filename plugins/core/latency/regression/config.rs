//! What a detector of regressions is told.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::baseline::{Baseline, FEWEST, MOST};
use crate::units::Ratio;

/// The longest running window, in blocks.
const LONGEST_WINDOW: usize = 120;

/// Percentiles of fewer frames than 100 ms hold are those frames.
const SHORTEST_BLOCK: Duration = Duration::from_millis(100);

/// What latencies are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum BaselineSource {
    /// What the stream shows for this long at its start.
    First(Duration),
    /// What was recorded earlier.
    Recorded(Baseline),
}

/// How latencies are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionConfig {
    /// With what.
    pub baseline: BaselineSource,
    /// How much time is one block, one value of the test.
    pub block: Duration,
    /// How many of the last blocks are compared with the baseline.
    pub window: usize,
    /// How improbable blocks like the last ones must be for the baseline's latencies.
    pub alpha: f64,
    /// In how many successive blocks that must be so.
    pub confirm: u32,
    /// The least part of what was usual that counts as worse.
    pub least_part: Ratio,
    /// The least time that counts as worse.
    pub least: Duration,
}

impl Default for RegressionConfig {
    /// Blocks of a second, as the latency of one frame says little that the one before has not said. A minute of baseline
    /// and 20 s of window, which a step has half filled after 10 s. The least alpha, as the test is repeated every second. Three blocks in a row, so that a burst of load that just fills half of the
    /// window is none. In simulations 10 % gave a false alarm an hour where the load drifts by 3 %, 15 % none. Less than 1 ms
    /// nobody sees.
    fn default() -> Self {
        Self {
            baseline: BaselineSource::First(Duration::from_secs(60)),
            block: Duration::from_secs(1),
            window: 20,
            alpha: 0.001,
            confirm: 3,
            least_part: Ratio::new(0.15),
            least: Duration::from_millis(1),
        }
    }
}

/// Why a configuration cannot work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RegressionConfigError {
    /// The baseline would be fewer than 10 or more than 600 blocks.
    Baseline(Duration),
    /// The recorded baseline has blocks of another length.
    OtherBlocks {
        /// Those recorded.
        recorded: Duration,
        /// Those wanted.
        wanted: Duration,
    },
    /// Blocks are shorter than 100 ms.
    Block(Duration),
    /// The window is fewer than 10 or more than 120 blocks.
    Window(usize),
    /// Alpha is not within 0.001 to 0.05.
    Alpha(f64),
}

impl fmt::Display for RegressionConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline(length) => write!(
                f,
                "a baseline of {length:?} is not {FEWEST} to {MOST} blocks long"
            ),
            Self::OtherBlocks { recorded, wanted } => write!(
                f,
                "the baseline was recorded in blocks of {recorded:?}: blocks of {wanted:?} cannot be compared with it"
            ),
            Self::Block(block) => write!(
                f,
                "blocks of {block:?} are too short: they must be {SHORTEST_BLOCK:?} or longer"
            ),
            Self::Window(blocks) => write!(
                f,
                "a window of {blocks} blocks cannot be tested: it must be {FEWEST} to {LONGEST_WINDOW}"
            ),
            Self::Alpha(alpha) => write!(
                f,
                "{alpha} is no level of significance: it must be 0.001 to 0.05"
            ),
        }
    }
}

impl Error for RegressionConfigError {}

impl RegressionConfig {
    pub(super) fn validate(&self) -> Result<(), RegressionConfigError> {
        if self.block < SHORTEST_BLOCK {
            return Err(RegressionConfigError::Block(self.block));
        }
        match &self.baseline {
            BaselineSource::First(length) => {
                if !(FEWEST..=MOST).contains(&self.blocks_of(*length)) {
                    return Err(RegressionConfigError::Baseline(*length));
                }
            }
            BaselineSource::Recorded(baseline) => {
                if baseline.block() != self.block {
                    return Err(RegressionConfigError::OtherBlocks {
                        recorded: baseline.block(),
                        wanted: self.block,
                    });
                }
            }
        }
        if !(FEWEST..=LONGEST_WINDOW).contains(&self.window) {
            return Err(RegressionConfigError::Window(self.window));
        }
        if !(0.001..=0.05).contains(&self.alpha) {
            return Err(RegressionConfigError::Alpha(self.alpha));
        }
        Ok(())
    }

    pub(super) fn blocks_of(&self, length: Duration) -> usize {
        (length.as_nanos() / self.block.as_nanos()).min(usize::MAX as u128) as usize
    }
}
