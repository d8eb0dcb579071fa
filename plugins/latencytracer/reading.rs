//! How late one buffer is, and how that is known.

use std::time::Duration;

use livetune_core::latency::Source;
use livetune_core::time::MediaTime;

/// The latency of one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) latency: Duration,
    pub(super) source: Source,
    /// The buffer came before its capture time: the latency is taken as zero.
    pub(super) negative: bool,
}

impl Reading {
    pub(super) const UNKNOWN: Self = Self {
        latency: Duration::ZERO,
        source: Source::Unknown,
        negative: false,
    };

    /// Of a frame `captured` that an earlier tap saw.
    pub(super) fn since_capture(captured: MediaTime, source: Source, now: MediaTime) -> Self {
        Self::between(captured.as_nanos().into(), now.as_nanos().into(), source)
    }

    /// Of a buffer that carries `stamp`, both in NTP time.
    pub(super) fn since_stamp(stamp: gst::ClockTime, now: gst::ClockTime) -> Self {
        let (stamp, now) = (stamp.nseconds(), now.nseconds());
        Self::between(stamp.into(), now.into(), Source::Network)
    }

    /// Of a buffer with this `running` time, in nanoseconds, at the running time `now`.
    pub(super) fn age(running: Option<i64>, now: Option<MediaTime>) -> Self {
        match running.zip(now) {
            Some((running, now)) => {
                Self::between(running.into(), now.as_nanos().into(), Source::Age)
            }
            None => Self::UNKNOWN,
        }
    }

    fn between(captured: i128, now: i128, source: Source) -> Self {
        let nanos = now - captured;
        Self {
            latency: Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX)),
            source,
            negative: nanos < 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: gst::ClockTime = gst::ClockTime::from_seconds(3600);

    const MS: i64 = 1_000_000;

    fn at(millis: u64) -> Option<MediaTime> {
        Some(MediaTime::from_millis(millis))
    }

    #[test]
    fn a_buffer_ahead_of_the_clock_is_new_and_counted() {
        let ahead = Reading::age(Some(80 * MS), at(50));
        assert_eq!((ahead.latency, ahead.negative), (Duration::ZERO, true));
    }

    #[test]
    fn a_buffer_before_its_segment_is_older_than_the_running_time() {
        let old = Reading::age(Some(-20 * MS), at(50));
        assert_eq!(old.latency, Duration::from_millis(70));
        assert_eq!((old.source, old.negative), (Source::Age, false));
    }

    #[test]
    fn without_a_time_the_age_is_unknown() {
        assert_eq!(Reading::age(None, at(50)), Reading::UNKNOWN);
        assert_eq!(Reading::age(Some(20 * MS), None), Reading::UNKNOWN);
    }

    #[test]
    fn a_stamp_from_the_future_is_new_and_counted() {
        let reading = Reading::since_stamp(2 * HOUR, HOUR);
        assert_eq!((reading.latency, reading.negative), (Duration::ZERO, true));
        let reading = Reading::since_stamp(HOUR, 2 * HOUR);
        assert_eq!(reading.latency, Duration::from_secs(3600));
        assert_eq!(reading.source, Source::Network);
    }
}
