//! Frames copied into memory of our own, so that upstream has its buffer back.

use gst::glib;
use gst::prelude::*;

use super::memory;

/// A copy of `buffer`, with all its metas, in one piece of recycled memory whose address has no bit of `mask`.
pub(super) fn copy(buffer: &gst::Buffer, mask: u32) -> Result<gst::Buffer, glib::BoolError> {
    if buffer.size() == 0 {
        return Err(glib::bool_error!("there is nothing in it"));
    }
    let failed = || glib::bool_error!("no memory of {} bytes", buffer.size());
    let mut params = gst::AllocationParams::default();
    params.set_align(params.align() | mask as usize);
    let memory = memory::shared().alloc(buffer.size(), Some(&params))?;
    let mut memory = memory.into_mapped_memory_writable().map_err(|_| failed())?;
    let copied = buffer.copy_to_slice(0, memory.as_mut_slice());
    copied.map_err(|_| glib::bool_error!("its memory cannot be read"))?;
    // This one still shares the memory of the original, and so keeps all metas that describe the memory.
    let mut copy = buffer.copy();
    let target = copy.get_mut().ok_or_else(failed)?;
    target.replace_all_memory(memory.into_memory());
    let_go_of_original(target);
    Ok(copy)
}

/// Removes what would keep the original out: metas that hold another buffer because its memory is in use.
fn let_go_of_original(copy: &mut gst::BufferRef) {
    while let Some(meta) = copy.meta_mut::<gst::ParentBufferMeta>() {
        if meta.remove().is_err() {
            return;
        }
    }
}
