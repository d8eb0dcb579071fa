//! What an estimator is asked, and what it answers.

use std::time::Duration;

use crate::time::MediaTime;

use super::report::Reason;

/// The stream at the moment of a judgement. Rates are in bits per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// The exact target.
    pub(super) target: f64,
    /// What was sent in the last half second.
    pub(super) sent: f64,
    /// The usual time between two pieces of feedback.
    pub(super) cadence: Duration,
    pub(super) now: MediaTime,
}

/// Send this much, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Advice {
    /// Bit/s; the limits are the controller's business.
    pub(super) target: f64,
    pub(super) reason: Reason,
}

impl Advice {
    pub(super) const fn new(target: f64, reason: Reason) -> Self {
        Self { target, reason }
    }
}
