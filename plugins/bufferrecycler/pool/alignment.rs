//! Where buffers and rows begin.

use gst_video::prelude::*;

use super::Plan;

/// GstVideoBufferPool aligns every row to what the buffers are aligned to. Beyond this many bytes that wastes memory
/// (and rows a page apart compete for the same cache lines), so the buffers get their address from us.
const MOST_FOR_ROWS: usize = 256;

/// Memory for buffers whose address is a multiple of more than rows are.
#[derive(Clone, Debug)]
pub(super) struct LargeAlignment {
    allocator: Option<gst::Allocator>,
    params: gst::AllocationParams,
}

impl LargeAlignment {
    /// Puts the memory of `buffer` where it belongs.
    pub(super) fn apply(&self, buffer: &mut gst::BufferRef) -> Result<(), gst::FlowError> {
        let allocator = self
            .allocator
            .clone()
            .or_else(|| gst::Allocator::find(None));
        let memory = allocator.and_then(|a| a.alloc(buffer.size(), Some(&self.params)).ok());
        buffer.replace_all_memory(memory.ok_or(gst::FlowError::Error)?);
        Ok(())
    }
}

/// Where `config` aligns rows, aligns them as `plan` wants them, too.
pub(super) fn tighten_rows(config: &mut gst::BufferPoolConfigRef, plan: &Plan) {
    if !config.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_ALIGNMENT) {
        return;
    }
    let Some(rows) = config.video_alignment() else {
        return;
    };
    let strides = rows.stride_align().map(|mask| mask | plan.stride_mask);
    let (top, bottom) = (rows.padding_top(), rows.padding_bottom());
    let (left, right) = (rows.padding_left(), rows.padding_right());
    let tighter = gst_video::VideoAlignment::new(top, bottom, left, right, &strides);
    config.set_video_alignment(&tighter);
}

/// Writes the alignment of `plan` into `config`, as far as GstVideoBufferPool can be trusted with it; the rest is the
/// answer. Upstream switches the video meta on where it reads strides from buffers: only then may they differ from
/// the default. Where upstream brings an alignment for strides, that one stands.
pub(super) fn write(config: &mut gst::BufferPoolConfigRef, plan: &Plan) -> Option<LargeAlignment> {
    if plan.address_mask == 0 {
        return None;
    }
    let (allocator, mut params) = config.allocator()?;
    let align = params.align() | plan.address_mask as usize;
    let rows = config.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META);
    let kept = if rows {
        align & (MOST_FOR_ROWS - 1)
    } else {
        align
    };
    params.set_align(kept);
    config.set_allocator(allocator.as_ref(), Some(&params));
    let aligned = config.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    if plan.stride_mask > 0 && rows && !aligned {
        let strides = [plan.stride_mask; gst_video::VIDEO_MAX_PLANES];
        config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
        config.set_video_alignment(&gst_video::VideoAlignment::new(0, 0, 0, 0, &strides));
    }
    (kept < align).then(|| {
        params.set_align(align);
        LargeAlignment { allocator, params }
    })
}
