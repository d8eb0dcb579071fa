//! What libgstanalytics reads of a frame, where it is installed.

use std::ffi::{c_float, c_int, c_uint, c_void};
use std::ptr;
use std::sync::OnceLock;

use gst::glib;
use gst::glib::translate::FromGlib;
use libloading::Library;

/// An object as `GstAnalyticsODMtd` tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub id: i32,
    pub label: String,
    pub rect: (i32, i32, i32, i32),
    pub confidence: f32,
    pub track: Option<u64>,
    /// Labels that a classifier gave it.
    pub classes: Vec<String>,
}

#[repr(C)]
struct Entry {
    id: c_uint,
    meta: *mut c_void,
}

fn library() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    let open = || unsafe { Library::new("libgstanalytics-1.0.so.0").ok() };
    LIBRARY.get_or_init(open).as_ref()
}

/// Whether the library is installed.
pub fn is_here() -> bool {
    library().is_some()
}

/// The objects of `buffer`; `None` where it has no such meta, or the library is not installed.
pub fn objects(buffer: &gst::BufferRef) -> Option<Vec<Seen>> {
    type Get = unsafe extern "C" fn(*mut gst::ffi::GstBuffer) -> *mut c_void;
    type Type = unsafe extern "C" fn() -> usize;
    type Iterate = unsafe extern "C" fn(*mut c_void, *mut *mut c_void, usize, *mut Entry) -> c_int;
    let library = library()?;
    let mut seen = Vec::new();
    unsafe {
        let get: Get = *library
            .get(b"gst_buffer_get_analytics_relation_meta")
            .unwrap();
        let kind: Type = *library.get(b"gst_analytics_od_mtd_get_mtd_type").unwrap();
        let iterate: Iterate = *library.get(b"gst_analytics_relation_meta_iterate").unwrap();
        let meta = get(buffer.as_mut_ptr());
        if meta.is_null() {
            return None;
        }
        let (mut state, mut entry) = (ptr::null_mut(), Entry { id: 0, meta });
        while iterate(meta, &mut state, kind(), &mut entry) != 0 {
            seen.push(object(library, &entry));
        }
    }
    Some(seen)
}

unsafe fn object(library: &Library, entry: &Entry) -> Seen {
    type Location = unsafe extern "C" fn(
        *const Entry,
        *mut c_int,
        *mut c_int,
        *mut c_int,
        *mut c_int,
        *mut c_float,
    ) -> c_int;
    type Label = unsafe extern "C" fn(*const Entry) -> u32;
    let (mut x, mut y, mut width, mut height, mut confidence) = (0, 0, 0, 0, 0.0);
    unsafe {
        let location: Location = *library.get(b"gst_analytics_od_mtd_get_location").unwrap();
        let label: Label = *library.get(b"gst_analytics_od_mtd_get_obj_type").unwrap();
        let (w, h, sure) = (&mut width, &mut height, &mut confidence);
        assert_ne!(location(entry, &mut x, &mut y, w, h, sure), 0);
        let label = glib::Quark::from_glib(label(entry)).as_str().to_string();
        Seen {
            id: entry.id as i32,
            label,
            rect: (x, y, width, height),
            confidence,
            track: track(library, entry),
            classes: classes(library, entry),
        }
    }
}

unsafe fn related(library: &Library, entry: &Entry, kind: &[u8]) -> Vec<Entry> {
    type Type = unsafe extern "C" fn() -> usize;
    type Related = unsafe extern "C" fn(
        *mut c_void,
        c_uint,
        c_uint,
        usize,
        *mut *mut c_void,
        *mut Entry,
    ) -> c_int;
    const ANY: c_uint = c_int::MAX as c_uint;
    let mut found = Vec::new();
    unsafe {
        let kind: Type = *library.get(kind).unwrap();
        let name = b"gst_analytics_relation_meta_get_direct_related";
        let next: Related = *library.get(name).unwrap();
        let (meta, mut state) = (entry.meta, ptr::null_mut());
        let mut other = Entry { id: 0, meta };
        while next(meta, entry.id, ANY, kind(), &mut state, &mut other) != 0 {
            found.push(Entry { id: other.id, meta });
        }
    }
    found
}

unsafe fn track(library: &Library, entry: &Entry) -> Option<u64> {
    type Info =
        unsafe extern "C" fn(*const Entry, *mut u64, *mut u64, *mut u64, *mut c_int) -> c_int;
    unsafe {
        let all = related(library, entry, b"gst_analytics_tracking_mtd_get_mtd_type");
        let info: Info = *library.get(b"gst_analytics_tracking_mtd_get_info").unwrap();
        let (mut id, mut first, mut last, mut lost) = (0, 0, 0, 0);
        let track = all.first()?;
        assert_ne!(info(track, &mut id, &mut first, &mut last, &mut lost), 0);
        Some(id)
    }
}

unsafe fn classes(library: &Library, entry: &Entry) -> Vec<String> {
    type Label = unsafe extern "C" fn(*const Entry, usize) -> u32;
    unsafe {
        let label: Label = *library.get(b"gst_analytics_cls_mtd_get_quark").unwrap();
        let all = related(library, entry, b"gst_analytics_cls_mtd_get_mtd_type");
        let label = |class: &Entry| glib::Quark::from_glib(label(class, 0)).as_str().to_string();
        all.iter().map(label).collect()
    }
}

/// The tensors of a frame that GStreamer's decoders see, by name; `None` where there are none, or GStreamer is older
/// than 1.26.
pub fn tensors(buffer: &gst::BufferRef) -> Option<Vec<(String, Vec<f32>)>> {
    type Get = unsafe extern "C" fn(*mut gst::ffi::GstBuffer) -> *mut TensorMeta;
    let library = library()?;
    let get = unsafe { library.get::<Get>(b"gst_buffer_get_tensor_meta") }.ok()?;
    let meta = unsafe { get(buffer.as_mut_ptr()) };
    if meta.is_null() {
        return None;
    }
    let all = unsafe { std::slice::from_raw_parts((*meta).tensors, (*meta).count) };
    let read = |tensor: &*mut Tensor| unsafe {
        let tensor = &**tensor;
        assert_eq!((tensor.data_type, tensor.dims_order), (11, 0));
        let name = glib::Quark::from_glib(tensor.id).as_str().to_string();
        let data = gst::BufferRef::from_ptr(tensor.data)
            .map_readable()
            .unwrap();
        let numbers = data.chunks_exact(4);
        let numbers = numbers.map(|number| f32::from_ne_bytes(number.try_into().unwrap()));
        (name, numbers.collect())
    };
    Some(all.iter().map(read).collect())
}

#[repr(C)]
struct TensorMeta {
    meta: gst::ffi::GstMeta,
    count: usize,
    tensors: *mut *mut Tensor,
}

/// The start of `GstTensor`.
#[repr(C)]
struct Tensor {
    id: u32,
    layout: c_int,
    data_type: c_int,
    data: *mut gst::ffi::GstBuffer,
    dims_order: c_int,
}
