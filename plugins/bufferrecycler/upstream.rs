//! Upstream's own memory: where a buffer comes from, and how many of its kind there are.

use gst::glib::translate::from_glib_none;
use gst::prelude::*;
use livetune_core::recycle::{Origin, Supply};

/// What is known of upstream's own pool.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Upstream {
    /// The pool that was last asked, and how many buffers it may have; `None` where it may have any number.
    pool: Option<(PoolId, Option<u32>)>,
    /// The frames lie in memory of a device.
    pub(super) on_device: bool,
    /// What its pool had left when the last frame came.
    pub(super) supply: Supply,
}

/// Tells a pool from others while it is there; never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PoolId(usize);

impl Upstream {
    /// A new stream: other pools may lie where the old ones did.
    pub(super) fn forget(&mut self) {
        self.pool = None;
    }

    /// How many buffers the pool of a buffer may have, where it is known.
    pub(super) fn capacity(&self, of: Option<PoolId>) -> Known {
        match (of, self.pool) {
            (None, _) => Known::Capacity(None),
            (Some(id), Some((known, capacity))) if id == known => Known::Capacity(capacity),
            (Some(_), _) => Known::NotYet,
        }
    }

    pub(super) fn learn(&mut self, pool: PoolId, capacity: Option<u32>) {
        self.pool = Some((pool, capacity));
    }

    pub(super) fn origin(&self, pool: Option<PoolId>) -> Origin {
        match pool {
            _ if self.on_device => Origin::Device,
            Some(_) => Origin::UpstreamPool,
            None => Origin::Fresh,
        }
    }
}

/// What is known of a pool's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Capacity(Option<u32>),
    NotYet,
}

/// The pool that `buffer` goes home to. A buffer that shares the memory of a pool's buffer keeps that one out, as
/// decoders have it.
pub(super) fn pool_of(buffer: &gst::BufferRef) -> Option<PoolId> {
    let pool = raw_pool(buffer);
    if !pool.is_null() {
        return Some(PoolId(pool as usize));
    }
    let parent = buffer.meta::<gst::ParentBufferMeta>()?;
    let pool = raw_pool(parent.parent());
    (!pool.is_null()).then_some(PoolId(pool as usize))
}

fn raw_pool(buffer: &gst::BufferRef) -> *mut gst::ffi::GstBufferPool {
    // SAFETY: a valid buffer; nobody changes its pool while it is out.
    unsafe { (*buffer.as_ptr()).pool }
}

/// Asks the pool of `buffer` how many buffers it may have.
pub(super) fn ask_capacity(buffer: &gst::BufferRef) -> Option<u32> {
    let mut pool = raw_pool(buffer);
    if pool.is_null() {
        let parent = buffer.meta::<gst::ParentBufferMeta>()?;
        pool = raw_pool(parent.parent());
    }
    if pool.is_null() {
        return None;
    }
    // SAFETY: a buffer that is out, or that its child keeps out, holds its pool.
    let pool: gst::BufferPool = unsafe { from_glib_none(pool) };
    let (_, _, _, max) = pool.config().params()?;
    (max > 0).then_some(max)
}
