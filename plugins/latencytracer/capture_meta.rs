//! `livetune-capture`: when a frame was captured, carried by its buffers.
//!
//! The meta has no tags and copies itself on every transformation, so it passes converters, encoders that reorder,
//! parsers, payloaders and decoders. A buffer made of several keeps the oldest capture and never holds a second one.
//! Once on a buffer it is never changed there: branches behind a tee may read it at the same time.

use std::ptr;
use std::sync::OnceLock;

use gst::ffi;
use gst::glib;
use gst::glib::translate::*;
use gst::prelude::*;
use livetune_core::latency::Capture;

use crate::runtime::guard::guard;

#[repr(C)]
pub(super) struct RawCaptureMeta {
    parent: ffi::GstMeta,
    capture: Capture,
}

#[repr(transparent)]
pub(super) struct CaptureMeta(RawCaptureMeta);

// SAFETY: plain numbers and a pointer to the registered info, which lives as long as the process.
unsafe impl Send for CaptureMeta {}
// SAFETY: as above; nothing in it changes behind a shared reference.
unsafe impl Sync for CaptureMeta {}

// SAFETY: `add` and `transform` are the only places that make metas of this API, all as `RawCaptureMeta`.
unsafe impl MetaAPI for CaptureMeta {
    type GstType = RawCaptureMeta;

    fn meta_api() -> glib::Type {
        static API: OnceLock<glib::Type> = OnceLock::new();
        *API.get_or_init(|| {
            let mut no_tags = [ptr::null()];
            let name = c"LiveTuneCaptureMetaAPI".as_ptr();
            // SAFETY: the name and the list of tags end with a null.
            unsafe { from_glib(ffi::gst_meta_api_type_register(name, no_tags.as_mut_ptr())) }
        })
    }
}

/// The capture of `buffer`. There is one at most: transformations merge them.
#[inline]
pub(super) fn of(buffer: &gst::BufferRef) -> Option<Capture> {
    let api = CaptureMeta::meta_api().into_glib();
    // SAFETY: a valid buffer, whose metas of this API are all `RawCaptureMeta`.
    unsafe {
        let meta = ffi::gst_buffer_get_meta(buffer.as_mut_ptr(), api).cast::<RawCaptureMeta>();
        meta.as_ref().map(|meta| meta.capture)
    }
}

/// Attaches `capture` to `buffer`.
pub(super) fn add(buffer: &mut gst::BufferRef, capture: Capture) {
    // SAFETY: the reference says that the buffer is writable.
    unsafe { add_raw(buffer.as_mut_ptr(), capture) }
}

/// # Safety
/// `buffer` is valid and writable.
unsafe fn add_raw(buffer: *mut ffi::GstBuffer, mut capture: Capture) {
    let params = ptr::from_mut(&mut capture).cast();
    // SAFETY: `init` reads a `Capture` from `params` before this call returns.
    unsafe { ffi::gst_buffer_add_meta(buffer, info(), params) };
}

fn info() -> *const ffi::GstMetaInfo {
    struct Info(*const ffi::GstMetaInfo);
    // SAFETY: GStreamer never changes or frees a registered info.
    unsafe impl Send for Info {}
    // SAFETY: as above.
    unsafe impl Sync for Info {}
    static INFO: OnceLock<Info> = OnceLock::new();
    let info = INFO.get_or_init(|| {
        // SAFETY: the functions are those of a meta of this size.
        Info(unsafe {
            ffi::gst_meta_register(
                CaptureMeta::meta_api().into_glib(),
                c"livetune-capture".as_ptr(),
                size_of::<RawCaptureMeta>(),
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
        // Somebody else tries to make one, who knows no capture.
        return glib::ffi::GFALSE;
    }
    // SAFETY: GStreamer made room for the registered size, and only `add_raw` gives params: a `Capture`.
    unsafe {
        let capture = params.cast::<Capture>().read();
        let place = &raw mut (*meta.cast::<RawCaptureMeta>()).capture;
        place.write(capture);
    }
    glib::ffi::GTRUE
}

/// Nothing in the meta needs freeing, but GStreamer before 1.24 wants the function.
unsafe extern "C" fn free(_meta: *mut ffi::GstMeta, _buffer: *mut ffi::GstBuffer) {}

/// Carries the meta over to `target`, whatever the transformation is: the frame stays the frame.
unsafe extern "C" fn transform(
    target: *mut ffi::GstBuffer,
    meta: *mut ffi::GstMeta,
    _source: *mut ffi::GstBuffer,
    _kind: glib::ffi::GQuark,
    _data: glib::ffi::gpointer,
) -> glib::ffi::gboolean {
    guard("the transformation of a capture meta", (), || {
        // SAFETY: GStreamer calls this for metas registered with it only, and `target` is being made: writable.
        unsafe {
            let capture = (*meta.cast::<RawCaptureMeta>()).capture;
            let api = CaptureMeta::meta_api().into_glib();
            let there = ffi::gst_buffer_get_meta(target, api).cast::<RawCaptureMeta>();
            if there.is_null() {
                add_raw(target, capture);
            } else if capture.captured < (*there).capture.captured {
                (*there).capture = capture;
            }
        }
    });
    glib::ffi::GTRUE
}

#[cfg(test)]
mod tests {
    use super::*;
    use livetune_core::time::MediaTime;

    fn capture(sequence: u64, millis: u64) -> Capture {
        Capture {
            origin: 7,
            sequence,
            entry: MediaTime::from_millis(millis + 5),
            captured: MediaTime::from_millis(millis),
        }
    }

    fn buffer(captures: &[Capture]) -> gst::Buffer {
        gst::init().expect("GStreamer starts");
        let mut buffer = gst::Buffer::with_size(10).expect("ten bytes");
        for capture in captures {
            add(buffer.make_mut(), *capture);
        }
        buffer
    }

    fn copy_metas(source: &gst::BufferRef, target: &mut gst::BufferRef) {
        let metas = gst::BufferCopyFlags::META;
        source.copy_into(target, metas, ..).expect("a copy");
    }

    fn number(buffer: &gst::BufferRef) -> usize {
        buffer.iter_meta::<CaptureMeta>().count()
    }

    #[test]
    fn a_copy_carries_the_capture() {
        let source = buffer(&[capture(3, 100)]);
        assert_eq!(of(&source.copy()), Some(capture(3, 100)));
        let deep = source.copy_deep().expect("a copy");
        assert_eq!(of(&deep), Some(capture(3, 100)));
    }

    #[test]
    fn a_part_carries_the_capture() {
        let source = buffer(&[capture(3, 100)]);
        let part = source.copy_region(gst::BufferCopyFlags::all(), 2..5);
        assert_eq!(of(&part.expect("a part")), Some(capture(3, 100)));
    }

    #[test]
    fn merging_keeps_the_oldest_and_adds_none() {
        for order in [[100, 200], [200, 100]] {
            let mut target = buffer(&[]);
            for millis in order {
                copy_metas(&buffer(&[capture(millis, millis)]), target.make_mut());
            }
            assert_eq!(of(&target), Some(capture(100, 100)));
            assert_eq!(number(&target), 1);
        }
    }

    #[test]
    fn merging_does_not_touch_the_source() {
        let old = buffer(&[capture(1, 100)]);
        let mut target = buffer(&[capture(2, 200)]);
        let branch = target.clone();
        copy_metas(&old, target.make_mut());
        assert_eq!(of(&target), Some(capture(1, 100)));
        assert_eq!(of(&branch), Some(capture(2, 200)));
        assert_eq!(of(&old), Some(capture(1, 100)));
    }

    #[test]
    fn a_buffer_without_one_has_none() {
        assert_eq!(of(&buffer(&[])), None);
    }
}
