//! What runs a network. An engine knows files and tensors; it knows nothing of video or of what the numbers mean.
//!
//! Two engines: rten, built in, and ONNX Runtime, a shared library that is looked for at run time. [`open`] picks one
//! and says in words what it has got. One thread works with an engine; a [`Seed`] gives the next thread its own.

mod bare;
mod error;
pub(super) mod half;
mod home;
mod machine;
mod onnxruntime;
mod open;
mod options;
pub(super) mod places;
mod rten;
mod stopper;
mod survey;

use std::fmt;
use std::sync::LazyLock;

pub use bare::{BareEngine, onnx_runtime};
pub(super) use error::{EngineError, Fault};
pub(super) use home::Home;
pub(super) use open::{ActiveDevice, Opened, open};
pub(super) use options::EngineOptions;
pub use options::{Backend, Device, Fallback, Precision};
pub(super) use stopper::Stopper;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "gpuinfer-engine",
        gst::DebugColorFlags::empty(),
        Some("Engines of neural network inference"),
    )
});

/// Physical cores that this process may use.
pub(super) fn cores() -> usize {
    machine::threads(0)
}

/// A network is gone: its memory goes back to the system.
pub(super) fn on_gone() {
    machine::trim();
}

/// A loaded network on some device.
pub(super) trait Engine: Send {
    /// What it wants.
    fn inputs(&self) -> &[TensorInfo];

    /// What it gives.
    fn outputs(&self) -> &[TensorInfo];

    /// Runs the network with `tensor` as its only input; the results stay until the next run. The first dimension is
    /// the batch.
    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError>;

    /// Output number `index` of the last run as f32, whatever the model computes with; `None` before a run, after a
    /// failed one, and for what is no tensor of numbers.
    fn output(&self, index: usize) -> Option<TensorRef<'_>>;

    /// Where on a GPU it takes its input from, where it runs on one.
    fn device_input(&self) -> Option<DeviceInput> {
        None
    }

    /// As [`Self::run`], with an input that lies where [`Self::device_input`] says, and stays as it is meanwhile.
    fn run_on_device(&mut self, tensor: DeviceTensor<'_>) -> Result<(), EngineError> {
        let _ = tensor;
        Err(EngineError::new("this engine takes no tensor from a GPU"))
    }

    /// What gives further threads the same network; `None` where each has to load it.
    fn seed(&self) -> Option<Box<dyn Seed>> {
        None
    }

    /// The thread that runs are best asked for in.
    fn home(&self) -> Home {
        Home::default()
    }

    /// What ends a run from another thread.
    fn stopper(&self) -> Stopper {
        Stopper::default()
    }
}

/// A network that is loaded, for as many engines as there are threads for it. It takes next to no memory beside them.
pub(super) trait Seed: Send {
    /// One more engine, with `threads` threads for each run.
    fn grow(&self, threads: u32) -> Result<Box<dyn Engine>, EngineError>;
}

/// A tensor as the model file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TensorInfo {
    pub(super) name: String,
    /// `None` where any size is allowed.
    pub(super) shape: Vec<Option<usize>>,
    /// Whether f32 can be given, or is given; the engine converts where the model has other numbers.
    pub(super) is_float: bool,
}

/// A tensor of f32 in row-major order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TensorRef<'a> {
    pub(super) shape: &'a [usize],
    pub(super) data: &'a [f32],
}

/// What a network takes from the memory of an NVIDIA GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceInput {
    /// Number of the GPU.
    pub(super) ordinal: u32,
    pub(super) number: Number,
}

/// The kinds of numbers that a network takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F32 = 0,
    F16 = 1,
    U8 = 2,
}

/// A tensor in the memory of an NVIDIA GPU, in row-major order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeviceTensor<'a> {
    pub(super) shape: &'a [usize],
    pub(super) address: u64,
    pub(super) bytes: usize,
}

impl Number {
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::U8 => 1,
        }
    }
}

impl fmt::Display for TensorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self
            .shape
            .iter()
            .map(|size| size.map_or_else(|| "?".to_owned(), |size| size.to_string()))
            .collect();
        let kind = if self.is_float { "" } else { " (not float)" };
        write!(f, "{} [{}]{kind}", self.name, sizes.join(","))
    }
}

#[cfg(test)]
mod tests;
