//! Outputs of a network as `GstTensorMeta`, by libgstanalytics (GStreamer 1.26), for GStreamer's own tensor decoders.

use std::ffi::{c_int, c_uint};
use std::ptr;
use std::slice;

use gst::ffi::{GstBuffer, GstMeta};
use gst::glib;
use gst::glib::ffi::{GQuark, g_malloc};
use gst::glib::translate::{IntoGlib, IntoGlibPtr};
use libloading::Library;

use super::analytics::symbol;
use crate::gpuinfer::tensors::Tensor;

/// `GST_TENSOR_DATA_TYPE_FLOAT32`.
const FLOAT32: c_int = 11;
/// `GST_TENSOR_DIM_ORDER_ROW_MAJOR`.
const ROW_MAJOR: c_int = 0;

/// `GstTensor`, which only the library looks into.
type Opaque = std::ffi::c_void;

/// `GstTensorMeta`.
#[repr(C)]
struct TensorMeta {
    meta: GstMeta,
    count: usize,
    tensors: *mut *mut Opaque,
}

/// The functions of the library that are used here.
#[derive(Debug)]
pub(super) struct Tensors {
    add_meta: unsafe extern "C" fn(*mut GstBuffer) -> *mut TensorMeta,
    set: unsafe extern "C" fn(*mut TensorMeta, c_uint, *mut *mut Opaque),
    new_simple: NewSimple,
    copy: unsafe extern "C" fn(*const Opaque) -> *mut Opaque,
}

type NewSimple =
    unsafe extern "C" fn(GQuark, c_int, *mut GstBuffer, c_int, usize, *mut usize) -> *mut Opaque;

impl Tensors {
    /// `None` where the library is older.
    pub(super) fn of(library: &Library) -> Option<Self> {
        // SAFETY: the types are those of the library's headers; these functions came together, in 1.26.
        unsafe {
            Some(Self {
                add_meta: *symbol(library, "gst_buffer_add_tensor_meta").ok()?,
                set: *symbol(library, "gst_tensor_meta_set").ok()?,
                new_simple: *symbol(library, "gst_tensor_new_simple").ok()?,
                copy: *symbol(library, "gst_tensor_copy").ok()?,
            })
        }
    }

    /// Attaches those of `tensors` that are of the whole frame to `buffer`, beside what others attached.
    pub(super) fn attach(&self, buffer: &mut gst::BufferRef, tensors: &[Tensor]) {
        let of_frame = |tensor: &&Tensor| !tensor.is_part;
        if !tensors.iter().any(|tensor| of_frame(&tensor)) {
            return;
        }
        // SAFETY: the reference says that the buffer is writable; the meta is its own. The library frees the old
        // tensors and takes the new ones, in memory of GLib's.
        unsafe {
            let meta = (self.add_meta)(buffer.as_mut_ptr());
            if meta.is_null() {
                return;
            }
            let before: &[*mut Opaque] = match (*meta).count {
                0 => &[],
                count => slice::from_raw_parts((*meta).tensors, count),
            };
            let before = before.iter().map(|tensor| (self.copy)(*tensor));
            let new = tensors
                .iter()
                .filter(of_frame)
                .map(|tensor| self.make(tensor));
            let all: Vec<*mut Opaque> = before.chain(new).filter(|it| !it.is_null()).collect();
            let list = g_malloc(size_of_val(&all[..])).cast();
            ptr::copy_nonoverlapping(all.as_ptr(), list, all.len());
            (self.set)(meta, all.len() as c_uint, list);
        }
    }

    /// # Safety
    /// The functions are the library's.
    unsafe fn make(&self, tensor: &Tensor) -> *mut Opaque {
        let name = glib::Quark::from_str(&*tensor.name).into_glib();
        let mut dims = tensor.dims.to_vec();
        let data: *mut GstBuffer = tensor.data.clone().into_glib_ptr();
        // SAFETY: as the caller's; the buffer is given away, and as long as the dims say.
        unsafe {
            (self.new_simple)(
                name,
                FLOAT32,
                data,
                ROW_MAJOR,
                dims.len(),
                dims.as_mut_ptr(),
            )
        }
    }
}
