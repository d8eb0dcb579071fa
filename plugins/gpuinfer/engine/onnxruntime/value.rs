//! Tensors over memory of ours, as ONNX Runtime wants them; ort has no such thing for f16 and keeps no such thing
//! between runs.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use ort::AsPointer;
use ort::memory::MemoryInfo;
use ort::sys::OrtValue;
use ort::value::TensorElementType;

/// A view of memory that belongs to somebody else.
#[derive(Debug)]
pub(super) struct View(NonNull<OrtValue>);

// SAFETY: ONNX Runtime lets values be used and released in any one thread.
unsafe impl Send for View {}

impl View {
    /// A tensor of `kind` and `shape`, `bytes` long, that begins at `memory`, which is where `info` says.
    ///
    /// # Safety
    /// In every run that the view is given to, `memory` holds so many bytes, and nobody else writes there.
    pub(super) unsafe fn of(
        kind: TensorElementType,
        (memory, bytes): (*mut c_void, usize),
        info: &MemoryInfo<'_>,
        shape: &[i64],
    ) -> ort::Result<Self> {
        let mut value = ptr::null_mut();
        // SAFETY: the pointers are valid for the call; the memory is not touched before a run.
        let status = unsafe {
            (ort::api().CreateTensorWithDataAsOrtValue)(
                info.ptr(),
                memory,
                bytes,
                shape.as_ptr(),
                shape.len(),
                kind.into(),
                &mut value,
            )
        };
        // SAFETY: the status is of the call above, and given away here.
        unsafe { ort::Error::result_from_status(status) }?;
        let value = NonNull::new(value).ok_or_else(|| ort::Error::new("a tensor without value"))?;
        Ok(Self(value))
    }

    pub(super) fn as_ptr(&self) -> *mut OrtValue {
        self.0.as_ptr()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: it was made by `of` and is released once; the memory is not its own.
        unsafe { (ort::api().ReleaseValue)(self.0.as_ptr()) };
    }
}
