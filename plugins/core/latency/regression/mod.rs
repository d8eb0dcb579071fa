//! Says when latencies have got worse than a baseline, and when they are as good again.
//!
//! The latencies of successive frames are correlated and heavy-tailed: a test on frames raises an alarm whenever the load
//! breathes. So time is cut into blocks, of which the median and the 95th percentile are compared, the last blocks with the
//! baseline's, by a one-sided Mann-Whitney test that takes its variance times (1 + r) / (1 - r) where blocks of the baseline
//! are correlated by r (G. V. Bayley, J. M. Hammersley, "The effective number of independent observations in an
//! autocorrelated time series", 1946). A test so repeated finds the truth in the end, also the meaningless: the shift must
//! be worth a message as well, in several blocks in a row, and larger than the baseline's own ups and downs.
//!
//! Measured with the defaults on simulated streams of 30 fps (`cargo test -p livetune-core regression -- --nocapture` prints
//! it; the model stands in `simulation.rs`): no false alarm in 60 hours where the load drifts by 3 % of the latency, 11 in 30
//! hours where it drifts by 5 %. A step of +20 % is told after 17 s (the slowest of 100: 53 s), of +50 % after 14 s (21 s), a
//! doubled latency of every tenth frame after 17 s (36 s).

use std::collections::VecDeque;
use std::time::Duration;

use super::histogram::{Histogram, quantiles};
use crate::time::{MediaTime, nanos};

mod baseline;
mod config;
mod rank_sum;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

pub use baseline::{Baseline, BaselineError, Block, Statistic};
pub use config::{BaselineSource, RegressionConfig, RegressionConfigError};

/// A block of fewer values goes on: its percentiles would be single frames.
const FEWEST_VALUES: u64 = 5;

/// The least that the square of the test's deviation is made where all last blocks are longer than all of the baseline's:
/// p = 0.0003. However correlated few blocks are, that must be significant at the least alpha of a statistic, 0.0005.
const SEPARATED: f64 = 12.0;

/// What happened to the latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegressionState {
    /// They are worse than the baseline.
    Regressed,
    /// They are no longer: at most half of what counts as worse is left.
    Recovered,
}

/// Latencies have got worse than the baseline, or as good as it again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegressionChange {
    /// What happened.
    pub state: RegressionState,
    /// What of the blocks shows it; with `Recovered`, what had shown the regression.
    pub statistic: Statistic,
    /// What was usual in the baseline.
    pub baseline: Duration,
    /// What is usual in the last blocks.
    pub value: Duration,
    /// By how many nanoseconds the last blocks are longer (Hodges-Lehmann).
    pub shift: i64,
    /// How probable it is to see this where nothing has changed.
    pub p_value: f64,
}

/// Compares the latencies of a stream with a baseline.
#[derive(Clone, Debug)]
pub struct RegressionDetector {
    config: RegressionConfig,
    baseline: Option<Baseline>,
    /// The blocks of a baseline to come.
    recorded: Vec<Block>,
    window: VecDeque<Block>,
    /// One statistic of the window, sorted; kept for its memory.
    sorted: Vec<u64>,
    /// The block in progress, and when it began.
    block: Histogram<u16>,
    began: MediaTime,
    last: MediaTime,
    /// What shows the regression.
    regressed: Option<Statistic>,
    /// In how many blocks in a row the state was to change.
    confirmed: u32,
}

impl RegressionDetector {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(config: RegressionConfig) -> Result<Self, RegressionConfigError> {
        config.validate()?;
        let (baseline, recorded) = match &config.baseline {
            BaselineSource::First(length) => (None, Vec::with_capacity(config.blocks_of(*length))),
            BaselineSource::Recorded(baseline) => (Some(baseline.clone()), Vec::new()),
        };
        Ok(Self {
            baseline,
            recorded,
            window: VecDeque::with_capacity(config.window),
            sorted: Vec::with_capacity(config.window),
            block: Histogram::new(),
            began: MediaTime::ZERO,
            last: MediaTime::ZERO,
            regressed: None,
            confirmed: 0,
            config,
        })
    }

    /// The baseline, for saving; `None` while it is recorded.
    pub const fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    /// What shows that latencies are worse, as told last; `None` where they are not.
    pub const fn regressed(&self) -> Option<Statistic> {
        self.regressed
    }

    /// Takes in the latency of a frame.
    #[inline]
    pub fn on_value(&mut self, latency: Duration, now: MediaTime) {
        let silence = now.as_nanos().wrapping_sub(self.last.as_nanos());
        if silence >= nanos(self.config.block) {
            self.on_gap(now);
        }
        if self.block.count() == 0 {
            self.began = now;
        }
        self.block.record(latency);
        self.last = now;
    }

    /// Closes the block where it is over, and compares; answers where latencies have got worse or are as good again. Costs
    /// a comparison while the block is not over: may be called with every frame.
    #[inline]
    pub fn on_timer(&mut self, now: MediaTime) -> Option<RegressionChange> {
        let over = now.since(self.began) >= self.config.block;
        if over && self.block.count() >= FEWEST_VALUES {
            return self.close();
        }
        None
    }

    /// After a silence as long as the window, or a clock that was set back, the last blocks are no longer the last.
    #[cold]
    fn on_gap(&mut self, now: MediaTime) {
        let blocks = self.config.window.try_into().unwrap_or(u32::MAX);
        let window = self.config.block.saturating_mul(blocks);
        let back = self.last.since(now) >= self.config.block;
        if back || now.since(self.last) >= window {
            self.block.clear();
            self.window.clear();
            self.confirmed = 0;
        }
    }

    #[cold]
    fn close(&mut self) -> Option<RegressionChange> {
        let [median, p95] = quantiles(&[&self.block], [0.5, 0.95]);
        self.block.clear();
        let block = Block { median, p95 };
        if self.baseline.is_none() {
            self.record(block);
            return None;
        }
        if self.window.len() == self.config.window {
            self.window.pop_front();
        }
        self.window.push_back(block);
        if self.window.len() == self.config.window {
            self.judge()
        } else {
            None
        }
    }

    fn record(&mut self, block: Block) {
        self.recorded.push(block);
        if self.recorded.len() == self.recorded.capacity() {
            let blocks = std::mem::take(&mut self.recorded);
            self.baseline = Baseline::new(self.config.block, blocks).ok();
        }
    }

    fn judge(&mut self) -> Option<RegressionChange> {
        let state = match self.regressed {
            None => RegressionState::Regressed,
            Some(_) => RegressionState::Recovered,
        };
        let statistic = match self.regressed {
            None => Statistic::ALL.into_iter().find(|s| self.is_worse(*s)),
            Some(statistic) => {
                let good = Statistic::ALL.into_iter().all(|s| self.is_good(s));
                good.then_some(statistic)
            }
        };
        self.confirmed = statistic.map_or(0, |_| self.confirmed + 1);
        let statistic = statistic.filter(|_| self.confirmed >= self.config.confirm)?;
        self.confirmed = 0;
        self.regressed = (state == RegressionState::Regressed).then_some(statistic);
        self.change(state, statistic)
    }

    fn is_worse(&mut self, statistic: Statistic) -> bool {
        // Two statistics, two chances of a false alarm (Bonferroni).
        let alpha = self.config.alpha / Statistic::ALL.len() as f64;
        self.p_value(statistic) <= alpha && self.shift(statistic) >= self.least(statistic)
    }

    fn is_good(&mut self, statistic: Statistic) -> bool {
        self.shift(statistic) <= self.least(statistic) / 2
    }

    /// The least shift that counts as worse: what somebody would notice, and more than the baseline's own ups and downs.
    fn least(&self, statistic: Statistic) -> i64 {
        self.baseline.as_ref().map_or(i64::MAX, |baseline| {
            let series = baseline.series(statistic);
            let part = series.median() as f64 * self.config.least_part.as_f64();
            let least = nanos(self.config.least).max(part as u64);
            least.max(series.spread()).min(i64::MAX as u64) as i64
        })
    }

    fn p_value(&mut self, statistic: Statistic) -> f64 {
        self.sort(statistic);
        self.baseline.as_ref().map_or(1.0, |baseline| {
            let series = baseline.series(statistic);
            let (n, m) = (series.sorted.len() as f64, self.sorted.len() as f64);
            let most = 3.0 * n * m / (n + m + 1.0) / SEPARATED;
            rank_sum::p_value(&series.sorted, &self.sorted, series.inflation.min(most))
        })
    }

    fn shift(&mut self, statistic: Statistic) -> i64 {
        self.sort(statistic);
        self.baseline.as_ref().map_or(0, |baseline| {
            rank_sum::shift(&baseline.series(statistic).sorted, &self.sorted)
        })
    }

    fn sort(&mut self, statistic: Statistic) {
        self.sorted.clear();
        let values = self.window.iter().map(|block| block.get(statistic));
        self.sorted.extend(values);
        self.sorted.sort_unstable();
    }

    fn change(&mut self, state: RegressionState, statistic: Statistic) -> Option<RegressionChange> {
        let (p_value, shift) = (self.p_value(statistic), self.shift(statistic));
        Some(RegressionChange {
            state,
            statistic,
            baseline: self.baseline()?.usual(statistic),
            value: Duration::from_nanos(self.sorted[self.sorted.len() / 2]),
            shift,
            p_value,
        })
    }
}
