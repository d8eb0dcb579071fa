//! The wait before a step up, which grows with each one that failed.

use std::time::Duration;

use crate::time::MediaTime;

/// Doubles the wait when an upgrade is followed by a fall within the probation; one that lasts longer makes it short
/// again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    shortest: Duration,
    longest: Duration,
    probation: Duration,
    wait: Duration,
    /// When the last step up was, while it may still turn out a failure.
    climbed: Option<MediaTime>,
}

impl Backoff {
    pub(super) const fn new(shortest: Duration, longest: Duration, probation: Duration) -> Self {
        Self {
            shortest,
            longest,
            probation,
            wait: shortest,
            climbed: None,
        }
    }

    pub(super) const fn wait(&self) -> Duration {
        self.wait
    }

    pub(super) fn on_climb(&mut self, now: MediaTime) {
        self.climbed = Some(now);
    }

    /// Answers whether an upgrade failed with that.
    pub(super) fn on_fall(&mut self, now: MediaTime) -> bool {
        self.on_time(now);
        let failed = self.climbed.take().is_some();
        if failed {
            self.wait = (self.wait * 2).min(self.longest);
        }
        failed
    }

    /// Nothing has failed.
    pub(super) fn start_over(&mut self) {
        self.wait = self.shortest;
        self.climbed = None;
    }

    /// What happened says nothing of the upgrade before it.
    pub(super) fn forgive(&mut self) {
        self.climbed = None;
    }

    /// Answers whether an upgrade has turned out a success with that.
    pub(super) fn on_time(&mut self, now: MediaTime) -> bool {
        let succeeded = self
            .climbed
            .is_some_and(|climbed| now.since(climbed) >= self.probation);
        if succeeded {
            self.climbed = None;
            self.wait = self.shortest;
        }
        succeeded
    }
}
