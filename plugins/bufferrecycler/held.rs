//! Follows buffers of upstream's own pool until nobody downstream holds them.
//!
//! A pool takes away every meta that was put on after it lent a buffer, when the buffer comes home. So a meta of ours
//! sees the buffer off and ends when it is back.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use gst::ffi;
use gst::glib;
use gst::glib::translate::*;
use livetune_core::recycle::Ledger;

use super::pool::SharedLedger;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

#[repr(C)]
struct RawMeta {
    parent: ffi::GstMeta,
    /// One reference to the books.
    ledger: *const Mutex<Ledger>,
    key: u64,
}

/// What `init` is given.
struct Begin {
    ledger: *const Mutex<Ledger>,
    key: u64,
}

/// `buffer`, which counts as held in the books of `ledger` until it is back with upstream. Where upstream holds it too,
/// what goes on is a copy that shares its memory and keeps it out.
pub(super) fn follow(mut buffer: gst::Buffer, ledger: &SharedLedger) -> gst::Buffer {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let key = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut begin = Begin {
        ledger: Arc::into_raw(ledger.clone()),
        key,
    };
    lock(ledger).on_held(key, clock::monotonic());
    let target = buffer.make_mut().as_mut_ptr();
    // SAFETY: the buffer is writable; `init` reads a `Begin` before this call returns.
    let meta =
        unsafe { ffi::gst_buffer_add_meta(target, info(), ptr::from_mut(&mut begin).cast()) };
    if meta.is_null() {
        // SAFETY: nobody took the reference.
        end(unsafe { Arc::from_raw(begin.ledger) }, key);
    }
    buffer
}

fn end(ledger: SharedLedger, key: u64) {
    lock(&ledger).on_let_go(key);
}

fn info() -> *const ffi::GstMetaInfo {
    struct Info(*const ffi::GstMetaInfo);
    // SAFETY: GStreamer never changes or frees a registered info.
    unsafe impl Send for Info {}
    // SAFETY: as above.
    unsafe impl Sync for Info {}
    static INFO: OnceLock<Info> = OnceLock::new();
    let info = INFO.get_or_init(|| {
        let mut no_tags = [ptr::null()];
        // SAFETY: the names and the list of tags end with a null; the functions are those of a meta of this size.
        Info(unsafe {
            let api = c"LiveTuneHeldMetaAPI".as_ptr();
            ffi::gst_meta_register(
                ffi::gst_meta_api_type_register(api, no_tags.as_mut_ptr()),
                c"livetune-held".as_ptr(),
                size_of::<RawMeta>(),
                Some(init),
                Some(free),
                Some(transform),
            )
        })
    });
    info.0
}

unsafe extern "C" fn init(
    meta: *mut ffi::GstMeta,
    params: glib::ffi::gpointer,
    _buffer: *mut ffi::GstBuffer,
) -> glib::ffi::gboolean {
    if params.is_null() {
        // Somebody else tries to make one.
        return glib::ffi::GFALSE;
    }
    // SAFETY: GStreamer made room for the registered size, and only `follow` gives params: a `Begin`.
    unsafe {
        let begin = params.cast::<Begin>().read();
        let meta = meta.cast::<RawMeta>();
        (&raw mut (*meta).ledger).write(begin.ledger);
        (&raw mut (*meta).key).write(begin.key);
    }
    glib::ffi::GTRUE
}

unsafe extern "C" fn free(meta: *mut ffi::GstMeta, _buffer: *mut ffi::GstBuffer) {
    guard("a buffer that is back with upstream", (), || {
        // SAFETY: `init` wrote both, and this is called once for it.
        let (ledger, key) = unsafe {
            let meta = meta.cast::<RawMeta>();
            (Arc::from_raw((*meta).ledger), (*meta).key)
        };
        end(ledger, key);
    });
}

/// A copy is followed by nobody: what it shares with the original keeps that one out.
unsafe extern "C" fn transform(
    _target: *mut ffi::GstBuffer,
    _meta: *mut ffi::GstMeta,
    _source: *mut ffi::GstBuffer,
    _kind: glib::ffi::GQuark,
    _data: glib::ffi::gpointer,
) -> glib::ffi::gboolean {
    true.into_glib()
}
