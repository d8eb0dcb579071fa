//! How long latencies were when all was well.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::time::nanos;

/// Below ten blocks a side the normal approximation of the test is no good and its least p-value too large.
pub(super) const FEWEST: usize = 10;

/// Ten minutes of seconds: 19 kB.
pub(super) const MOST: usize = 600;

/// Blocks that are more correlated than this count as this much: the variance of the test would grow until not even a
/// doubled latency were significant.
const MOST_CORRELATED: f64 = 0.6;

/// What of a block is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The middle: all frames take longer.
    Median,
    /// The 95th percentile: some do.
    P95,
}

impl Statistic {
    /// All of them, the more telling first.
    pub const ALL: [Self; 2] = [Self::Median, Self::P95];
}

/// What the latencies of a block of time came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Half of them were at most this long.
    pub median: Duration,
    /// 95 % of them were at most this long.
    pub p95: Duration,
}

impl Block {
    pub(super) fn get(&self, statistic: Statistic) -> u64 {
        nanos(match statistic {
            Statistic::Median => self.median,
            Statistic::P95 => self.p95,
        })
    }
}

/// Why blocks are no baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaselineError {
    /// Fewer than 10 or more than 600 blocks.
    Blocks(usize),
    /// This block's 95th percentile is below its median.
    Crossed(usize),
    /// The blocks last no time.
    NoTime,
}

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocks(count) => write!(
                f,
                "{count} blocks are no baseline: it takes {FEWEST} to {MOST}"
            ),
            Self::Crossed(index) => write!(
                f,
                "block {index} of the baseline is broken: its 95th percentile is below its median"
            ),
            Self::NoTime => f.write_str("the blocks of the baseline last no time"),
        }
    }
}

impl Error for BaselineError {}

/// One statistic of all blocks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) sorted: Vec<u64>,
    /// By how many times more the test varies than with blocks that know nothing of each other.
    pub(super) inflation: f64,
}

impl Series {
    fn of(blocks: &[Block], statistic: Statistic) -> Self {
        let values: Vec<u64> = blocks.iter().map(|block| block.get(statistic)).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let correlation = correlation(&values, &sorted).clamp(0.0, MOST_CORRELATED);
        Self {
            sorted,
            inflation: (1.0 + correlation) / (1.0 - correlation),
        }
    }

    pub(super) fn median(&self) -> u64 {
        self.sorted[self.sorted.len() / 2]
    }

    /// From the first to the last decile: 2.6 standard deviations of normal values, and no outlier moves it.
    pub(super) fn spread(&self) -> u64 {
        let tenth = self.sorted.len() / 10;
        self.sorted[self.sorted.len() - 1 - tenth] - self.sorted[tenth]
    }
}

/// How much the rank of a block tells of the next one's, -1 to 1. Ranks, for a single outlier would hide it.
fn correlation(values: &[u64], sorted: &[u64]) -> f64 {
    let rank = |value: &u64| {
        let below = sorted.partition_point(|other| other < value);
        let up_to = sorted.partition_point(|other| other <= value);
        (below + up_to) as f64 / 2.0 - sorted.len() as f64 / 2.0
    };
    let ranks: Vec<f64> = values.iter().map(rank).collect();
    let variance: f64 = ranks.iter().map(|rank| rank * rank).sum();
    let covariance: f64 = ranks.windows(2).map(|pair| pair[0] * pair[1]).sum();
    if variance > 0.0 {
        covariance / variance
    } else {
        0.0
    }
}

/// The blocks that later ones are compared with. To save it, save the length of a block and the blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    block: Duration,
    blocks: Vec<Block>,
    median: Series,
    p95: Series,
}

impl Baseline {
    /// The baseline of `blocks` in the order in which they were measured, each of `block` length.
    ///
    /// # Errors
    /// Where they are too few, too many, or no measurements.
    pub fn new(block: Duration, blocks: Vec<Block>) -> Result<Self, BaselineError> {
        if block.is_zero() {
            return Err(BaselineError::NoTime);
        }
        if !(FEWEST..=MOST).contains(&blocks.len()) {
            return Err(BaselineError::Blocks(blocks.len()));
        }
        if let Some(index) = blocks.iter().position(|block| block.p95 < block.median) {
            return Err(BaselineError::Crossed(index));
        }
        Ok(Self {
            block,
            median: Series::of(&blocks, Statistic::Median),
            p95: Series::of(&blocks, Statistic::P95),
            blocks,
        })
    }

    /// The length of a block.
    pub const fn block(&self) -> Duration {
        self.block
    }

    /// The blocks as they were measured.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What is usual: the median over the blocks.
    pub fn usual(&self, statistic: Statistic) -> Duration {
        Duration::from_nanos(self.series(statistic).median())
    }

    pub(super) const fn series(&self, statistic: Statistic) -> &Series {
        match statistic {
            Statistic::Median => &self.median,
            Statistic::P95 => &self.p95,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(medians: impl Iterator<Item = u64>) -> Vec<Block> {
        let block = |median| Block {
            median: Duration::from_millis(median),
            p95: Duration::from_millis(median * 2),
        };
        medians.map(block).collect()
    }

    #[test]
    fn what_is_no_baseline_is_refused_in_words() {
        let second = Duration::from_secs(1);
        let mut crossed = blocks(20..40);
        crossed[7].p95 = Duration::ZERO;
        let refused = [
            (second, blocks(0..9), "9 blocks"),
            (second, blocks(0..601), "601 blocks"),
            (second, crossed, "block 7"),
            (Duration::ZERO, blocks(0..20), "no time"),
        ];
        for (length, blocks, words) in refused {
            let error = Baseline::new(length, blocks).expect_err("a refusal");
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn it_gives_back_what_it_was_made_of_and_what_is_usual() {
        let measured = blocks(20..31);
        let baseline = Baseline::new(Duration::from_secs(1), measured.clone()).expect("valid");
        assert_eq!(baseline.blocks(), measured);
        assert_eq!(baseline.usual(Statistic::Median), Duration::from_millis(25));
        assert_eq!(baseline.usual(Statistic::P95), Duration::from_millis(50));
    }

    #[test]
    fn blocks_that_follow_each_other_inflate_the_test_and_others_do_not() {
        let second = Duration::from_secs(1);
        let slow = blocks((0..60).map(|n| 20 + n / 10));
        let slow = Baseline::new(second, slow).expect("valid");
        assert_eq!(slow.median.inflation, 1.6 / 0.4);
        let quick = blocks((0..60).map(|n| 20 + n % 2));
        let quick = Baseline::new(second, quick).expect("valid");
        assert_eq!(quick.median.inflation, 1.0);
    }
}
