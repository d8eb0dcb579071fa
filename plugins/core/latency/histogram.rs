//! How often each duration occurred, in constant memory.
//!
//! Log-linear buckets (G. Tene, HdrHistogram): 64 to each power of two, so that the middle of a bucket is at most 0.8 %
//! off every value in it. Below 16 µs a bucket is 256 ns wide. Half the memory of a histogram that tells 1 ns apart.

use std::fmt::Debug;
use std::time::Duration;

use crate::time::nanos;

/// Values up to here are told apart; longer ones count as this long (extremes and mean stay exact).
pub const LONGEST: Duration = Duration::from_nanos(1 << LONGEST_BITS);

const LONGEST_BITS: u32 = 36;
const UNIT_BITS: u32 = 8;
const SUB_BITS: u32 = 6;
const SUBS: usize = 1 << SUB_BITS;
const GROUPS: usize = (LONGEST_BITS - UNIT_BITS - SUB_BITS + 1) as usize;
const BUCKETS: usize = GROUPS * SUBS;

/// The width of a histogram's counters.
pub trait Counter: Copy + Default + Debug + PartialEq + Into<u64> {
    /// One more; `None` where the counter is full.
    fn next(self) -> Option<Self>;
    /// Half of it.
    fn halved(self) -> Self;
    /// It without `other`; zero where `other` is more.
    fn without(self, other: Self) -> Self;
}

impl Counter for u16 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn halved(self) -> Self {
        self / 2
    }

    fn without(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl Counter for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn halved(self) -> Self {
        self / 2
    }

    fn without(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

/// Counts durations. Where a counter is full all are halved: the proportions, and so the percentiles, stay.
#[derive(Clone, Debug)]
pub struct Histogram<C = u32> {
    buckets: Box<[C]>,
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
}

impl<C: Counter> Default for Histogram<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Counter> Histogram<C> {
    /// A histogram that has seen nothing.
    pub fn new() -> Self {
        Self {
            buckets: vec![C::default(); BUCKETS].into_boxed_slice(),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }

    /// Takes in one value.
    pub fn record(&mut self, value: Duration) {
        let value = nanos(value);
        let bucket = &mut self.buckets[index(value)];
        match bucket.next() {
            Some(next) => *bucket = next,
            None => self.buckets.iter_mut().for_each(|b| *b = b.halved()),
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.buckets.fill(C::default());
        (self.count, self.sum, self.min, self.max) = (0, 0, u64::MAX, 0);
    }

    /// The values that it took in since it was as `earlier`. Their extremes are known as well as percentiles are.
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        let mut new = Self {
            buckets: pairs.map(|(now, then)| now.without(*then)).collect(),
            count: self.count.saturating_sub(earlier.count),
            sum: self.sum.saturating_sub(earlier.sum),
            min: self.min,
            max: self.max,
        };
        let mut values = new.iter().map(|(value, _)| nanos(value));
        let first = values.next();
        let last = values.last().or(first);
        (new.min, new.max) = (first.unwrap_or(u64::MAX), last.unwrap_or(0));
        new
    }

    /// Values taken in.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Sum of all values.
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// The middle of each bucket that is not empty and how many values it holds, from the shortest on.
    pub fn iter(&self) -> impl Iterator<Item = (Duration, u64)> {
        let filled = self.buckets.iter().enumerate();
        let filled = filled.map(|(index, count)| (index, (*count).into()));
        filled
            .filter(|(_, count)| *count > 0)
            .map(|(index, count)| (self.clamped(middle(index)), count))
    }

    /// How many values lie at or under each of the rising `bounds` and over the one before; the last are those over
    /// all bounds. A value counts with its bucket.
    pub fn distribution(&self, bounds: &[Duration]) -> Vec<u64> {
        let mut counts = vec![0; bounds.len() + 1];
        for (value, count) in self.iter() {
            counts[bounds.partition_point(|bound| *bound < value)] += count;
        }
        counts
    }

    /// What the values come to.
    pub fn summary(&self) -> Summary {
        Summary::of(&[self])
    }

    fn clamped(&self, nanos: u64) -> Duration {
        Duration::from_nanos(nanos.clamp(self.min.min(self.max), self.max))
    }
}

/// What many durations come to. All zero where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: Duration,
    /// Their mean.
    pub mean: Duration,
    /// Half of them were at most this long.
    pub p50: Duration,
    /// 90 % of them were at most this long.
    pub p90: Duration,
    /// 95 % of them were at most this long.
    pub p95: Duration,
    /// 99 % of them were at most this long.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Summary {
    /// What the values of several histograms come to together.
    pub fn of<C: Counter>(histograms: &[&Histogram<C>]) -> Self {
        let count: u64 = histograms.iter().map(|h| h.count).sum();
        if count == 0 {
            return Self::default();
        }
        let sum: u64 = histograms.iter().map(|h| h.sum).sum();
        let [p50, p90, p95, p99] = quantiles(histograms, [0.5, 0.9, 0.95, 0.99]);
        let min = histograms.iter().map(|h| h.min).min().unwrap_or(0);
        let max = histograms.iter().map(|h| h.max).max().unwrap_or(0);
        Self {
            count,
            min: Duration::from_nanos(min),
            mean: Duration::from_nanos(sum / count),
            p50,
            p90,
            p95,
            p99,
            max: Duration::from_nanos(max),
        }
    }
}

/// The values that `wanted` parts (0 to 1, rising) of all values do not exceed. Zero where there are none.
pub fn quantiles<C: Counter, const N: usize>(
    histograms: &[&Histogram<C>],
    wanted: [f64; N],
) -> [Duration; N] {
    let at = |index: usize| -> u64 {
        let counts = histograms.iter().map(|h| h.buckets[index].into());
        counts.sum()
    };
    let min = histograms.iter().map(|h| h.min).min().unwrap_or(0);
    let max = histograms.iter().map(|h| h.max).max().unwrap_or(0);
    let weight: u64 = (0..BUCKETS).map(at).sum();
    let (mut index, mut seen) = (0, at(0));
    wanted.map(|part| {
        let rank = ((part * weight as f64).ceil() as u64).clamp(1, weight.max(1));
        while seen < rank && index + 1 < BUCKETS {
            index += 1;
            seen += at(index);
        }
        Duration::from_nanos(middle(index).clamp(min.min(max), max))
    })
}

fn index(nanos: u64) -> usize {
    let units = nanos.min(nanos_of_longest()) >> UNIT_BITS;
    let group = (u64::BITS - units.leading_zeros()).saturating_sub(SUB_BITS);
    if group == 0 {
        units as usize
    } else {
        group as usize * SUBS + ((units >> (group - 1)) as usize - SUBS)
    }
}

fn middle(index: usize) -> u64 {
    let (group, sub) = (index / SUBS, (index % SUBS) as u64);
    let (start, width) = if group == 0 {
        (sub, 1)
    } else {
        ((SUBS as u64 + sub) << (group - 1), 1 << (group - 1))
    };
    (start << UNIT_BITS) + ((width << UNIT_BITS) / 2)
}

const fn nanos_of_longest() -> u64 {
    (1 << LONGEST_BITS) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        for value in values {
            histogram.record(Duration::from_nanos(*value));
        }
        histogram
    }

    #[test]
    fn no_values_come_to_nothing() {
        assert_eq!(of(&[]).summary(), Summary::default());
        assert_eq!(quantiles(&[&of(&[])], [0.5]), [Duration::ZERO]);
    }

    #[test]
    fn values_beyond_the_range_keep_their_maximum_and_mean() {
        let hour = Duration::from_secs(3_600);
        let summary = of(&[nanos(hour), nanos(hour)]).summary();
        assert_eq!((summary.max, summary.mean), (hour, hour));
        assert!(summary.p50 >= Duration::from_secs(60));
        assert_eq!(of(&[u64::MAX]).summary().count, 1);
    }

    #[test]
    fn a_full_counter_keeps_the_percentiles() {
        let mut histogram = Histogram::<u16>::new();
        for round in 0..200_000 {
            let late = round % 10 == 0;
            histogram.record(Duration::from_millis(if late { 80 } else { 10 }));
        }
        let summary = histogram.summary();
        assert_eq!(summary.count, 200_000);
        assert_eq!(summary.mean, Duration::from_millis(17));
        let tenth =
            |value: Duration, millis: u64| value.as_micros().abs_diff(millis as u128 * 1_000);
        assert!(tenth(summary.p50, 10) < 100 && tenth(summary.p95, 80) < 700);
    }

    #[test]
    fn it_starts_over() {
        let mut histogram = of(&[5_000, 7_000_000]);
        histogram.clear();
        assert_eq!(histogram.summary(), Summary::default());
        histogram.record(Duration::from_millis(3));
        assert_eq!(histogram.summary().min, Duration::from_millis(3));
    }

    #[test]
    fn what_came_since_is_what_came_in_between() {
        let mut histogram = of(&[1_000_000, 900_000_000]);
        let earlier = histogram.clone();
        assert_eq!(histogram.since(&earlier).summary(), Summary::default());
        for millis in [10, 20, 40] {
            histogram.record(Duration::from_millis(millis));
        }
        let new = histogram.since(&earlier).summary();
        assert_eq!(new.count, 3);
        assert_eq!(
            new.mean,
            Duration::from_micros(23_333) + Duration::from_nanos(333)
        );
        for (value, millis) in [(new.min, 10.0), (new.p50, 20.0), (new.max, 40.0)] {
            let off = value.as_secs_f64() * 1e3 / millis - 1.0;
            assert!(off.abs() < 0.01, "{value:?} is not {millis} ms");
        }
    }

    #[test]
    fn every_value_lies_in_the_bucket_of_its_index() {
        let mut before = 0;
        for index in 0..BUCKETS {
            let middle = middle(index);
            assert_eq!(super::index(middle), index);
            assert!(middle > before);
            before = middle;
        }
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_one_percent_of_the_sorted_list(
            mut values in prop::collection::vec(0_u64..60_000_000_000, 1..400),
            cut in 0_usize..400,
        ) {
            let cut = cut.min(values.len());
            let (one, other) = (of(&values[..cut]), of(&values[cut..]));
            let summary = Summary::of(&[&one, &other]);
            values.sort_unstable();
            let answers = [(0.5, summary.p50), (0.9, summary.p90), (0.95, summary.p95), (0.99, summary.p99)];
            for (quantile, answer) in answers {
                let rank = (quantile * values.len() as f64).ceil() as usize;
                let truth = values[rank.max(1) - 1] as f64;
                let answer = nanos(answer) as f64;
                prop_assert!((answer - truth).abs() <= truth * 0.008 + 256.0, "{quantile}: {answer} for {truth}");
            }
            prop_assert_eq!(nanos(summary.min), values[0]);
            prop_assert_eq!(nanos(summary.max), values[values.len() - 1]);
            prop_assert!(summary.min <= summary.p50 && summary.p99 <= summary.max);
        }
    }
}
