//! The capture time as wall clock time, for receivers in another process or on another machine.
//!
//! It is a reference timestamp meta with caps `timestamp/x-ntp`, which `rtphdrextntp64` writes into RTP packets and
//! `rtpjitterbuffer add-reference-timestamp-meta=true` reads from them.

use std::sync::LazyLock;
use std::time::Duration;

use livetune_core::time::nanos;

const NAME: &str = "timestamp/x-ntp";

static CAPS: LazyLock<gst::Caps> = LazyLock::new(|| {
    let mut caps = gst::Caps::new_empty_simple(NAME);
    // It lives as long as the process; the leaks tracer need not tell.
    caps.make_mut().mark_may_be_leaked();
    caps
});

/// The oldest capture time on `buffer`. A zero is no time: it is what `rtphdrextntp64` sends for a buffer that had
/// none. There are several where a frame came in several packets.
pub(super) fn oldest(buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
    let stamps = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    stamps
        .filter(|stamp| {
            stamp
                .reference()
                .structure(0)
                .is_some_and(|s| s.name() == NAME)
        })
        .map(|stamp| stamp.timestamp())
        .filter(|time| !time.is_zero())
        .min()
}

/// Attaches the capture time `time` to `buffer`.
pub(super) fn add(buffer: &mut gst::BufferRef, time: gst::ClockTime) {
    gst::ReferenceTimestampMeta::add(buffer, &CAPS, time, gst::ClockTime::NONE);
}

/// The wall clock time `duration` before `now`.
pub(super) fn before(now: gst::ClockTime, duration: Duration) -> gst::ClockTime {
    now.saturating_sub(gst::ClockTime::from_nseconds(nanos(duration)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_other_clocks_are_no_capture_times() {
        gst::init().expect("GStreamer starts");
        let mut buffer = gst::Buffer::new();
        let unix = gst::Caps::new_empty_simple("timestamp/x-unix");
        let time = gst::ClockTime::from_seconds;
        gst::ReferenceTimestampMeta::add(buffer.make_mut(), &unix, time(1), None);
        add(buffer.make_mut(), gst::ClockTime::ZERO);
        assert_eq!(oldest(&buffer), None);
        add(buffer.make_mut(), time(9));
        add(buffer.make_mut(), time(8));
        assert_eq!(oldest(&buffer), Some(time(8)));
    }
}
