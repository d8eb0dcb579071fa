//! The values of one span of time and what they come to.

use std::time::Duration;

use hdrhistogram::{Counter, Histogram};

use crate::time::{MediaTime, nanos};
use crate::units::{Bitrate, ByteCount, Ratio};

/// Percentiles tell values up to here apart; longer ones count as this long (the maximum and the mean stay exact).
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// Two significant digits: percentiles are at most 1 % off, and the counters of 1 ns to 60 s take 31 kB of `u64`.
const SIGNIFICANT_DIGITS: u8 = 2;

/// What the values of a span come to. All zero where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Buffers seen.
    pub count: u64,
    /// Shortest latency.
    pub min: Duration,
    /// Mean latency.
    pub mean: Duration,
    /// Half of the buffers were at most this late.
    pub p50: Duration,
    /// 90 % of the buffers were at most this late.
    pub p90: Duration,
    /// 95 % of the buffers were at most this late.
    pub p95: Duration,
    /// 99 % of the buffers were at most this late.
    pub p99: Duration,
    /// Longest latency.
    pub max: Duration,
    /// Buffers per second.
    pub fps: f64,
    /// Data per second.
    pub bitrate: Bitrate,
    /// Buffers that were later than the limit.
    pub violations: u64,
}

impl Figures {
    /// The part of the buffers that were later than the limit.
    pub fn violation_ratio(&self) -> Ratio {
        Ratio::of(self.violations, self.count)
    }
}

/// Collects the values of one span. `C` is the width of its counters.
#[derive(Debug)]
pub(super) struct Tally<C: Counter> {
    histogram: Histogram<C>,
    sum: u64,
    min: u64,
    max: u64,
    violations: u64,
    opened: Option<MediaTime>,
    last: MediaTime,
    /// Buffers and bytes since the span was opened. The buffer that opens it is in neither: between n buffers lie
    /// n - 1 gaps.
    arrivals: u64,
    bytes: u64,
}

impl<C: Counter> Tally<C> {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, nanos(LONGEST), SIGNIFICANT_DIGITS)
            .expect("1 ns to 60 s with two digits is a valid range");
        Self {
            histogram,
            sum: 0,
            min: u64::MAX,
            max: 0,
            violations: 0,
            opened: None,
            last: MediaTime::ZERO,
            arrivals: 0,
            bytes: 0,
        }
    }

    pub(super) fn record(
        &mut self,
        latency: Duration,
        size: ByteCount,
        violated: bool,
        now: MediaTime,
    ) {
        let value = nanos(latency);
        self.histogram.saturating_record(value);
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.violations += u64::from(violated);
        self.last = now;
        if self.opened.is_none() {
            self.opened = Some(now);
        } else {
            self.arrivals += 1;
            self.bytes = self.bytes.saturating_add(size.as_u64());
        }
    }

    /// When the first buffer came, or the span before this one was closed.
    pub(super) fn opened(&self) -> Option<MediaTime> {
        self.opened
    }

    /// When the last buffer came.
    pub(super) fn last(&self) -> MediaTime {
        self.last
    }

    /// Sum of all values.
    pub(super) fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// Forgets everything; the next span begins at `opened`, or with the next buffer where that is `None`.
    pub(super) fn restart(&mut self, opened: Option<MediaTime>) {
        self.histogram.reset();
        self.sum = 0;
        self.min = u64::MAX;
        self.max = 0;
        self.violations = 0;
        self.opened = opened;
        self.arrivals = 0;
        self.bytes = 0;
    }

    /// What the values come to, with rates over the time until `end`.
    pub(super) fn figures(&self, end: MediaTime) -> Figures {
        let count = self.histogram.len();
        if count == 0 {
            return Figures::default();
        }
        let mut quantiles = self.histogram.value_at_quantiles([0.5, 0.9, 0.95, 0.99]);
        // A histogram answers with the upper edge of a bucket, which may lie beyond the largest value in it.
        let mut next = || {
            let value = quantiles.next().unwrap_or(self.max);
            Duration::from_nanos(value.clamp(self.min, self.max))
        };
        let elapsed = self.opened.map_or(Duration::ZERO, |start| end.since(start));
        let fps = match elapsed {
            Duration::ZERO => 0.0,
            elapsed => self.arrivals as f64 / elapsed.as_secs_f64(),
        };
        Figures {
            count,
            min: Duration::from_nanos(self.min),
            mean: Duration::from_nanos(self.sum / count),
            p50: next(),
            p90: next(),
            p95: next(),
            p99: next(),
            max: Duration::from_nanos(self.max),
            fps,
            bitrate: Bitrate::from_bytes_over(ByteCount::new(self.bytes), elapsed),
            violations: self.violations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn figures_of(values: &[u64]) -> Figures {
        let mut tally = Tally::<u32>::new();
        for value in values {
            let latency = Duration::from_nanos(*value);
            tally.record(latency, ByteCount::new(0), false, MediaTime::ZERO);
        }
        tally.figures(MediaTime::ZERO)
    }

    #[test]
    fn values_beyond_the_range_keep_their_maximum_and_mean() {
        let hour = Duration::from_secs(3600);
        let figures = figures_of(&[nanos(hour), nanos(hour)]);
        assert_eq!((figures.max, figures.mean), (hour, hour));
        assert!(figures.p50 >= LONGEST);
    }

    #[test]
    fn no_values_come_to_nothing() {
        assert_eq!(figures_of(&[]), Figures::default());
    }

    proptest! {
        #[test]
        fn percentiles_are_within_one_percent_of_the_sorted_list(
            mut values in prop::collection::vec(0_u64..60_000_000_000, 1..400)
        ) {
            let figures = figures_of(&values);
            values.sort_unstable();
            let answers = [(0.5, figures.p50), (0.9, figures.p90), (0.95, figures.p95), (0.99, figures.p99)];
            for (quantile, answer) in answers {
                let rank = (quantile * values.len() as f64).ceil() as usize;
                let truth = values[rank.max(1) - 1] as f64;
                let answer = nanos(answer) as f64;
                prop_assert!((answer - truth).abs() <= truth * 0.01 + 1.0, "{quantile}: {answer} for {truth}");
            }
            prop_assert_eq!(nanos(figures.min), values[0]);
            prop_assert_eq!(nanos(figures.max), values[values.len() - 1]);
            prop_assert!(figures.min <= figures.p50 && figures.p99 <= figures.max);
        }
    }
}
