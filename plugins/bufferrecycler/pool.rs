//! The pool that is offered: a GstVideoBufferPool that keeps books and waits at its maximum without risk.

mod alignment;
mod gate;
mod imp;
mod mark;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::recycle::{Ledger, Limits};

/// The books of one element, shared with all pools that it ever offered.
pub(super) type SharedLedger = Arc<Mutex<Ledger>>;

glib::wrapper! {
    pub struct RecyclingPool(ObjectSubclass<imp::RecyclingPool>)
        @extends gst_video::VideoBufferPool, gst::BufferPool, gst::Object;
}

/// What a pool is for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) ledger: SharedLedger,
    /// Bits of each buffer's address that must be zero.
    pub(super) address_mask: u32,
    /// Bits of each plane's stride that must be zero, where downstream reads strides from the buffer; else 0.
    pub(super) stride_mask: u32,
}

impl RecyclingPool {
    /// A pool for frames of `caps`, not yet active.
    pub(super) fn new(
        caps: &gst::Caps,
        limits: Limits,
        plan: Plan,
    ) -> Result<Self, glib::BoolError> {
        let pool: Self = glib::Object::new();
        pool.imp().plan(plan);
        pool.configure(pool.config(), caps, limits)?;
        Ok(pool)
    }

    /// As [`Self::new`], with the allocator and the options of `plain` and the stricter of both alignments.
    pub(super) fn in_place_of(
        plain: &gst::BufferPool,
        caps: &gst::Caps,
        limits: Limits,
        plan: Plan,
    ) -> Result<Self, glib::BoolError> {
        let mut config = plain.config();
        alignment::tighten_rows(&mut config, &plan);
        let pool: Self = glib::Object::new();
        pool.imp().plan(plan);
        pool.configure(config, caps, limits)?;
        Ok(pool)
    }

    fn configure(
        &self,
        mut config: gst::BufferPoolConfig,
        caps: &gst::Caps,
        limits: Limits,
    ) -> Result<(), glib::BoolError> {
        config.set_params(Some(caps), limits.size, limits.min, limits.max);
        self.set_config(config)
    }

    /// The element that offered this pool stops: nobody waits for a buffer any more, and the maximum is void. An
    /// upstream that still runs (because only our element was taken out) goes on without a stall.
    pub(super) fn retire(&self) {
        self.imp().retire();
    }

    /// Whether the memory of `buffer` was made by a pool with the books `ledger`.
    pub(super) fn made(ledger: &SharedLedger, buffer: &gst::BufferRef) -> bool {
        mark::bears(buffer, ledger)
    }
}
