//! How long something took, over and over.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::timings::BOUNDS;
use crate::time::nanos;

/// The longest duration told apart: 60 s.
const MAX_NANOS: u64 = 60_000_000_000;

/// Durations of many events: mean, percentiles to 1 %, and counts by [`BOUNDS`]. 11 kB each.
#[derive(Clone, Debug)]
pub struct Durations {
    count: u64,
    sum: Duration,
    histogram: Histogram<u32>,
    buckets: [u64; BOUNDS.len() + 1],
}

impl Default for Durations {
    fn default() -> Self {
        // Two digits are one percent; the bounds are constants that the histogram takes.
        let histogram = Histogram::new_with_bounds(1_000, MAX_NANOS, 2).expect("bounds in order");
        Self {
            count: 0,
            sum: Duration::ZERO,
            histogram,
            buckets: [0; BOUNDS.len() + 1],
        }
    }
}

impl Durations {
    /// Counts one.
    pub fn on_event(&mut self, took: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(took);
        self.histogram.saturating_record(nanos(took));
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
    }

    /// Counts all that `other` did as well.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        // Both have the same bounds.
        let _ = self.histogram.add(&other.histogram);
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += more;
        }
    }

    /// Counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// All together.
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// The mean; zero before the first.
    pub fn mean(&self) -> Duration {
        let nanos = self.sum.as_nanos().checked_div(u128::from(self.count));
        Duration::from_nanos(nanos.unwrap_or(0) as u64)
    }

    /// What `percent` of them did not exceed; zero before the first.
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.histogram.value_at_percentile(percent))
    }

    /// How many fell into each bucket of [`BOUNDS`], and beyond.
    pub const fn buckets(&self) -> &[u64; BOUNDS.len() + 1] {
        &self.buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_counts_add_up_to_one() {
        let (mut odd, mut even) = (Durations::default(), Durations::default());
        assert_eq!(odd.mean(), Duration::ZERO);
        assert_eq!(odd.percentile(95.0), Duration::ZERO);
        for millis in 1..=100 {
            let half = if millis % 2 == 1 { &mut odd } else { &mut even };
            half.on_event(Duration::from_millis(millis));
        }
        odd.add(&even);
        assert_eq!((odd.count(), odd.sum()), (100, Duration::from_millis(5050)));
        assert_eq!(odd.mean(), Duration::from_micros(50_500));
        let p95 = odd.percentile(95.0).as_secs_f64();
        assert!((p95 / 0.095 - 1.0).abs() < 0.01, "{p95}");
        assert_eq!(odd.buckets()[..4], [1, 1, 3, 5]);
        assert_eq!(odd.buckets().iter().sum::<u64>(), 100);
    }
}
