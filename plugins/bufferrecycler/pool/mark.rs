//! Whose memory is this?
//!
//! A buffer forgets its pool when it is copied, also where the copy shares the memory (decoders push such copies while
//! they keep the original). So the memory itself is marked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use gst::glib;
use gst::glib::translate::IntoGlib;

use super::SharedLedger;
use crate::runtime::guard::guard;

static QUARK: LazyLock<glib::Quark> =
    LazyLock::new(|| glib::Quark::from_str("livetune-bufferrecycler-mark"));

/// How a buffer of ours was lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bufferrecycler) struct Lent {
    /// The pool was at its maximum, and drops what does not fit.
    pub(in crate::bufferrecycler) beyond_maximum: bool,
}

/// Hangs on each memory of our pools.
struct Mark {
    /// Kept alive: other books at their address would take the memory for their own.
    ledger: SharedLedger,
    beyond_maximum: AtomicBool,
}

/// Marks all memory of `buffer` as one that the pools with the books `ledger` made.
pub(super) fn put(buffer: &gst::BufferRef, ledger: &SharedLedger) {
    for memory in buffer.iter_memories() {
        let mark = Box::new(Mark {
            ledger: ledger.clone(),
            beyond_maximum: AtomicBool::new(false),
        });
        // SAFETY: a GstMemory is a GstMiniObject; it has the mark from here on, until `forget` takes it.
        unsafe {
            gst::ffi::gst_mini_object_set_qdata(
                memory.as_ptr() as *mut gst::ffi::GstMiniObject,
                QUARK.into_glib(),
                Box::into_raw(mark).cast(),
                Some(forget),
            );
        }
    }
}

/// Called when the memory ends.
unsafe extern "C" fn forget(mark: glib::ffi::gpointer) {
    guard("the end of marked memory", (), || {
        // SAFETY: `put` gave the box away as this pointer, and this is called once for it.
        drop(unsafe { Box::from_raw(mark.cast::<Mark>()) });
    });
}

/// Notes on the memory of `buffer`, which is about to be lent, whether that is `beyond_maximum` of its pool.
pub(super) fn note(buffer: &gst::BufferRef, beyond_maximum: bool) {
    for memory in buffer.iter_memories() {
        // SAFETY: the buffer holds its memory.
        if let Some(mark) = unsafe { mark(memory.as_ptr()) } {
            mark.beyond_maximum.store(beyond_maximum, Ordering::Relaxed);
        }
    }
}

/// How `buffer` was lent, where it begins with memory that the pools with the books `ledger` made, or with a part of it.
pub(super) fn of(buffer: &gst::BufferRef, ledger: &SharedLedger) -> Option<Lent> {
    if buffer.n_memory() == 0 {
        return None;
    }
    let memory = buffer.peek_memory(0).as_ptr();
    // SAFETY: the buffer holds its memory, and a memory holds the one that it is a part of.
    let found = unsafe {
        let parent = (*memory).parent;
        match mark(memory) {
            None if !parent.is_null() => mark(parent),
            found => found,
        }
    };
    found
        .filter(|mark| Arc::ptr_eq(&mark.ledger, ledger))
        .map(|mark| Lent {
            beyond_maximum: mark.beyond_maximum.load(Ordering::Relaxed),
        })
}

/// # Safety
/// `memory` is alive for as long as the answer is used.
unsafe fn mark<'a>(memory: *const gst::ffi::GstMemory) -> Option<&'a Mark> {
    let object = memory as *mut gst::ffi::GstMiniObject;
    // SAFETY: a GstMemory is a GstMiniObject, the caller holds it, and only `put` sets this, to a `Mark`.
    unsafe {
        let mark = gst::ffi::gst_mini_object_get_qdata(object, QUARK.into_glib());
        mark.cast::<Mark>().as_ref()
    }
}
