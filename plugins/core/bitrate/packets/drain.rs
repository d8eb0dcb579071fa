//! Below the capacity until the queue is gone, and who is to blame where it does not go.

use std::time::Duration;

use crate::time::MediaTime;

use super::path::View;

/// A queue of this many seconds asks for nothing at all to be sent; a shorter one for its share less than the path
/// delivers, so that it is gone as long after (sweep "steps": 0.2 to 0.4 s; with 0.3 s a queue of 0.3 s is shorter than
/// 100 ms after 0.9 s, behind an encoder that follows within half a second) ...
const EMPTIED: f64 = 0.3;
/// ... but this much goes on, so that feedback does.
const LEAST: f64 = 0.05;
/// What is left of the target where little is sent, so that what arrives says nothing of the path (beta of
/// draft-ietf-rmcat-gcc-02, section 5.5).
const UNUSED: f64 = 0.85;
/// A full queue of 0.3 s is gone 1.4 s after the capacity fell to a quarter, behind an encoder that needs 0.9 s (sweep
/// "steps", the worst of 200): what stands for twice that is not our doing.
const PATIENCE: Duration = Duration::from_secs(3);
/// That is so where much less arrives than before, or less was not allowed.
const OBEYED: f64 = 0.75;
const UNMOVED: f64 = 0.9;
/// A queue that stays within this is none, but a longer way; one shorter than that is the frames of other senders, in
/// front of ours by chance. TCP's queue is longer and moves (measured: 150 to 300 ms behind a queue of 300).
const STILL: Duration = Duration::from_millis(10);
const SHORT: Duration = Duration::from_millis(80);

/// Why a queue does not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It may yet.
    Ours,
    /// The way has become longer, or meets others: nothing that our rate could change.
    Way,
    /// Somebody else keeps it filled, as TCP does.
    Others,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    since: MediaTime,
    /// The target, and what arrived, before.
    target: f64,
    delivered: f64,
    /// Shortest and longest queue in the second half of our patience.
    shortest: Duration,
    longest: Duration,
}

impl Drain {
    pub(super) fn new(view: &View, target: f64, now: MediaTime) -> Self {
        Self {
            since: now,
            target,
            delivered: view.delivered,
            shortest: view.head,
            longest: view.head,
        }
    }

    /// The target before: for where it turns out that it did no harm.
    pub(super) fn before(&self) -> f64 {
        self.target
    }

    /// The most that may be sent where little is.
    pub(super) fn unused(&self) -> f64 {
        UNUSED * self.target
    }

    /// The most that may be sent now, as the path looks.
    /// `sent` (bit/s) is on its way since a time of `rtt`, and adds to the queue what the path does not take.
    pub(super) fn rate(&self, view: &View, sent: f64, rtt: Duration) -> f64 {
        let capacity = view.capacity();
        let coming = (sent / capacity - 1.0).max(0.0) * rtt.as_secs_f64();
        let queue = view.head.max(view.jam).as_secs_f64() + coming;
        capacity * (1.0 - queue / EMPTIED).max(LEAST)
    }

    /// Takes in the newest `view`, in a message that said that packets were `lost` or not.
    pub(super) fn cause(&mut self, view: &View, lost: bool, target: f64, now: MediaTime) -> Cause {
        let waited = now.since(self.since);
        if lost || waited < PATIENCE / 2 {
            (self.shortest, self.longest) = (view.head, view.head);
        }
        self.shortest = self.shortest.min(view.head);
        self.longest = self.longest.max(view.head);
        let before = self.target.min(self.delivered);
        let obeyed = view.delivered < OBEYED * before || target >= UNMOVED * before;
        if waited < PATIENCE || !obeyed {
            Cause::Ours
        } else if self.longest < SHORT || self.longest - self.shortest < STILL {
            Cause::Way
        } else {
            Cause::Others
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(delivered: f64, queue: u64) -> View {
        View {
            delivered,
            busy: delivered,
            standing: Duration::from_millis(queue),
            head: Duration::from_millis(queue),
            jam: Duration::ZERO,
        }
    }

    /// What is said after four seconds in which the queue was `queue(ms)` and `delivered` arrived of 2 Mbit/s.
    fn cause(delivered: f64, queue: impl Fn(u64) -> u64) -> Cause {
        let mut drain = Drain::new(&view(2e6, 100), 2e6, MediaTime::ZERO);
        let feed = |ms| {
            let view = view(delivered, queue(ms));
            drain.cause(&view, false, 1e6, MediaTime::from_millis(ms))
        };
        let causes: Vec<Cause> = (0..4_000).step_by(33).map(feed).collect();
        assert!(causes[..80].iter().all(|cause| *cause == Cause::Ours));
        causes[causes.len() - 1]
    }

    #[test]
    fn who_keeps_the_queue_shows_when_we_give_way() {
        assert_eq!(cause(1e6, |ms| 150 + ms % 500 / 10), Cause::Others);
        assert_eq!(cause(1e6, |ms| 200 + ms % 3), Cause::Way);
        assert_eq!(cause(1e6, |ms| 20 + ms % 50), Cause::Way);
        assert_eq!(cause(1.9e6, |ms| 150 + ms % 500 / 10), Cause::Ours);
    }

    #[test]
    fn the_longer_the_queue_the_less_is_sent() {
        let drain = Drain::new(&view(2e6, 100), 2e6, MediaTime::ZERO);
        let rate = |queue| drain.rate(&view(1e6, queue), 1e6, Duration::from_millis(100));
        assert!((rate(75) / 0.75e6 - 1.0).abs() < 1e-9);
        assert!((rate(150) / 0.5e6 - 1.0).abs() < 1e-9);
        assert!((rate(4_000) / 0.05e6 - 1.0).abs() < 1e-9);
        let twice = drain.rate(&view(1e6, 100), 2e6, Duration::from_millis(50));
        assert!((twice / rate(150) - 1.0).abs() < 1e-9);
    }
}
