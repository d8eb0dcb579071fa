//! The outputs of runs, in memory that is kept from run to run.

use std::ptr::{self, NonNull};

use ort::memory::{Allocator, MemoryInfo};
use ort::sys::OrtValue;
use ort::value::{DynTensor, DynValue, TensorElementType};

use super::numbers;
use super::value::View;
use crate::gpuinfer::engine::TensorRef;

/// More outputs than any network has.
pub(super) const MOST: usize = 64;

/// Where ONNX Runtime writes each output, by number.
pub(super) type Pointers = [*mut OrtValue; MOST];

/// All outputs of one session.
///
/// The first run with an input shape shows how large the outputs are; later runs with that shape write straight into
/// this memory. A network whose outputs change their size from picture to picture has them copied in every run.
#[derive(Debug)]
pub(super) struct Results {
    outputs: Vec<Output>,
    plans: Vec<Plan>,
    changing: bool,
    valid: bool,
}

#[derive(Debug)]
struct Output {
    kind: Option<TensorElementType>,
    /// What ONNX Runtime writes; u64 for the sake of alignment.
    memory: Vec<u64>,
    shape: Vec<usize>,
    /// As f32, where the model's numbers are others.
    converted: Vec<f32>,
}

/// What one input shape leads to.
#[derive(Debug)]
struct Plan {
    input: Vec<usize>,
    shapes: Vec<Vec<i64>>,
    /// Of the memory as it is; empty after that has moved.
    views: Vec<View>,
}

impl Results {
    /// For outputs of these kinds; `None` for what is no tensor of numbers.
    pub(super) fn of(kinds: impl IntoIterator<Item = Option<TensorElementType>>) -> Self {
        let outputs: Vec<Output> = kinds
            .into_iter()
            .map(|kind| Output {
                kind,
                memory: Vec::new(),
                shape: Vec::new(),
                converted: Vec::new(),
            })
            .collect();
        Self {
            changing: outputs.iter().any(|output| output.kind.is_none()),
            outputs,
            plans: Vec::new(),
            valid: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.outputs.len()
    }

    /// There is nothing to be seen until the next run.
    pub(super) fn forget(&mut self) {
        self.valid = false;
    }

    /// From now on the outputs are taken as they come.
    pub(super) fn give_up_planning(&mut self) {
        self.changing = true;
        self.plans.clear();
    }

    /// Where the outputs for an input of the shape `input` go, if that is known.
    pub(super) fn plan(&mut self, input: &[usize]) -> Option<Pointers> {
        let plan = self.plans.iter_mut().find(|plan| plan.input == input)?;
        if plan.views.is_empty() {
            let pairs = self.outputs.iter_mut().zip(&plan.shapes);
            let views: Option<Vec<View>> =
                pairs.map(|(output, shape)| output.view(shape)).collect();
            plan.views = views?;
        }
        let mut pointers = [ptr::null_mut(); MOST];
        for (pointer, view) in pointers.iter_mut().zip(&plan.views) {
            *pointer = view.as_ptr();
        }
        Some(pointers)
    }

    /// A run wrote what [`Self::plan`] said.
    pub(super) fn written(&mut self, input: &[usize]) {
        let Some(plan) = self.plans.iter().find(|plan| plan.input == input) else {
            return;
        };
        for (output, shape) in self.outputs.iter_mut().zip(&plan.shapes) {
            output.shape.clear();
            output.shape.extend(shape.iter().map(|size| *size as usize));
            output.convert();
        }
        self.valid = true;
    }

    /// A run with an input of the shape `input` gave these values, which are taken over.
    ///
    /// # Safety
    /// Each pointer is null, or a value that nobody else has, made by `allocator`.
    pub(super) unsafe fn take(
        &mut self,
        input: &[usize],
        values: &Pointers,
        allocator: &Allocator,
    ) {
        let mut moved = false;
        let mut shapes = Vec::with_capacity(self.outputs.len());
        for (output, value) in self.outputs.iter_mut().zip(values) {
            output.shape.clear();
            let Some(value) = NonNull::new(*value) else {
                continue;
            };
            // SAFETY: as the caller says.
            let value: DynValue = unsafe { DynValue::from_ptr(value, Some(allocator)) };
            if let Ok(tensor) = value.downcast() {
                moved |= output.copy(&tensor);
                shapes.push(tensor.shape().to_vec());
            }
        }
        if moved {
            self.plans.iter_mut().for_each(|plan| plan.views.clear());
        }
        let known = self.plans.iter().any(|plan| plan.input == input);
        if !self.changing && !known && shapes.len() == self.outputs.len() {
            self.plans.push(Plan {
                input: input.to_vec(),
                shapes,
                views: Vec::new(),
            });
        }
        self.valid = true;
    }

    pub(super) fn get(&self, index: usize) -> Option<TensorRef<'_>> {
        let output = self.outputs.get(index).filter(|_| self.valid)?;
        let kind = output.kind?;
        // Nothing was written: no output is without dimensions here but a single number.
        let count: usize = output.shape.iter().product();
        let data = if kind == TensorElementType::Float32 {
            output.floats().get(..count)?
        } else {
            output.converted.get(..count)?
        };
        let shape = &output.shape;
        Some(TensorRef { shape, data })
    }
}

impl Output {
    /// Makes the memory at least `bytes` long; whether it may have moved.
    fn reserve(&mut self, bytes: usize) -> bool {
        let words = bytes.div_ceil(size_of::<u64>());
        let moves = self.memory.len() < words;
        if moves {
            self.memory.resize(words, 0);
        }
        moves
    }

    fn view(&mut self, shape: &[i64]) -> Option<View> {
        let kind = self.kind?;
        let count = usize::try_from(shape.iter().product::<i64>()).ok()?;
        let bytes = count * numbers::size(kind)?;
        if bytes > size_of_val(&self.memory[..]) {
            return None;
        }
        let memory = self.memory.as_mut_ptr().cast();
        // SAFETY: views are dropped when the memory moves, and the memory goes when they do.
        unsafe { View::of(kind, (memory, bytes), &MemoryInfo::default(), shape) }.ok()
    }

    /// Copies `tensor`; whether the memory may have moved.
    fn copy(&mut self, tensor: &DynTensor) -> bool {
        let kind = *tensor.data_type();
        self.kind = numbers::size(kind).map(|_| kind);
        let Some(size) = numbers::size(kind) else {
            return false;
        };
        let shape = tensor.shape();
        self.shape.extend(shape.iter().map(|size| *size as usize));
        let bytes = shape.num_elements() * size;
        let moves = self.reserve(bytes);
        let source = tensor.data_ptr().cast::<u8>();
        if bytes > 0 && !source.is_null() {
            let target = self.memory.as_mut_ptr().cast::<u8>();
            // SAFETY: ONNX Runtime gives outputs in main memory, as long as their shape says; ours is reserved.
            unsafe { ptr::copy_nonoverlapping(source, target, bytes) };
        }
        self.convert();
        moves
    }

    fn convert(&mut self) {
        let Some(kind) = self.kind.filter(|kind| *kind != TensorElementType::Float32) else {
            return;
        };
        let count: usize = self.shape.iter().product();
        let bytes = count * numbers::size(kind).unwrap_or(0);
        // SAFETY: any byte is a u8.
        let (_, memory, _) = unsafe { self.memory.align_to::<u8>() };
        numbers::read(
            kind,
            &memory[..bytes.min(memory.len())],
            &mut self.converted,
        );
    }

    fn floats(&self) -> &[f32] {
        // SAFETY: any four bytes are an f32, and u64 is aligned as it needs.
        let (_, numbers, _) = unsafe { self.memory.align_to::<f32>() };
        numbers
    }
}
