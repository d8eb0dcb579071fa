//! Where a buffer lies on the pipeline's time axis.
//!
//! Never its raw time stamp: encoders shift that (x264enc by 1000 hours) and their segment with it.

/// The running time of a buffer with this `pts` in nanoseconds, below zero where it lies before its segment, or `None`
/// where the segment is not one of time.
pub(super) fn running_time(pts: Option<gst::ClockTime>, segment: &gst::Segment) -> Option<i64> {
    let segment = segment.downcast_ref::<gst::ClockTime>()?;
    match segment.to_running_time_full(pts?)? {
        gst::Signed::Positive(time) => i64::try_from(time.nseconds()).ok(),
        gst::Signed::Negative(time) => i64::try_from(time.nseconds()).ok().map(|time| -time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: gst::ClockTime = gst::ClockTime::from_seconds(3600);
    const MS: i64 = 1_000_000;

    fn ms(millis: u64) -> Option<gst::ClockTime> {
        Some(gst::ClockTime::from_mseconds(millis))
    }

    fn segment(start: gst::ClockTime) -> gst::Segment {
        gst::init().expect("GStreamer starts");
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(start);
        segment.upcast()
    }

    #[test]
    fn it_counts_from_the_segment_and_not_from_zero() {
        let pts = Some(1000 * HOUR + gst::ClockTime::from_mseconds(20));
        assert_eq!(running_time(pts, &segment(1000 * HOUR)), Some(20 * MS));
        let zero = segment(gst::ClockTime::ZERO);
        assert_eq!(running_time(ms(20), &zero), Some(20 * MS));
    }

    #[test]
    fn a_buffer_before_its_segment_lies_below_zero() {
        let segment = segment(gst::ClockTime::from_mseconds(100));
        assert_eq!(running_time(ms(80), &segment), Some(-20 * MS));
    }

    #[test]
    fn without_pts_or_time_there_is_none() {
        assert_eq!(running_time(None, &segment(gst::ClockTime::ZERO)), None);
        let bytes = gst::FormattedSegment::<gst::format::Bytes>::new().upcast();
        assert_eq!(running_time(ms(20), &bytes), None);
        assert_eq!(running_time(ms(20), &gst::Segment::new()), None);
    }
}
