//! How long a frame may wait for its objects, learned from what the network costs.

use std::time::Duration;

use crate::time::{MediaTime, nanos};

/// Longer than this no learned budget is: where a network needs longer, boxes come late and are carried.
pub const LONGEST_BUDGET: Duration = Duration::from_secs(1);
/// Learned budgets are whole steps of this.
const STEP: Duration = Duration::from_millis(5);
/// A budget that is raised is raised by this part more than is needed, so that the next little rise changes nothing.
const MARGIN: f64 = 1.2;
/// One that is more than so many times what is needed, with the margin, is too long ...
const TOO_LONG: f64 = 1.5;
/// ... and lowered when it was so for this long. A change makes the whole pipeline ask for its latency again.
const CALM: Duration = Duration::from_secs(10);
/// The rest of the row is for frames that come in a burst.
const MOST_OF_CAPACITY: f64 = 0.75;
/// What two frames are apart where nothing says so: 25 per second.
const USUAL_INTERVAL: Duration = Duration::from_millis(40);
/// A mean over about as many frames.
const SMOOTHING: u32 = 8;

/// How long a frame may wait: as set, or one frame interval and two inference times (a frame waits for the one in the
/// network and then for itself).
#[derive(Clone, Debug)]
pub struct Budget {
    fixed: Option<Duration>,
    /// Frames that may wait.
    capacity: usize,
    interval: Option<Duration>,
    last_pts: Option<MediaTime>,
    cost: Duration,
    learned: Duration,
    /// Since when the learned one is too long, and the most that was needed since.
    too_long: Option<(MediaTime, Duration)>,
}

impl Budget {
    /// `fixed`, or learned: then no longer than most of the `capacity` of a row of frames lasts, so that the network does
    /// not fill it.
    pub const fn new(fixed: Option<Duration>, capacity: usize) -> Self {
        Self {
            fixed,
            capacity,
            interval: None,
            last_pts: None,
            cost: Duration::ZERO,
            learned: Duration::ZERO,
            too_long: None,
        }
    }

    /// Now `fixed`, or learned; whether that changes what holds.
    pub fn set_fixed(&mut self, fixed: Option<Duration>) -> bool {
        let before = self.current();
        self.fixed = fixed;
        self.current() != before
    }

    /// What holds now.
    pub fn current(&self) -> Duration {
        self.fixed.unwrap_or(self.learned)
    }

    /// What two frames are apart.
    pub fn interval(&self) -> Duration {
        self.interval.unwrap_or(USUAL_INTERVAL)
    }

    /// Two frames are so far apart, or nobody says.
    pub const fn on_interval(&mut self, interval: Option<Duration>) {
        self.interval = interval;
        self.last_pts = None;
    }

    /// A frame came of a stream that does not say how far two are apart.
    pub fn on_frame(&mut self, pts: MediaTime) {
        let apart = self.last_pts.and_then(|last| pts.checked_since(last));
        self.last_pts = Some(pts);
        let Some(apart) = apart.filter(|apart| !apart.is_zero() && *apart <= LONGEST_BUDGET) else {
            return;
        };
        self.interval = Some(match self.interval {
            Some(mean) => (mean * (SMOOTHING - 1) + apart) / SMOOTHING,
            None => apart,
        });
    }

    /// An inference takes `cost`; whether that changes what holds.
    pub fn on_cost(&mut self, cost: Duration, now: MediaTime) -> bool {
        self.cost = cost;
        let before = self.current();
        self.learn(now);
        self.current() != before
    }

    fn longest(&self) -> Duration {
        let held = self.interval() * self.capacity as u32;
        held.mul_f64(MOST_OF_CAPACITY)
            .max(self.interval())
            .min(LONGEST_BUDGET)
    }

    fn learn(&mut self, now: MediaTime) {
        let needed = (self.interval() + self.cost * 2).min(self.longest());
        if needed > self.learned {
            self.learned = rounded(needed.mul_f64(MARGIN)).min(self.longest());
            self.too_long = None;
        } else if needed.mul_f64(MARGIN * TOO_LONG) >= self.learned {
            self.too_long = None;
        } else {
            let (since, most) = self.too_long.unwrap_or((now, needed));
            let most = most.max(needed);
            self.too_long = Some((since, most));
            if now.since(since) >= CALM {
                self.learned = rounded(most.mul_f64(MARGIN));
                self.too_long = None;
            }
        }
    }
}

fn rounded(duration: Duration) -> Duration {
    let step = nanos(STEP);
    Duration::from_nanos(nanos(duration).div_ceil(step).saturating_mul(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn it_is_one_interval_and_two_inferences_with_a_margin() {
        let mut budget = Budget::new(None, 100);
        budget.on_interval(Some(ms(40)));
        assert!(budget.on_cost(ms(30), at(0)));
        assert_eq!(budget.current(), ms(120));
    }

    #[test]
    fn costs_that_wander_change_nothing() {
        let mut budget = Budget::new(None, 100);
        budget.on_interval(Some(ms(33)));
        budget.on_cost(ms(30), at(0));
        let mut changes = 0;
        for frame in 0..10_000_u64 {
            let cost = ms(24 + (frame * 7) % 13);
            changes += u32::from(budget.on_cost(cost, at(frame * 33)));
        }
        assert!(changes <= 1, "{changes} changes of the latency");
    }

    #[test]
    fn it_rises_at_once_and_falls_after_a_calm_time() {
        let mut budget = Budget::new(None, 100);
        budget.on_interval(Some(ms(40)));
        budget.on_cost(ms(10), at(0));
        assert!(budget.on_cost(ms(100), at(1_000)));
        assert_eq!(budget.current(), ms(290));
        assert!(!budget.on_cost(ms(10), at(2_000)));
        assert!(!budget.on_cost(ms(20), at(11_000)), "not calm for long");
        assert!(budget.on_cost(ms(10), at(12_000)));
        assert_eq!(budget.current(), ms(100), "the most that was needed since");
    }

    #[test]
    fn a_slow_network_does_not_make_video_wait_for_ever() {
        let mut budget = Budget::new(None, 100);
        budget.on_cost(Duration::from_secs(20), at(0));
        assert_eq!(budget.current(), LONGEST_BUDGET);
        assert!(!budget.on_cost(Duration::from_secs(30), at(1)));
    }

    #[test]
    fn the_network_does_not_fill_the_row() {
        let mut budget = Budget::new(None, 25);
        budget.on_interval(Some(ms(20)));
        assert!(budget.on_cost(ms(900), at(0)));
        assert_eq!(budget.current(), ms(375));
        assert!(!budget.on_cost(ms(900), at(60_000)));
    }

    #[test]
    fn what_is_set_holds_whatever_is_measured() {
        let mut budget = Budget::new(Some(ms(7)), 100);
        assert!(!budget.on_cost(ms(500), at(0)));
        assert_eq!(budget.current(), ms(7));
        assert!(budget.set_fixed(None));
        assert_eq!(budget.current(), LONGEST_BUDGET);
    }

    #[test]
    fn without_a_frame_rate_frames_tell_how_far_apart_they_are() {
        let mut budget = Budget::new(None, 100);
        assert_eq!(budget.interval(), ms(40));
        for frame in 0..100 {
            budget.on_frame(at(frame * 100));
        }
        budget.on_frame(at(0));
        budget.on_frame(at(0));
        budget.on_frame(at(60_000));
        assert_eq!(budget.interval(), ms(100), "jumps do not count");
    }
}
