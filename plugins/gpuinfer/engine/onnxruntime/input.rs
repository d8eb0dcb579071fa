//! The only input of a session, in main memory or on a GPU.

use std::ffi::c_void;
use std::ptr;

use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::sys::OrtValue;
use ort::value::TensorElementType;

use super::numbers;
use super::value::View;
use crate::gpuinfer::engine::{DeviceTensor, EngineError, Number, TensorRef};

/// Views of the input that are kept; a detector has one tensor, which it cuts to as many shapes as there are batches.
const MOST_VIEWS: usize = 64;

#[derive(Debug)]
pub(super) struct Input {
    kind: Option<TensorElementType>,
    /// The numbers as the model wants them, where that is not f32.
    bytes: Vec<u8>,
    /// Views of memory that was given before.
    views: Vec<Given>,
}

/// A view of memory at a place, with its shape.
#[derive(Debug)]
struct Given {
    place: Place,
    shape: Vec<usize>,
    view: View,
}

/// Where a tensor lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Main(*const u8),
    /// On the GPU of this number.
    Gpu(u64, u32),
}

// SAFETY: addresses are compared only.
unsafe impl Send for Given {}

impl Input {
    /// Of this kind of numbers; `None`: of something else.
    pub(super) const fn of(kind: Option<TensorElementType>) -> Self {
        Self {
            kind,
            bytes: Vec::new(),
            views: Vec::new(),
        }
    }

    /// What a GPU would have to make.
    pub(super) fn number(&self) -> Option<Number> {
        Some(match self.kind? {
            TensorElementType::Float32 => Number::F32,
            TensorElementType::Float16 => Number::F16,
            TensorElementType::Uint8 => Number::U8,
            _ => return None,
        })
    }

    /// `tensor` as the model wants it, and as ONNX Runtime does.
    pub(super) fn value(&mut self, tensor: TensorRef<'_>) -> Result<*const OrtValue, EngineError> {
        let (shape, data) = (tensor.shape, tensor.data);
        check(shape, data.len())?;
        let kind = self.kind()?;
        let (memory, bytes) = if kind == TensorElementType::Float32 {
            (data.as_ptr().cast::<u8>(), size_of_val(data))
        } else {
            numbers::write(kind, data, &mut self.bytes);
            (self.bytes.as_ptr(), self.bytes.len())
        };
        let info = || Ok(MemoryInfo::default());
        // SAFETY: the view is run only while `tensor`, or one that lies where it lay, is borrowed.
        unsafe { self.view(Place::Main(memory), (bytes, shape), info) }
    }

    /// `tensor`, which has the numbers that the model wants, on GPU number `ordinal`.
    pub(super) fn on_device(
        &mut self,
        tensor: DeviceTensor<'_>,
        ordinal: u32,
    ) -> Result<*const OrtValue, EngineError> {
        let number = self.number().map_or(1, Number::bytes);
        check(tensor.shape, tensor.bytes / number)?;
        let place = Place::Gpu(tensor.address, ordinal);
        let info = || {
            let (device, id) = (AllocationDevice::CUDA, ordinal as i32);
            MemoryInfo::new(device, id, AllocatorType::Device, MemoryType::Default)
        };
        // SAFETY: the view is run only while the GPU has `tensor`, or one that lies where it lay.
        unsafe { self.view(place, (tensor.bytes, tensor.shape), info) }
    }

    fn kind(&self) -> Result<TensorElementType, EngineError> {
        let kind = self.kind.filter(|kind| numbers::can_be_given(*kind));
        kind.ok_or_else(|| EngineError::new("its input is no tensor of numbers"))
    }

    /// The view of `place` with this `shape`, a new one where there is none yet.
    ///
    /// # Safety
    /// In every run that the view is given to, `place` holds so many `bytes`, and nobody writes there; ONNX Runtime does
    /// not write to inputs.
    unsafe fn view(
        &mut self,
        place: Place,
        (bytes, shape): (usize, &[usize]),
        info: impl FnOnce() -> ort::Result<MemoryInfo<'static>>,
    ) -> Result<*const OrtValue, EngineError> {
        let is_it = |given: &Given| given.place == place && given.shape == shape;
        if let Some(given) = self.views.iter().find(|given| is_it(given)) {
            return Ok(given.view.as_ptr());
        }
        let kind = self.kind()?;
        if self.views.len() == MOST_VIEWS {
            self.views.clear();
        }
        let sizes: Vec<i64> = shape.iter().map(|size| *size as i64).collect();
        let memory: *mut c_void = match place {
            Place::Main(memory) => memory.cast_mut().cast(),
            Place::Gpu(address, _) => ptr::without_provenance_mut(address as usize),
        };
        let info = info().map_err(EngineError::new)?;
        // SAFETY: as the caller's.
        let view = unsafe { View::of(kind, (memory, bytes), &info, &sizes) };
        let view = view.map_err(EngineError::new)?;
        let value = view.as_ptr();
        self.views.push(Given {
            place,
            shape: shape.to_vec(),
            view,
        });
        Ok(value)
    }
}

/// Whether so many `numbers` are a tensor of this `shape`.
fn check(shape: &[usize], numbers: usize) -> Result<(), EngineError> {
    let count = shape.iter().try_fold(1, |a: usize, b| a.checked_mul(*b));
    if count == Some(numbers) {
        return Ok(());
    }
    Err(EngineError::new(format!(
        "{numbers} numbers are no {shape:?}"
    )))
}
