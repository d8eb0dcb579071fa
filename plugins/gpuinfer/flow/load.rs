//! How long frames wait for their objects: told upstream, where somebody may make them smaller or fewer.

use std::time::Duration;

use livetune_core::time::MediaTime;

/// How often it is told.
const INTERVAL: Duration = Duration::from_secs(1);

/// Mean over an interval.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    since: Option<MediaTime>,
    sum: Duration,
    count: u32,
}

impl Waiting {
    /// The objects of a frame were there so long after it. Answers the mean, where that is to be told now.
    pub(super) fn on_answer(&mut self, wait: Duration, now: MediaTime) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        self.sum += wait;
        self.count += 1;
        if now.since(since) < INTERVAL {
            return None;
        }
        let mean = self.sum / self.count;
        *self = Self {
            since: Some(now),
            ..Self::default()
        };
        Some(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_told_once_in_an_interval() {
        let mut waiting = Waiting::default();
        let mut told = Vec::new();
        for number in 0..25 {
            let wait = Duration::from_millis(10 + 10 * (number % 2));
            told.extend(waiting.on_answer(wait, MediaTime::from_millis(number * 100)));
        }
        assert_eq!(told.len(), 2);
        let is_mean = |mean: &Duration| (14..=16).contains(&mean.as_millis());
        assert!(told.iter().all(is_mean), "{told:?}");
    }
}
