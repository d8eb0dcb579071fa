//! How often reports come, and when their silence means something.

use std::time::Duration;

use crate::time::MediaTime;

/// RTCP's regular interval (RFC 3550, 6.2): 5 s.
const REGULAR: Duration = Duration::from_secs(5);
/// RTCP intervals are drawn between 0.5 and 1.5 of their mean and reports get lost: three must be missing.
const MISSING: u32 = 3;
/// No silence shorter than RTCP's regular interval counts: a receiver may go back to it.
const LEAST_SILENCE: Duration = REGULAR;
/// Three regular intervals.
const MOST_SILENCE: Duration = Duration::from_secs(15);
/// Reports closer than this are counted as one interval: they say nothing about a rate.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);
/// Share of the newest interval in the mean.
const SMOOTHING: f64 = 0.25;

#[derive(Clone, Debug, Default)]
pub(super) struct Cadence {
    last: Option<MediaTime>,
    mean: Option<Duration>,
    silence_from: Option<MediaTime>,
}

impl Cadence {
    /// Takes in a report and answers the time since the one before; `None` for the first.
    pub(super) fn on_report(&mut self, now: MediaTime) -> Option<Duration> {
        let last = self.last.replace(now);
        self.silence_from = Some(now);
        let interval = now.since(last?).max(LEAST_INTERVAL);
        let mean = self.mean.unwrap_or(interval).as_secs_f64();
        let newest = interval.min(MOST_SILENCE).as_secs_f64();
        self.mean = Some(Duration::from_secs_f64(mean + SMOOTHING * (newest - mean)));
        Some(interval)
    }

    /// The usual time between two reports.
    pub(super) fn interval(&self) -> Duration {
        self.mean.unwrap_or(REGULAR)
    }

    /// When silence means something; `None` before the first report.
    pub(super) fn deadline(&self) -> Option<MediaTime> {
        let silence = (self.interval() * MISSING).clamp(LEAST_SILENCE, MOST_SILENCE);
        Some(self.silence_from?.after(silence))
    }

    /// When `silence` has passed since the last report, or since the last silence that was acted on.
    pub(super) fn deadline_after(&self, silence: Duration) -> Option<MediaTime> {
        Some(self.silence_from?.after(silence))
    }

    /// The silence is explained or acted on: the next deadline counts from here.
    pub(super) fn on_silence(&mut self, now: MediaTime) {
        if let Some(from) = &mut self.silence_from {
            *from = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_reports_bring_the_deadline_to_five_seconds() {
        let mut cadence = Cadence::default();
        assert_eq!(cadence.deadline(), None);
        assert_eq!(cadence.on_report(MediaTime::ZERO), None);
        assert_eq!(cadence.deadline(), Some(MediaTime::from_millis(15_000)));
        for n in 1..=20 {
            let interval = cadence.on_report(MediaTime::from_millis(200 * n));
            assert_eq!(interval, Some(Duration::from_millis(200)));
        }
        assert_eq!(cadence.deadline(), Some(MediaTime::from_millis(9_000)));
    }

    #[test]
    fn reports_at_one_instant_do_not_divide_by_nothing() {
        let mut cadence = Cadence::default();
        cadence.on_report(MediaTime::from_millis(7));
        assert_eq!(
            cadence.on_report(MediaTime::from_millis(7)),
            Some(LEAST_INTERVAL)
        );
        assert_eq!(cadence.on_report(MediaTime::ZERO), Some(LEAST_INTERVAL));
    }
}
