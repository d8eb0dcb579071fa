//! What the tracer keeps at each pad, found there without a lock of ours.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use gst::glib::ffi::gpointer;
use gst::glib::translate::*;
use gst::glib::{self, gobject_ffi};
use gst::prelude::*;

use crate::latencytracer::pipeline::{Net, Outlet};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// The tracer is one observer in a process; elements are others.
const OBSERVER: u64 = 0;

/// Stands at pads that are not measured.
static ASIDE: u8 = 0;

/// Pads as the tracer sees them.
pub(super) struct Traced;

impl Net for Traced {
    fn outlet(&self, pad: &gst::Pad) -> Option<Arc<Outlet>> {
        let outlet = get(pad).filter(|there| !is_aside(*there))?.cast::<Outlet>();
        // SAFETY: only `attach` sets this, from an `Arc`, and the pad keeps it while we hold the pad.
        unsafe {
            Arc::increment_strong_count(outlet);
            Some(Arc::from_raw(outlet))
        }
    }
}

/// Runs `action` with what is measured at `pad`. Where the pad is new, `wanted` says whether to measure it.
#[inline]
pub(super) fn with_outlet(
    pad: &gst::Pad,
    wanted: impl FnOnce(&gst::Pad) -> bool,
    action: impl FnOnce(&Outlet),
) {
    let there = recall(pad).unwrap_or_else(|| attach(pad, wanted));
    if !is_aside(there) {
        // SAFETY: as in `outlet`: whoever calls holds the pad.
        action(unsafe { &*there.cast::<Outlet>() });
    }
}

/// How many pads were forgotten: what a thread remembers of any pad holds until one more is.
static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

/// Pads that a thread remembers, by their address: more than most threads push through.
const REMEMBERED: usize = 64;

/// What stands at a pad, remembered by a thread.
#[derive(Clone, Copy)]
struct Memory {
    pad: *const gst::ffi::GstPad,
    there: *const u8,
    forgotten: u64,
}

thread_local! {
    static MEMORIES: [Cell<Memory>; REMEMBERED] = const {
        [const {
            Cell::new(Memory {
                pad: ptr::null(),
                there: ptr::null(),
                forgotten: 0,
            })
        }; REMEMBERED]
    };
}

/// What stands at `pad`, with one look at the thread's own memory where it was there before.
#[inline]
fn recall(pad: &gst::Pad) -> Option<*const u8> {
    let key = pad.as_ptr().cast_const();
    let forgotten = FORGOTTEN.load(Ordering::Acquire);
    MEMORIES.with(|memories| {
        // Pads lie apart by their own size at least.
        let memory = &memories[(key.addr() >> 6) % REMEMBERED];
        let known = memory.get();
        if known.pad == key && known.forgotten == forgotten {
            return Some(known.there);
        }
        let there = get(pad)?;
        memory.set(Memory {
            pad: key,
            there,
            forgotten,
        });
        Some(there)
    })
}

#[inline]
fn get(pad: &gst::Pad) -> Option<*const u8> {
    // SAFETY: a valid object.
    let there = unsafe { gobject_ffi::g_object_get_qdata(pad.as_ptr().cast(), quark()) };
    (!there.is_null()).then_some(there.cast_const().cast())
}

#[inline]
fn is_aside(there: *const u8) -> bool {
    ptr::eq(there, &raw const ASIDE)
}

#[cold]
fn attach(pad: &gst::Pad, wanted: impl FnOnce(&gst::Pad) -> bool) -> *const u8 {
    static MAKING: Mutex<()> = Mutex::new(());
    // Looks at the pad's parents: not under our lock.
    let wanted = !pad.is::<gst::ProxyPad>() && wanted(pad);
    let _making = lock(&MAKING);
    if let Some(there) = get(pad) {
        return there;
    }
    let value: *const u8 = if wanted {
        Arc::into_raw(Arc::new(Outlet::new(pad, OBSERVER))).cast()
    } else {
        &raw const ASIDE
    };
    // SAFETY: a valid object; `detach` knows both kinds of value.
    unsafe {
        let data = value.cast_mut().cast();
        gobject_ffi::g_object_set_qdata_full(pad.as_ptr().cast(), quark(), data, Some(detach));
    }
    value
}

unsafe extern "C" fn detach(data: gpointer) {
    FORGOTTEN.fetch_add(1, Ordering::Release);
    let there = data.cast_const().cast::<u8>();
    if !is_aside(there) {
        // SAFETY: `attach` put an `Arc` there, and the pad is gone.
        let outlet = unsafe { Arc::from_raw(there.cast::<Outlet>()) };
        guard("the end of a pad", (), || drop(outlet));
    }
}

#[inline]
fn quark() -> glib::ffi::GQuark {
    static QUARK: OnceLock<glib::Quark> = OnceLock::new();
    QUARK
        .get_or_init(|| glib::Quark::from_str("livetune-tracer-outlet"))
        .into_glib()
}

/// Forgets all that was measured in `bin`.
pub(super) fn reset(bin: &gst::Bin) {
    for element in bin.children() {
        for pad in element.src_pads() {
            if let Some(outlet) = Traced.outlet(&pad) {
                outlet.reset();
            }
        }
        if let Some(bin) = element.downcast_ref::<gst::Bin>() {
            reset(bin);
        }
    }
}
