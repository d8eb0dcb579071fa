//! The queue in the path: the round trip above the shortest one seen lately.

use std::time::Duration;

use crate::time::MediaTime;

use super::super::window::WindowedMin;

/// The path without a queue is the shortest round trip of this time: long enough to hold one moment without a queue.
const BASE_WINDOW: Duration = Duration::from_secs(30);
/// A longer round trip is a broken clock or a lie.
const ABSURD: Duration = Duration::from_secs(30);
/// Above this there may be a queue: do not rise. Twice the 15 ms that a frame's packets wait for each other.
const WAIT: Duration = Duration::from_millis(30);
/// Twice in a row above this, not falling, is a queue that stays.
const STANDING: Duration = Duration::from_millis(60);
/// Above this there is no need to look twice: a key frame at its worst.
const FULL: Duration = Duration::from_millis(120);
/// Round trips that came so recently come again soon: worth waiting for one before rising.
const SOON: Duration = Duration::from_secs(2);
/// What was measured before three regular RTCP intervals says nothing any more.
const STALE: Duration = Duration::from_secs(15);
/// Below this a queue is gone.
const DRAINED: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DelayVerdict {
    /// No queue (or no way to know).
    Clear,
    /// Not measured this time.
    NoNews,
    /// Maybe one: do not rise.
    Wait,
    /// A queue builds up or stands.
    OverUse,
}

#[derive(Clone, Debug)]
pub(super) struct Delay {
    base: WindowedMin<Duration>,
    rtt: Option<Duration>,
    queue: Option<Duration>,
    before: Option<Duration>,
    measured: Option<MediaTime>,
}

impl Delay {
    pub(super) fn new() -> Self {
        Self {
            base: WindowedMin::new(BASE_WINDOW),
            rtt: None,
            queue: None,
            before: None,
            measured: None,
        }
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    pub(super) fn queue(&self) -> Option<Duration> {
        self.queue
    }

    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_none_or(|queue| queue < DRAINED)
    }

    /// The queue did not get shorter since the measurement before.
    pub(super) fn is_standing(&self) -> bool {
        match (self.before, self.queue) {
            (Some(before), Some(queue)) => queue >= before.mul_f64(0.9),
            _ => false,
        }
    }

    /// The delay is not ours to cure: from here on it counts as the path's own.
    pub(super) fn accept(&mut self) {
        self.base.clear();
        self.queue = Some(Duration::ZERO);
    }

    pub(super) fn on_report(&mut self, rtt: Option<Duration>, now: MediaTime) -> DelayVerdict {
        let Some(rtt) = rtt.filter(|rtt| *rtt <= ABSURD) else {
            return self.without_news(now);
        };
        self.measured = Some(now);
        self.base.update(rtt, now);
        let base = self.base.min().unwrap_or(rtt);
        self.rtt = Some(rtt);
        let queue = rtt.saturating_sub(base);
        self.before = self.queue.replace(queue);
        let twice = self.before.is_some_and(|before| before > STANDING);
        if queue > FULL || (queue > STANDING && twice && self.is_standing()) {
            DelayVerdict::OverUse
        } else if queue > WAIT {
            DelayVerdict::Wait
        } else {
            DelayVerdict::Clear
        }
    }

    fn without_news(&mut self, now: MediaTime) -> DelayVerdict {
        let age = self.measured.map(|measured| now.since(measured));
        match age {
            Some(age) if age < SOON => DelayVerdict::NoNews,
            Some(age) if age < STALE && self.queue.is_some_and(|queue| queue > WAIT) => {
                DelayVerdict::Wait
            }
            Some(age) if age >= STALE => {
                self.queue = None;
                DelayVerdict::Clear
            }
            _ => DelayVerdict::Clear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(delay: &mut Delay, rtts: &[u64]) -> Vec<DelayVerdict> {
        let step = |(n, ms): (usize, &u64)| {
            let now = MediaTime::from_millis(200 * n as u64);
            delay.on_report(Some(Duration::from_millis(*ms)), now)
        };
        rtts.iter().enumerate().map(step).collect()
    }

    #[test]
    fn one_long_round_trip_is_a_key_frame_and_two_are_a_queue() {
        use DelayVerdict::{Clear, OverUse, Wait};
        let mut delay = Delay::new();
        let verdicts = feed(&mut delay, &[50, 52, 130, 55, 125, 140, 300]);
        assert_eq!(
            verdicts,
            [Clear, Clear, Wait, Clear, Wait, OverUse, OverUse]
        );
    }

    #[test]
    fn absurd_round_trips_are_left_out() {
        let mut delay = Delay::new();
        feed(&mut delay, &[50]);
        let lie = Some(Duration::MAX);
        assert_eq!(delay.on_report(lie, MediaTime::ZERO), DelayVerdict::NoNews);
        assert_eq!(delay.rtt(), Some(Duration::from_millis(50)));
    }
}
