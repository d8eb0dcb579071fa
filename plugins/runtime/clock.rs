//! The only place that reads a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use gst::prelude::*;
use livetune_core::time::{MediaTime, nanos};

/// Seconds from the NTP epoch (1900) to the Unix epoch (1970), RFC 5905.
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// The system's monotonic clock. It does not begin with this process, so that a time before the first reading (the
/// capture of a buffer that was already old) is on its axis too.
pub(crate) fn monotonic() -> MediaTime {
    media_time(gst::get_timestamp())
}

/// The wall clock since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads a clock"
)]
pub(crate) fn unix() -> MediaTime {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH);
    MediaTime::from_nanos(unix.map_or(0, nanos))
}

/// The wall clock in nanoseconds since the NTP epoch, as `timestamp/x-ntp` metas carry it.
pub(crate) fn ntp() -> gst::ClockTime {
    let unix = gst::ClockTime::from_nseconds(unix().as_nanos());
    unix + gst::ClockTime::from_seconds(NTP_TO_UNIX_SECONDS)
}

/// The running time of `element`'s pipeline, or `None` before it has a clock.
pub(crate) fn running_time(element: &impl IsA<gst::Element>) -> Option<MediaTime> {
    element.current_running_time().map(media_time)
}

/// `time` on the axis of the cores.
pub(crate) fn media_time(time: gst::ClockTime) -> MediaTime {
    MediaTime::from_nanos(time.nseconds())
}
