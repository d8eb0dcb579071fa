//! The monotonic clock.
#![expect(clippy::disallowed_methods, reason = "the bench runs in real time")]

use std::time::Duration;

/// Nanoseconds.
pub fn now() -> u64 {
    gst::get_timestamp().nseconds()
}

/// Returns at `time` or a little later.
pub fn wait_until(time: u64) {
    std::thread::sleep(Duration::from_nanos(time.saturating_sub(now())));
}
