//! The pool that is offered: a GstVideoBufferPool that keeps books and waits at its maximum without risk.

mod alignment;
mod gate;
mod holdings;
mod imp;
mod mark;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::recycle::{Ledger, Limits};
use livetune_core::time::MediaTime;

pub(super) use mark::Lent;

use super::options::WhenFull;

/// The books of one element, shared with all pools that it ever offered.
pub(super) type SharedLedger = Arc<Mutex<Ledger>>;

glib::wrapper! {
    pub struct RecyclingPool(ObjectSubclass<imp::RecyclingPool>)
        @extends gst_video::VideoBufferPool, gst::BufferPool, gst::Object;
}

/// What a pool is for.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) ledger: SharedLedger,
    /// Who is told when the pool runs dry.
    pub(super) owner: glib::WeakRef<super::BufferRecycler>,
    /// Bits of each buffer's address that must be zero.
    pub(super) address_mask: u32,
    /// Bits of each plane's stride that must be zero, where downstream reads strides from the buffer; else 0.
    pub(super) stride_mask: u32,
    /// How long somebody waits at the maximum.
    pub(super) patience: Duration,
    /// What happens after that.
    pub(super) when_full: WhenFull,
    /// How long buffers are kept that nobody needs; zero: for ever.
    pub(super) window: Duration,
    /// Bytes that may lie free.
    pub(super) most_free: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            ledger: SharedLedger::default(),
            owner: glib::WeakRef::new(),
            address_mask: 0,
            stride_mask: 0,
            patience: Duration::ZERO,
            when_full: WhenFull::Grow,
            window: Duration::ZERO,
            most_free: u64::MAX,
        }
    }
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

    /// Gives back what nobody needed for a while.
    pub(super) fn trim(&self, now: MediaTime) {
        self.imp().trim(now);
    }

    /// How the memory of `buffer` was lent by a pool with the books `ledger`, where it was.
    pub(super) fn lent(ledger: &SharedLedger, buffer: &gst::BufferRef) -> Option<Lent> {
        mark::of(buffer, ledger)
    }
}
