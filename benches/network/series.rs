//! Values over time.

/// Times in seconds since the start, in order, and what was then.
#[derive(Clone, Debug, Default)]
pub struct Series(pub Vec<(f64, f64)>);

impl Series {
    pub fn push(&mut self, at: f64, value: f64) {
        self.0.push((at, value));
    }

    /// The part from one time to before another.
    pub fn within(&self, from: f64, to: f64) -> &[(f64, f64)] {
        let first = self.0.partition_point(|(at, _)| *at < from);
        let end = self.0.partition_point(|(at, _)| *at < to);
        &self.0[first..end.max(first)]
    }

    pub fn sum(&self, from: f64, to: f64) -> f64 {
        let part = self.within(from, to).iter();
        part.fold(0.0, |sum, (_, value)| sum + value)
    }

    /// The value that `share` of those in between do not exceed.
    pub fn percentile(&self, share: f64, from: f64, to: f64) -> Option<f64> {
        let part = self.within(from, to).iter();
        let mut values: Vec<f64> = part.map(|(_, value)| *value).collect();
        values.sort_unstable_by(f64::total_cmp);
        let rank = (values.len() as f64 * share).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied()
    }

    /// Bytes as a rate in bit/s.
    pub fn rate(&self, from: f64, to: f64) -> f64 {
        8.0 * self.sum(from, to) / (to - from)
    }

    /// The last value before `at`.
    pub fn last_before(&self, at: f64) -> Option<f64> {
        let end = self.0.partition_point(|(time, _)| *time < at);
        Some(self.0[..end].last()?.1)
    }
}
