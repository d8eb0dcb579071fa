//! What a set of durations comes to.

use std::fmt;
use std::str::FromStr;

/// How many there were, and two percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub count: u64,
    pub p50: u64,
    pub p95: u64,
}

impl Summary {
    /// Exact percentiles, by nearest rank.
    pub fn of(mut samples: Vec<u64>) -> Self {
        samples.sort_unstable();
        let rank = |percent: usize| (samples.len() * percent).div_ceil(100).max(1) - 1;
        let value = |percent| samples.get(rank(percent)).copied().unwrap_or_default();
        Self {
            count: samples.len() as u64,
            p50: value(50),
            p95: value(95),
        }
    }

    /// Within 1 % or 0.1 ms of `truth` at both percentiles, and hardly a sample missing.
    pub fn is_near(&self, truth: &Self) -> bool {
        let near = |told: u64, truth: u64| told.abs_diff(truth) <= (truth / 100).max(100_000);
        let all = self.count.abs_diff(truth.count) <= truth.count / 100;
        all && near(self.p50, truth.p50) && near(self.p95, truth.p95)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.count, self.p50, self.p95)
    }
}

impl FromStr for Summary {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.split_whitespace().map(str::parse);
        let mut next = || numbers.next().unwrap_or(Ok(0));
        Ok(Self {
            count: next()?,
            p50: next()?,
            p95: next()?,
        })
    }
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
