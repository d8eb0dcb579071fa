//! How many frames flow for each that the encoder counts on.

use std::time::Duration;

use crate::time::MediaTime;

/// Frames are counted over this much of their time: ten of 20 a second, and short enough that frames that come back
/// are not sent with the bits of those that were missing for long.
const WINDOW: Duration = Duration::from_millis(500);
/// A pause, not a rate.
const GAP: Duration = Duration::from_millis(300);
/// A frame more or less in a window is no other rate.
const NOTICEABLE: f64 = 0.10;
/// 60 frames a second in the caps, 15 that flow: the lowest rung of the usual ladders.
const MOST: f64 = 4.0;

/// Compares the frame rate that flows with the one in the caps. An encoder that gives every frame the bits of one
/// of the caps' rate sends less than it is told where frames were left out before it.
#[derive(Clone, Debug)]
pub struct Thinning {
    /// Frames a second, by the caps.
    promised: Option<f64>,
    start: Option<MediaTime>,
    last: MediaTime,
    intervals: u32,
    factor: f64,
}

impl Thinning {
    /// Nothing is promised yet.
    pub fn new() -> Self {
        Self {
            promised: None,
            start: None,
            last: MediaTime::ZERO,
            intervals: 0,
            factor: 1.0,
        }
    }

    /// From now on the caps say `rate` frames a second (nothing where they vary). Counts anew.
    pub fn on_caps(&mut self, rate: Option<f64>) {
        *self = Self {
            promised: rate.filter(|rate| rate.is_finite() && *rate > 0.0),
            ..Self::new()
        };
    }

    /// A frame of the time `at`, or one more part of it.
    pub fn on_frame(&mut self, at: MediaTime) {
        let Some(promised) = self.promised else {
            return;
        };
        let step = at.checked_since(self.last).filter(|step| *step <= GAP);
        let (Some(start), Some(step)) = (self.start, step) else {
            self.count_from(at);
            return;
        };
        if step.is_zero() {
            return;
        }
        self.intervals += 1;
        self.last = at;
        let passed = at.since(start);
        if passed >= WINDOW {
            let factor = promised * passed.as_secs_f64() / f64::from(self.intervals);
            self.judge(factor);
            self.count_from(at);
        }
    }

    /// How many times its share of the bits each frame may have.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    fn judge(&mut self, factor: f64) {
        let factor = factor.clamp(1.0 / MOST, MOST);
        let factor = if (factor - 1.0).abs() < NOTICEABLE {
            1.0
        } else {
            factor
        };
        if (factor / self.factor - 1.0).abs() >= NOTICEABLE {
            self.factor = factor;
        }
    }

    fn count_from(&mut self, at: MediaTime) {
        self.start = Some(at);
        self.last = at;
        self.intervals = 0;
    }
}

impl Default for Thinning {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets two seconds of every frame of 30 a second pass that `kept` answers for.
    fn feed(thinning: &mut Thinning, from: u64, kept: impl Fn(u64) -> bool) {
        for n in (from * 30..(from + 2) * 30).filter(|n| kept(*n)) {
            thinning.on_frame(MediaTime::from_nanos(n * 1_000_000_000 / 30));
        }
    }

    fn of_30() -> Thinning {
        let mut thinning = Thinning::new();
        thinning.on_caps(Some(30.0));
        thinning
    }

    #[test]
    fn frames_that_are_left_out_give_theirs_to_the_others() {
        let mut thinning = of_30();
        feed(&mut thinning, 0, |_| true);
        assert!((thinning.factor() - 1.0).abs() < 1e-9);
        feed(&mut thinning, 2, |n| n % 3 != 2);
        assert!((thinning.factor() - 1.5).abs() < 0.15);
        feed(&mut thinning, 4, |n| n % 2 == 0);
        assert!((thinning.factor() - 2.0).abs() < 0.2);
        feed(&mut thinning, 6, |_| true);
        assert!((thinning.factor() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_pause_a_jump_and_parts_of_frames_are_no_other_rate() {
        let mut thinning = of_30();
        feed(&mut thinning, 0, |n| !(20..40).contains(&n));
        feed(&mut thinning, 0, |_| true);
        for n in 0..60 {
            let at = MediaTime::from_nanos(9_000_000_000 + n * 1_000_000_000 / 30);
            thinning.on_frame(at);
            thinning.on_frame(at);
        }
        assert!((thinning.factor() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_promise_nothing_is_missing_and_new_caps_forget() {
        let mut thinning = Thinning::new();
        for rate in [None, Some(0.0), Some(f64::NAN)] {
            thinning.on_caps(rate);
            feed(&mut thinning, 0, |n| n % 2 == 0);
            assert!((thinning.factor() - 1.0).abs() < 1e-9);
        }
        let mut thinning = of_30();
        feed(&mut thinning, 0, |n| n % 8 == 0);
        assert!((thinning.factor() - MOST).abs() < 0.4);
        thinning.on_caps(Some(30.0));
        assert!((thinning.factor() - 1.0).abs() < 1e-9);
    }
}
