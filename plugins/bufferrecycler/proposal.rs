//! Reading upstream's ALLOCATION query and writing our answer into it.

use livetune_core::recycle::{Answer, Downstream, Limits, Request, Sizing};

use super::pool::{Plan, RecyclingPool, SharedLedger};
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
        downstream,
    }
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
    let system = gst::Allocator::find(Some(SYSTEM_MEMORY));
    same_caps && (allocator.is_none() || allocator == system)
}

/// Bytes of a raw video frame with `caps` in system memory, or `None` where it is anything else.
fn frame_size(caps: &gst::CapsRef) -> Option<u32> {
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

/// Writes `answer` into `query`. Answers the pool where it is one of ours.
pub(super) fn apply(
    query: &mut gst::query::Allocation,
    answer: Answer,
    sizing: &Sizing,
    ledger: &SharedLedger,
) -> Result<Option<RecyclingPool>, glib::BoolError> {
    match answer {
        Answer::Leave => Ok(None),
        Answer::Raise(limits) => {
            let kept = query.allocation_pools().next().and_then(|first| first.0);
            put_first(query, kept.as_ref(), limits);
            Ok(None)
        }
        Answer::OwnPool(limits) => {
            let pool = own_pool(query, limits, sizing, ledger)?;
            put_first(query, Some(pool.upcast_ref()), limits);
            Ok(Some(pool))
        }
    }
}

fn own_pool(
    query: &gst::query::Allocation,
    limits: Limits,
    sizing: &Sizing,
    ledger: &SharedLedger,
) -> Result<RecyclingPool, glib::BoolError> {
    let caps = query
        .get_owned()
        .0
        .ok_or_else(|| glib::bool_error!("an allocation query without caps"))?;
    let strides_are_read = query
        .find_allocation_meta::<gst_video::VideoMeta>()
        .is_some();
    let plan = Plan {
        ledger: ledger.clone(),
        address_mask: sizing.address_mask(),
        stride_mask: if strides_are_read {
            sizing.stride_mask()
        } else {
            0
        },
    };
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
