//! How much arrives.

use std::time::Duration;

use crate::units::Ratio;

use super::super::report::IntervalReport;

/// A fifth of a second holds about six frames, so one frame more or less moves its rate by a sixth; twice that evens
/// it out. A long interval needs no smoothing.
const SMOOTHING: f64 = 0.4;
/// After a stall more arrives than is sent; more than twice as much is a lie.
const PLAUSIBLE: f64 = 2.0;

#[derive(Clone, Debug, Default)]
pub(super) struct Delivery {
    smoothed: Option<f64>,
    newest: f64,
}

impl Delivery {
    /// Takes in what the `report` says arrived in the last `interval` while `sent` (bit/s) was sent.
    pub(super) fn on_report(&mut self, report: &IntervalReport, sent: f64, interval: Duration) {
        let guess = sent * (1.0 - Ratio::as_f64(report.loss));
        let newest = report.delivered.map_or(guess, |rate| rate.as_bps() as f64);
        let newest = newest.min(sent * PLAUSIBLE);
        let smoothed = self.smoothed.unwrap_or(newest);
        let weight = 1.0 - (-interval.as_secs_f64() / SMOOTHING).exp();
        self.smoothed = Some(smoothed + weight * (newest - smoothed));
        self.newest = newest;
    }

    /// Bits per second that arrive; `None` before the first interval.
    pub(super) fn rate(&self) -> Option<f64> {
        self.smoothed
    }

    /// The same in front of a queue that never runs empty: there the newest number is exact, and the smoothed
    /// one may still be that of a better time.
    pub(super) fn rate_behind_queue(&self) -> Option<f64> {
        Some(self.smoothed?.min(self.newest))
    }
}
