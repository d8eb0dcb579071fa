//! How late one buffer is, and how that is known.

use std::time::Duration;

use livetune_core::time::MediaTime;

/// How a latency is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An earlier tap of this process saw the frame.
    Capture,
    /// First tap: the running time now against that of the buffer.
    Age,
    /// The wall clock now against the capture time that came over the network.
    Network,
    /// First tap, and the buffer does not say how old it is: taken as new.
    Unknown,
}

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
    pub(super) fn since_capture(captured: MediaTime, now: MediaTime) -> Self {
        Self::between(
            captured.as_nanos().into(),
            now.as_nanos().into(),
            Source::Capture,
        )
    }

    /// Of a buffer that carries `stamp`, both in NTP time.
    pub(super) fn since_stamp(stamp: gst::ClockTime, now: gst::ClockTime) -> Self {
        let (stamp, now) = (stamp.nseconds(), now.nseconds());
        Self::between(stamp.into(), now.into(), Source::Network)
    }

    /// Of a buffer with this `pts` in `segment` at the running time `now`.
    pub(super) fn age(
        pts: Option<gst::ClockTime>,
        segment: &gst::Segment,
        now: Option<MediaTime>,
    ) -> Self {
        let buffer = segment
            .downcast_ref::<gst::ClockTime>()
            .and_then(|segment| segment.to_running_time_full(pts?));
        match buffer.zip(now) {
            Some((buffer, now)) => Self::between(nanos(buffer), now.as_nanos().into(), Source::Age),
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

/// Running times lie before zero where a buffer lies before its segment, as the first ones of some encoders do.
fn nanos(time: gst::Signed<gst::ClockTime>) -> i128 {
    match time {
        gst::Signed::Positive(time) => time.nseconds().into(),
        gst::Signed::Negative(time) => -i128::from(time.nseconds()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: gst::ClockTime = gst::ClockTime::from_seconds(3600);

    fn ms(millis: u64) -> Option<gst::ClockTime> {
        Some(gst::ClockTime::from_mseconds(millis))
    }

    fn at(millis: u64) -> Option<MediaTime> {
        Some(MediaTime::from_millis(millis))
    }

    fn segment(start: gst::ClockTime) -> gst::Segment {
        gst::init().expect("GStreamer starts");
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(start);
        segment.upcast()
    }

    fn age(millis: u64) -> Reading {
        Reading {
            latency: Duration::from_millis(millis),
            source: Source::Age,
            negative: false,
        }
    }

    #[test]
    fn the_age_is_that_of_the_running_time_and_not_of_the_pts() {
        let encoder = segment(1000 * HOUR);
        let pts = Some(1000 * HOUR + gst::ClockTime::from_mseconds(20));
        assert_eq!(Reading::age(pts, &encoder, at(50)), age(30));
        assert_eq!(
            Reading::age(ms(20), &segment(gst::ClockTime::ZERO), at(50)),
            age(30)
        );
    }

    #[test]
    fn a_buffer_before_its_segment_is_older_than_the_running_time() {
        let segment = segment(gst::ClockTime::from_mseconds(100));
        assert_eq!(Reading::age(ms(80), &segment, at(50)), age(70));
    }

    #[test]
    fn a_buffer_ahead_of_the_clock_is_new_and_counted() {
        let ahead = Reading::age(ms(80), &segment(gst::ClockTime::ZERO), at(50));
        assert_eq!((ahead.latency, ahead.negative), (Duration::ZERO, true));
    }

    #[test]
    fn without_pts_clock_or_time_the_age_is_unknown() {
        let time = segment(gst::ClockTime::ZERO);
        let bytes = gst::FormattedSegment::<gst::format::Bytes>::new().upcast();
        assert_eq!(Reading::age(None, &time, at(50)), Reading::UNKNOWN);
        assert_eq!(Reading::age(ms(20), &time, None), Reading::UNKNOWN);
        assert_eq!(Reading::age(ms(20), &bytes, at(50)), Reading::UNKNOWN);
        assert_eq!(
            Reading::age(ms(20), &gst::Segment::new(), at(50)),
            Reading::UNKNOWN
        );
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
