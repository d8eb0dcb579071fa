//! The allocator as the default of GStreamer, for as long as somebody wants that.
//!
//! The default is process-wide: with it also those elements use blocks again that ask nobody for a pool (what a copy on
//! write behind a tee makes, overlays, encoders, compositors), in every pipeline. Memory that came from it goes back to
//! it, however long it lives and whatever is the default by then.

use std::sync::Mutex;

use gst::prelude::*;

use super::{CAT, shared};
use crate::runtime::lock::lock;

static INSTALLED: Mutex<Installed> = Mutex::new(Installed {
    leases: 0,
    before: None,
});

struct Installed {
    leases: usize,
    /// The default before ours.
    before: Option<gst::Allocator>,
}

/// Keeps the recycling allocator the default. With the last one the default from before comes back, except where
/// somebody else has set another in the meantime: that one stays.
#[derive(Debug)]
pub struct Lease(());

/// Makes the recycling allocator GStreamer's default, at the latest now.
#[must_use = "the default ends with its lease"]
pub fn install() -> Lease {
    let mut installed = lock(&INSTALLED);
    installed.leases += 1;
    if installed.leases == 1 {
        installed.before = gst::Allocator::find(None);
        shared().clone().set_default();
        gst::info!(CAT, "the default allocator of this process recycles");
    }
    Lease(())
}

/// Whether the recycling allocator is the default now.
pub fn is_default() -> bool {
    let default = gst::Allocator::find(None);
    default.as_ref() == Some(shared().upcast_ref())
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut installed = lock(&INSTALLED);
        installed.leases -= 1;
        if installed.leases > 0 {
            return;
        }
        let before = installed.before.take();
        if !is_default() {
            gst::info!(CAT, "somebody else has set a default allocator: it stays");
        } else if let Some(before) = before {
            before.set_default();
            gst::info!(CAT, "the default allocator of before is back");
        }
    }
}
