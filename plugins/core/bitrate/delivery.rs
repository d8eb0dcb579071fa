//! How much arrives.

use std::time::Duration;

use crate::units::{Bitrate, ByteCount, Ratio};

use super::report::IntervalReport;

/// An interval of a quick receiver holds about six frames, so one frame more or less moves its rate by a sixth;
/// two intervals even that out.
const SMOOTHING: f64 = 0.4;
/// After a stall more arrives than was sent in the interval; more than twice as much is a lie.
const PLAUSIBLE: u64 = 2;

#[derive(Clone, Debug, Default)]
pub(super) struct Delivery {
    smoothed: Option<f64>,
    newest: f64,
}

impl Delivery {
    /// Takes in what was `sent` in the `interval` and what the `report` says arrived in it.
    pub(super) fn on_report(
        &mut self,
        report: &IntervalReport,
        sent: ByteCount,
        interval: Duration,
    ) {
        let sent = sent.as_u64();
        let kept = 1.0 - Ratio::as_f64(report.loss);
        let guess = (sent as f64 * kept) as u64;
        let arrived = report.received.map_or(guess, ByteCount::as_u64);
        let arrived = ByteCount::new(arrived.min(sent.saturating_mul(PLAUSIBLE)));
        let newest = Bitrate::from_bytes_over(arrived, interval).as_bps() as f64;
        let smoothed = self.smoothed.unwrap_or(newest);
        self.smoothed = Some(smoothed + SMOOTHING * (newest - smoothed));
        self.newest = newest;
    }

    /// Bits per second that arrive, before the first interval `None`.
    pub(super) fn rate(&self) -> Option<f64> {
        self.smoothed
    }

    /// The same in front of a queue that never runs empty: there the newest number is exact, and the smoothed
    /// one may still be that of a better time.
    pub(super) fn rate_behind_queue(&self) -> Option<f64> {
        Some(self.smoothed?.min(self.newest))
    }
}
