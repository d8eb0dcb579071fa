//! How fast the target may rise.

use std::time::Duration;

/// Until the first congestion the target doubles in a second (slow start, RFC 5681, at the pace of a video encoder).
const FAST_START: f64 = 1.0;
/// Far from the capacity: the step from 1 to 3 Mbit/s takes about 3 s.
const FAR: f64 = 0.4;
/// Near the capacity: about the 8 % per second of draft-ietf-rmcat-gcc-02, section 5.5, halved, as reports are rare.
const NEAR: f64 = 0.04;
/// What "near" is: GCC's three sigma around the measured capacity, in numbers of a steady path.
const NEAR_FROM: f64 = 0.85;
const NEAR_TO: f64 = 1.08;
/// One report never allows more than this: the effect of the last step must be seen first.
const STEP_FAST: f64 = 2.0;
const STEP: f64 = 1.4;

#[derive(Clone, Debug, Default)]
pub(super) struct Growth {
    congested_once: bool,
    capacity: Option<f64>,
}

impl Growth {
    /// The path was found to carry `capacity` (bit/s) and no more.
    pub(super) fn on_congestion(&mut self, capacity: f64) {
        self.congested_once = true;
        self.capacity = Some(capacity);
    }

    pub(super) fn capacity(&self) -> Option<f64> {
        self.capacity
    }

    /// By how much `target` may rise after `interval` without trouble.
    pub(super) fn factor(&mut self, target: f64, interval: Duration) -> f64 {
        if !self.congested_once {
            return (1.0 + FAST_START)
                .powf(interval.as_secs_f64())
                .min(STEP_FAST);
        }
        if self
            .capacity
            .is_some_and(|capacity| target > NEAR_TO * capacity)
        {
            self.capacity = None;
        }
        let near = self
            .capacity
            .is_some_and(|capacity| target > NEAR_FROM * capacity);
        let pace: f64 = if near { NEAR } else { FAR };
        (1.0 + pace).powf(interval.as_secs_f64()).min(STEP)
    }
}
