//! Who a frame is and when it came to be.

use crate::time::MediaTime;

/// A frame's identity and its times on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Where it was first seen: one number per source and run.
    pub origin: u64,
    /// Which buffer of that source it was.
    pub sequence: u64,
    /// When it was first seen.
    pub entry: MediaTime,
    /// When it was captured.
    pub captured: MediaTime,
}
