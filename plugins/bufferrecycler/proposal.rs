//! Reading upstream's ALLOCATION query and writing our answer into it.

use livetune_core::recycle::{Answer, Downstream, Limits, Request};

use super::memory;
use super::pool::{Plan, RecyclingPool};
use gst::glib;
use gst::prelude::*;

/// `GST_ALLOCATOR_SYSMEM`, which the binding leaves out.
const SYSTEM_MEMORY: &str = "SystemMemory";

/// The numbers in which upstream and downstream differ, out of `query` as downstream left it.
pub(super) fn request(query: &gst::query::Allocation) -> Request {
    let first = query.allocation_pools().next();
    let downstream = match first {
        None => Downstream::Nothing,
        Some((pool, size, min, max)) => {
            let limits = Limits { size, min, max };
            match pool {
                Some(pool) if is_plain(&pool, query.caps()) => Downstream::PlainPool(limits),
                Some(_) => Downstream::Pool(limits),
                None => Downstream::Advice(limits),
            }
        }
    };
    Request {
        wants_pool: query.need_pool(),
        frame_size: query.caps().and_then(frame_size),
        largest_size: query.caps().and_then(largest_size),
        downstream,
    }
}

/// Bytes that no picture with `caps` takes more of, where we have no memory for it: in memory of a device, or JPEG of a
/// camera, for which v4l2 drivers count two bytes for each pixel.
fn largest_size(caps: &gst::CapsRef) -> Option<u32> {
    if !caps.is_fixed() {
        return None;
    }
    let structure = caps.structure(0)?;
    if structure.name() == "video/x-raw" {
        let info = gst_video::VideoInfo::from_caps(caps).ok()?;
        return u32::try_from(info.size()).ok();
    }
    if !structure.name().starts_with("image/") {
        return None;
    }
    let side = |name| u32::try_from(structure.get::<i32>(name).ok()?).ok();
    side("width")?.checked_mul(side("height")?)?.checked_mul(2)
}

/// Whether `pool` does nothing that one of ours for frames of `caps` would not do: a GstVideoBufferPool itself and none
/// of the kinds derived from it, with memory of the system.
fn is_plain(pool: &gst::BufferPool, caps: Option<&gst::CapsRef>) -> bool {
    if pool.type_() != gst_video::VideoBufferPool::static_type() {
        return false;
    }
    let config = pool.config();
    let configured = config.params().and_then(|params| params.0);
    let same_caps = configured.is_none_or(|configured| Some(configured.as_ref()) == caps);
    let allocator = config.allocator().and_then(|(allocator, _)| allocator);
    same_caps && is_system(allocator.as_ref())
}

/// Whether `allocator` makes memory that ours can stand in for.
pub(super) fn is_system(allocator: Option<&gst::Allocator>) -> bool {
    allocator.is_none_or(|allocator| {
        let system = gst::Allocator::find(Some(SYSTEM_MEMORY));
        Some(allocator) == system.as_ref() || allocator == memory::shared()
    })
}

/// Bytes of a raw video frame with `caps` in system memory, or `None` where it is anything else.
pub(super) fn frame_size(caps: &gst::CapsRef) -> Option<u32> {
    let raw = caps.structure(0)?.name() == "video/x-raw";
    let plain = caps.features(0).is_none_or(in_system_memory);
    if !raw || !plain || !caps.is_fixed() {
        return None;
    }
    let info = gst_video::VideoInfo::from_caps(caps).ok()?;
    u32::try_from(info.size()).ok().filter(|size| *size > 0)
}

/// Metas that have to be there say nothing of the memory; any other feature may mean that it is not ours to make.
fn in_system_memory(features: &gst::CapsFeaturesRef) -> bool {
    !features.is_any()
        && features.iter().all(|feature| {
            feature == gst::CAPS_FEATURE_MEMORY_SYSTEM_MEMORY || feature.starts_with("meta:")
        })
}

/// Whether `caps` say that the data lies in memory of a device (CUDA, DMABuf, GL ...).
pub(super) fn on_device(caps: &gst::CapsRef) -> bool {
    caps.features(0)
        .is_some_and(|features| !in_system_memory(features))
}

/// Writes `answer` into `query`. Answers the pool where it is one of ours.
pub(super) fn apply(
    query: &mut gst::query::Allocation,
    answer: Answer,
    plan: Plan,
) -> Result<Option<RecyclingPool>, glib::BoolError> {
    match answer {
        Answer::Leave => Ok(None),
        Answer::Raise(limits) => {
            let kept = query.allocation_pools().next().and_then(|first| first.0);
            put_first(query, kept.as_ref(), limits);
            Ok(None)
        }
        Answer::OwnPool(limits) => {
            let pool = own_pool(query, limits, plan)?;
            put_first(query, Some(pool.upcast_ref()), limits);
            Ok(Some(pool))
        }
    }
}

fn own_pool(
    query: &gst::query::Allocation,
    limits: Limits,
    mut plan: Plan,
) -> Result<RecyclingPool, glib::BoolError> {
    let caps = query
        .get_owned()
        .0
        .ok_or_else(|| glib::bool_error!("an allocation query without caps"))?;
    let strides_are_read = query
        .find_allocation_meta::<gst_video::VideoMeta>()
        .is_some();
    if !strides_are_read {
        plan.stride_mask = 0;
    }
    match query.allocation_pools().next() {
        Some((Some(plain), ..)) => RecyclingPool::in_place_of(&plain, &caps, limits, plan),
        _ => RecyclingPool::new(&caps, limits, plan),
    }
}

fn put_first(query: &mut gst::query::Allocation, pool: Option<&gst::BufferPool>, limits: Limits) {
    let Limits { size, min, max } = limits;
    if query.allocation_pools().next().is_some() {
        query.set_nth_allocation_pool(0, pool, size, min, max);
    } else {
        query.add_allocation_pool(pool, size, min, max);
    }
}

/// Raises the alignment of every allocator in `query` to `mask`; where there is none, asks for it without one.
pub(super) fn align(query: &mut gst::query::Allocation, mask: u32) {
    let params: Vec<_> = query.allocation_params().collect();
    if params.is_empty() {
        let mut aligned = gst::AllocationParams::default();
        aligned.set_align(mask as usize);
        query.add_allocation_param(gst::Allocator::NONE, aligned);
    }
    for (index, (allocator, mut aligned)) in (0..).zip(params) {
        aligned.set_align(aligned.align() | mask as usize);
        query.set_nth_allocation_param(index, allocator.as_ref(), aligned);
    }
}

/// Offers `allocator` where downstream has none of its own; whether it does.
pub(super) fn offer_allocator(
    query: &mut gst::query::Allocation,
    allocator: &gst::Allocator,
) -> bool {
    if query.caps().is_some_and(on_device) {
        return false;
    }
    match query.allocation_params().next() {
        None => query.add_allocation_param(Some(allocator), gst::AllocationParams::default()),
        Some((theirs, params)) if is_system(theirs.as_ref()) => {
            query.set_nth_allocation_param(0, Some(allocator), params);
        }
        Some(_) => return false,
    }
    true
}
