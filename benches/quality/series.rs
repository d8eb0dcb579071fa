//! Values over time.

/// Times in seconds since the start, in order, and what was then.
#[derive(Clone, Debug, Default)]
pub struct Series(pub Vec<(f64, f64)>);

impl Series {
    pub fn push(&mut self, at: f64, value: f64) {
        self.0.push((at, value));
    }

    /// The values from one time to before another.
    pub fn within(&self, from: f64, to: f64) -> Vec<f64> {
        let part = self.0.iter().filter(|(at, _)| (from..to).contains(at));
        part.map(|(_, value)| *value).collect()
    }

    /// How many per second.
    pub fn rate(&self, from: f64, to: f64) -> f64 {
        self.within(from, to).len() as f64 / (to - from)
    }

    pub fn percentile(&self, share: f64, from: f64, to: f64) -> Option<f64> {
        percentile(self.within(from, to), share)
    }
}

/// The value that `share` of `values` do not exceed.
pub fn percentile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}
