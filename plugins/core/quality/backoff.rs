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
    under: Option<Under>,
}

/// Under which load of the machine the last upgrade failed, as long as that is not clearly less.
#[derive(Clone, Copy, Debug)]
struct Under {
    since: MediaTime,
    /// That after the fall, once it is known: our own part in it is the same until the next upgrade.
    load: Option<MachineLoad>,
}

/// The mean of the machine's load after a fall is taken so late.
const CALM_AFTER: Duration = Duration::from_secs(5);

/// The wait where the machine stays as loaded as when an upgrade failed, by which one in five minutes at most is in vain. A
/// quarter more than libwebrtc's longest, which is that of `longest`.
const UNDER_LOAD: (u32, u32) = (5, 4);

/// What the sensors of the machine read, each zero where it is nothing to speak of.
pub(super) type MachineLoad = [f64; 2];

/// Less than this part of what it was is clearly less.
const RELIEVED: f64 = 0.6;

impl Backoff {
    pub(super) const fn new(shortest: Duration, longest: Duration, probation: Duration) -> Self {
        Self {
            shortest,
            longest,
            probation,
            wait: shortest,
            climbed: None,
            under: None,
        }
    }

    /// The wait; longer than the longest, where the machine is as loaded as when an upgrade failed.
    pub(super) fn wait(&self) -> Duration {
        match self.under {
            Some(_) => self.longest * UNDER_LOAD.0 / UNDER_LOAD.1,
            None => self.wait,
        }
    }

    /// The upgrade failed while the machine had much to do.
    pub(super) fn on_failed_under_load(&mut self, now: MediaTime) {
        self.under = Some(Under {
            since: now,
            load: None,
        });
    }

    /// The machine's load is that now. Where it is clearly less than after an upgrade had failed, that says nothing any
    /// more.
    pub(super) fn on_machine(&mut self, load: MachineLoad, now: MediaTime) {
        let Some(under) = &mut self.under else {
            return;
        };
        if now.since(under.since) < CALM_AFTER {
            return;
        }
        let then = *under.load.get_or_insert(load);
        let mut parts = then.iter().zip(load);
        if parts.any(|(then, now)| now < then * RELIEVED) {
            self.start_over();
        }
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
        self.under = None;
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
            self.start_over();
        }
        succeeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(240);

    fn seconds(seconds: u64) -> MediaTime {
        MediaTime::from_millis(seconds * 1_000)
    }

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_secs(4), LONGEST, Duration::from_secs(40))
    }

    #[test]
    fn each_failed_upgrade_doubles_the_wait_up_to_its_limit() {
        let mut backoff = backoff();
        let mut now = 0;
        for wait in [4, 8, 16, 32, 64, 128, 240, 240] {
            assert_eq!(backoff.wait().as_secs(), wait);
            backoff.on_climb(seconds(now));
            assert!(backoff.on_fall(seconds(now + 39)));
            now += 100;
        }
    }

    #[test]
    fn an_upgrade_that_lasted_makes_the_wait_short_again() {
        let mut backoff = backoff();
        backoff.on_climb(seconds(0));
        backoff.on_fall(seconds(1));
        assert_eq!(backoff.wait().as_secs(), 8);
        backoff.on_climb(seconds(10));
        assert!(!backoff.on_time(seconds(49)));
        assert!(backoff.on_time(seconds(50)));
        assert_eq!(backoff.wait().as_secs(), 4);
        assert!(!backoff.on_fall(seconds(51)));
        assert_eq!(backoff.wait().as_secs(), 4);
    }

    #[test]
    fn what_failed_on_a_busy_machine_waits_until_that_has_less_to_do() {
        let mut backoff = backoff();
        backoff.on_climb(seconds(0));
        backoff.on_fall(seconds(1));
        backoff.on_failed_under_load(seconds(1));
        assert_eq!(backoff.wait().as_secs(), 300);
        backoff.on_machine([0.0, 0.1], seconds(2));
        backoff.on_machine([0.0, 0.8], seconds(6));
        backoff.on_machine([0.0, 0.6], seconds(60));
        assert_eq!(backoff.wait().as_secs(), 300);
        backoff.on_machine([0.0, 0.4], seconds(61));
        assert_eq!(backoff.wait().as_secs(), 4);
    }
}
