//! Where memory for frames comes from.

use gst::prelude::*;

use super::memory;

/// The allocator of our pools and copies.
pub(super) fn allocator() -> gst::Allocator {
    memory::shared().clone().upcast()
}
