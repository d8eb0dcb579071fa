//! Where memory for frames comes from.

/// The allocator of our pools and copies.
pub(super) fn allocator() -> gst::Allocator {
    gst::Allocator::find(None)
        .unwrap_or_else(|| unreachable!("GStreamer always has a default allocator"))
}
