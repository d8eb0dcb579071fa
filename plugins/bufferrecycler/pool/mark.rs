//! Whose memory is this?
//!
//! A buffer forgets its pool when it is copied, also where the copy shares the memory (decoders push such copies while
//! they keep the original). So the memory itself is marked.

use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::glib::translate::IntoGlib;
use livetune_core::recycle::Ledger;

use super::SharedLedger;
use crate::runtime::guard::guard;

static QUARK: LazyLock<glib::Quark> =
    LazyLock::new(|| glib::Quark::from_str("livetune-bufferrecycler-ledger"));

/// Marks all memory of `buffer` as one that the pools with the books `ledger` made.
pub(super) fn put(buffer: &gst::BufferRef, ledger: &SharedLedger) {
    for memory in buffer.iter_memories() {
        // SAFETY: a GstMemory is a GstMiniObject; it holds the books from here on, until `forget` lets go of them.
        unsafe {
            gst::ffi::gst_mini_object_set_qdata(
                memory.as_ptr() as *mut gst::ffi::GstMiniObject,
                QUARK.into_glib(),
                Arc::into_raw(ledger.clone()) as glib::ffi::gpointer,
                Some(forget),
            );
        }
    }
}

/// Called when the memory ends. Until then its books stay alive: other books at their address would take the memory
/// for their own.
unsafe extern "C" fn forget(mark: glib::ffi::gpointer) {
    guard("the end of marked memory", (), || {
        // SAFETY: `put` gave one reference away as this pointer, and this is called once for it.
        drop(unsafe { Arc::from_raw(mark.cast_const().cast::<Mutex<Ledger>>()) });
    });
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
