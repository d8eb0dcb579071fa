//! The smallest value of the last while.

use std::time::Duration;

use crate::time::MediaTime;

const BUCKETS: usize = 10;

/// Minimum over a sliding window, in ten steps: no allocation, ten comparisons.
#[derive(Clone, Debug)]
pub(super) struct WindowedMin<T> {
    step: Duration,
    buckets: [Option<T>; BUCKETS],
    newest: usize,
    newest_since: Option<MediaTime>,
}

impl<T: Copy + PartialOrd> WindowedMin<T> {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            step: window / BUCKETS as u32,
            buckets: [None; BUCKETS],
            newest: 0,
            newest_since: None,
        }
    }

    pub(super) fn update(&mut self, value: T, now: MediaTime) {
        self.advance(now);
        let bucket = &mut self.buckets[self.newest];
        if bucket.is_none_or(|least| value < least) {
            *bucket = Some(value);
        }
    }

    pub(super) fn min(&self) -> Option<T> {
        let values = self.buckets.iter().copied().flatten();
        values.reduce(|least, value| if value < least { value } else { least })
    }

    pub(super) fn clear(&mut self) {
        self.buckets = [None; BUCKETS];
        self.newest_since = None;
    }

    fn advance(&mut self, now: MediaTime) {
        let since = *self.newest_since.get_or_insert(now);
        let steps = now.since(since).as_nanos() / self.step.as_nanos().max(1);
        if steps == 0 {
            return;
        }
        for _ in 0..steps.min(BUCKETS as u128) {
            self.newest = (self.newest + 1) % BUCKETS;
            self.buckets[self.newest] = None;
        }
        let passed = u64::try_from(self.step.as_nanos() * steps).unwrap_or(u64::MAX);
        self.newest_since = Some(since.after(Duration::from_nanos(passed)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_value_is_forgotten_after_the_window() {
        let mut min = WindowedMin::new(Duration::from_secs(10));
        min.update(3, MediaTime::ZERO);
        min.update(7, MediaTime::from_millis(5_000));
        assert_eq!(min.min(), Some(3));
        min.update(9, MediaTime::from_millis(10_500));
        assert_eq!(min.min(), Some(7));
        min.update(9, MediaTime::from_millis(1_000_000));
        assert_eq!(min.min(), Some(9));
    }
}
