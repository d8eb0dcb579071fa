//! Whose memory is this?
//!
//! A buffer forgets its pool when it is copied, also where the copy shares the memory (decoders push such copies while
//! they keep the original). So the memory itself is marked.

use std::sync::{Arc, LazyLock};

use gst::glib;
use gst::glib::translate::IntoGlib;

use super::SharedLedger;

static QUARK: LazyLock<glib::Quark> =
    LazyLock::new(|| glib::Quark::from_str("livetune-bufferrecycler-ledger"));

/// Marks all memory of `buffer` as one that the pools with the books `ledger` made.
pub(super) fn put(buffer: &gst::BufferRef, ledger: &SharedLedger) {
    for memory in buffer.iter_memories() {
        // SAFETY: a GstMemory is a GstMiniObject; the address is compared and never followed, so that it needs no
        // destroy function and may outlive the books.
        unsafe {
            gst::ffi::gst_mini_object_set_qdata(
                memory.as_ptr() as *mut gst::ffi::GstMiniObject,
                QUARK.into_glib(),
                Arc::as_ptr(ledger) as glib::ffi::gpointer,
                None,
            );
        }
    }
}

/// Whether `buffer` begins with memory that the pools with the books `ledger` made, or with a part of it.
pub(super) fn bears(buffer: &gst::BufferRef, ledger: &SharedLedger) -> bool {
    if buffer.n_memory() == 0 {
        return false;
    }
    let memory = buffer.peek_memory(0).as_ptr();
    // SAFETY: the buffer holds its memory, and a memory holds the one that it is a part of.
    unsafe {
        let parent = (*memory).parent;
        is_marked(memory, ledger) || (!parent.is_null() && is_marked(parent, ledger))
    }
}

/// # Safety
/// `memory` is alive.
unsafe fn is_marked(memory: *const gst::ffi::GstMemory, ledger: &SharedLedger) -> bool {
    let object = memory as *mut gst::ffi::GstMiniObject;
    // SAFETY: a GstMemory is a GstMiniObject, and the caller holds it.
    let mark = unsafe { gst::ffi::gst_mini_object_get_qdata(object, QUARK.into_glib()) };
    std::ptr::eq(mark, Arc::as_ptr(ledger).cast())
}
