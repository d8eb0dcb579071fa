//! What runs a network. An engine knows files and tensors; it knows nothing of video or of what the numbers mean.

mod rten;

use std::fmt;

pub(super) use rten::RtenEngine;

/// A loaded network on some device.
pub(super) trait Engine: Send {
    /// What it wants.
    fn inputs(&self) -> &[TensorInfo];

    /// What it gives.
    fn outputs(&self) -> &[TensorInfo];

    /// Runs the network with `tensor` as its only input; the results stay until the next run.
    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError>;

    /// Output number `index` of the last run; `None` before a run, after a failed one, and for what is not f32.
    fn output(&self, index: usize) -> Option<TensorRef<'_>>;
}

/// A tensor as the model file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TensorInfo {
    pub(super) name: String,
    /// `None` where any size is allowed.
    pub(super) shape: Vec<Option<usize>>,
    pub(super) is_float: bool,
}

/// A tensor of f32 in row-major order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TensorRef<'a> {
    pub(super) shape: &'a [usize],
    pub(super) data: &'a [f32],
}

/// Why a network could not be loaded or run, in the engine's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EngineError(pub(super) String);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
