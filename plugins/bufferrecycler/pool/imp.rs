//! The functions of GstBufferPool, with the books kept and the gate in front.

use std::sync::{Mutex, OnceLock};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::recycle::Cause;
use livetune_core::time::MediaTime;

use super::alignment::{self, LargeAlignment};
use super::gate::{Entered, Gate};
use super::holdings::Holdings;
use super::{Plan, SharedLedger, mark};
use crate::bufferrecycler::options::WhenFull;
use crate::bufferrecycler::{memory, proposal};
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

#[derive(Default)]
pub struct RecyclingPool {
    plan: OnceLock<Plan>,
    gate: Gate,
    large_alignment: Mutex<Option<LargeAlignment>>,
    holdings: Mutex<Holdings>,
}

/// What tells one buffer that is out from another.
fn key(buffer: &gst::BufferRef) -> u64 {
    buffer.as_ptr() as u64
}

impl RecyclingPool {
    pub(super) fn plan(&self, plan: Plan) {
        lock(&self.holdings).plan(plan.window, plan.most_free);
        // A second plan for the same pool would be lost; `new` is the only caller.
        let _ = self.plan.set(plan);
    }

    pub(super) fn retire(&self) {
        self.gate.open();
    }

    fn planned(&self) -> &Plan {
        self.plan.get_or_init(Plan::default)
    }

    fn ledger(&self) -> &SharedLedger {
        &self.planned().ledger
    }

    fn filling(&self) -> bool {
        lock(&self.holdings).filling
    }

    fn on_made(&self, bytes: u64) {
        let filling = {
            let mut holdings = lock(&self.holdings);
            holdings.count += 1;
            holdings.bytes_each = bytes;
            holdings.filling
        };
        let cause = if filling { Cause::Ahead } else { Cause::Miss };
        lock(self.ledger()).on_made(bytes, cause);
    }

    fn on_freed(&self) {
        let bytes = {
            let mut holdings = lock(&self.holdings);
            holdings.count = holdings.count.saturating_sub(1);
            holdings.bytes_each
        };
        lock(self.ledger()).on_freed(bytes);
    }

    /// The maximum stays with us: GstVideoBufferPool is told that there is none, so that it never waits where only a
    /// flush could wake it. The config keeps the real number for those who read it.
    fn configure(&self, config: &mut gst::BufferPoolConfigRef) -> bool {
        let Some((caps, size, min, max)) = config.params() else {
            return false;
        };
        if let Some((allocator, params)) = config.allocator()
            && proposal::is_system(allocator.as_ref())
        {
            config.set_allocator(
                Some(memory::shared().upcast_ref::<gst::Allocator>()),
                Some(&params),
            );
        }
        let large = alignment::write(config, self.planned());
        config.set_params(caps.as_ref(), size, min, 0);
        let accepted = self.parent_set_config(config);
        if let Some((caps, size, min, _)) = config.params() {
            config.set_params(caps.as_ref(), size, min, max);
        }
        if accepted {
            self.gate.set_limit(max);
            lock(&self.holdings).set_min(min);
            *lock(&self.large_alignment) = large;
        }
        accepted
    }

    fn acquire(
        &self,
        params: Option<&gst::BufferPoolAcquireParams>,
    ) -> Result<gst::Buffer, gst::FlowError> {
        let no_wait = gst::BufferPoolAcquireFlags::DONTWAIT;
        let may_wait = !params.is_some_and(|params| params.flags().contains(no_wait));
        let patience = may_wait.then_some(self.planned().patience);
        let entered = self.gate.enter(patience, || self.on_dry());
        // What GstBufferPool answers to DONTWAIT at its maximum.
        let entered = entered.map_err(|_full| gst::FlowError::Eos)?;
        self.on_entered(entered);
        match self.parent_acquire_buffer(params) {
            Ok(buffer) => {
                let beyond = entered != Entered::Within;
                mark::note(
                    &buffer,
                    beyond && self.planned().when_full == WhenFull::Drop,
                );
                let now = clock::monotonic();
                lock(&self.holdings).on_lent(now);
                lock(self.ledger()).on_acquired(key(&buffer), now);
                Ok(buffer)
            }
            Err(error) => {
                self.gate.leave();
                Err(error)
            }
        }
    }

    fn on_dry(&self) {
        lock(self.ledger()).on_waited();
        if let Some(owner) = self.planned().owner.upgrade() {
            owner.imp().on_pool_dry();
        }
    }

    fn on_entered(&self, entered: Entered) {
        let Entered::Beyond { limit, first: true } = entered else {
            return;
        };
        lock(self.ledger()).on_timeout();
        if let Some(owner) = self.planned().owner.upgrade() {
            owner.imp().on_pool_full(limit, self.planned().when_full);
        }
    }

    /// `buffer` came home; one that is too many goes.
    fn take_back(&self, mut buffer: gst::Buffer) {
        if self.filling() {
            self.parent_release_buffer(buffer);
            return;
        }
        let now = clock::monotonic();
        let too_many = {
            let mut holdings = lock(&self.holdings);
            holdings.on_returned(now);
            holdings.excess(now) > 0
        };
        lock(self.ledger()).on_returned(key(&buffer));
        if too_many {
            self.discard(&mut buffer);
        }
        self.parent_release_buffer(buffer);
        self.gate.leave();
    }

    /// Has GstBufferPool free `buffer` when it is released next.
    fn discard(&self, buffer: &mut gst::Buffer) {
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_flags(gst::BufferFlags::TAG_MEMORY);
            lock(self.ledger()).on_trimmed(buffer.maxsize() as u64);
        }
    }

    /// Frees what nobody needed for a while. Buffers are taken from the parent's queue past our books, as they are not
    /// lent to anybody.
    pub(super) fn trim(&self, now: MediaTime) {
        let excess = lock(&self.holdings).excess(now);
        if excess == 0 || !self.obj().is_active() {
            return;
        }
        let at_once =
            gst::BufferPoolAcquireParams::with_flags(gst::BufferPoolAcquireFlags::DONTWAIT);
        for _ in 0..excess {
            let Ok(mut buffer) = self.parent_acquire_buffer(Some(&at_once)) else {
                return;
            };
            self.discard(&mut buffer);
            self.parent_release_buffer(buffer);
        }
    }
}

#[glib::object_subclass]
impl ObjectSubclass for RecyclingPool {
    const NAME: &'static str = "GstLiveTuneRecyclingPool";
    type Type = super::RecyclingPool;
    type ParentType = gst_video::VideoBufferPool;
}

// SAFETY: GstVideoBufferPoolClass is a GstBufferPoolClass with no functions of its own; the ones of GstBufferPool are
// set by the default, which initialises the parent class first. The binding leaves this declaration out.
unsafe impl IsSubclassable<RecyclingPool> for gst_video::VideoBufferPool {}

impl ObjectImpl for RecyclingPool {}

impl GstObjectImpl for RecyclingPool {}

impl BufferPoolImpl for RecyclingPool {
    fn options() -> &'static [&'static str] {
        static OPTIONS: OnceLock<[&str; 2]> = OnceLock::new();
        OPTIONS.get_or_init(|| {
            [
                gst_video::BUFFER_POOL_OPTION_VIDEO_META,
                gst_video::BUFFER_POOL_OPTION_VIDEO_ALIGNMENT,
            ]
            .map(glib::GStr::as_str)
        })
    }

    fn set_config(&self, config: &mut gst::BufferPoolConfigRef) -> bool {
        guard("the configuration of a pool", false, || {
            self.configure(config)
        })
    }

    fn start(&self) -> bool {
        guard("the start of a pool", false, || {
            lock(&self.holdings).filling = true;
            let started = self.parent_start();
            lock(&self.holdings).filling = false;
            started
        })
    }

    fn acquire_buffer(
        &self,
        params: Option<&gst::BufferPoolAcquireParams>,
    ) -> Result<gst::Buffer, gst::FlowError> {
        let failed = Err(gst::FlowError::Error);
        guard("a pool that lends", failed, || self.acquire(params))
    }

    fn alloc_buffer(
        &self,
        params: Option<&gst::BufferPoolAcquireParams>,
    ) -> Result<gst::Buffer, gst::FlowError> {
        let failed = Err(gst::FlowError::Error);
        guard("a pool that allocates", failed, || {
            let mut buffer = self.parent_alloc_buffer(params)?;
            let large = lock(&self.large_alignment).clone();
            if let Some(large) = large {
                large.apply(buffer.make_mut())?;
            }
            mark::put(&buffer, self.ledger());
            self.on_made(buffer.maxsize() as u64);
            Ok(buffer)
        })
    }

    fn release_buffer(&self, buffer: gst::Buffer) {
        guard("a pool that takes back", (), || {
            self.take_back(buffer);
        });
    }

    fn free_buffer(&self, buffer: gst::Buffer) {
        guard("a pool that frees", (), || {
            self.on_freed();
            self.parent_free_buffer(buffer);
        });
    }

    fn flush_start(&self) {
        guard("a pool that flushes", (), || {
            self.gate.set_flushing(true);
            self.parent_flush_start();
        });
    }

    fn flush_stop(&self) {
        guard("a pool that flushed", (), || {
            self.gate.set_flushing(false);
            self.parent_flush_stop();
        });
    }
}

impl Drop for RecyclingPool {
    /// GstBufferPool frees what it still holds when it ends, without a call of `free_buffer`.
    fn drop(&mut self) {
        let held = {
            let holdings = lock(&self.holdings);
            holdings.count * holdings.bytes_each
        };
        lock(self.ledger()).on_freed(held);
    }
}
