//! Why a network could not be loaded or run.

use std::fmt;

/// In the engine's words, with what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) struct EngineError {
    pub(in crate::gpuinfer) text: String,
    pub(in crate::gpuinfer) fault: Fault,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) enum Fault {
    /// The network or its input: another device does not help.
    Model,
    /// The device: it is not there, or it was lost. The processor may do.
    Device,
    /// The shared library: it is not there, or unusable.
    Library,
    /// Nobody's: the run was ended.
    Stopped,
}

impl EngineError {
    /// The network's fault.
    pub(in crate::gpuinfer) fn new(text: impl fmt::Display) -> Self {
        Self::of(Fault::Model, text)
    }

    pub(super) fn of(fault: Fault, text: impl fmt::Display) -> Self {
        let text = text.to_string();
        Self { text, fault }
    }

    pub(super) fn stopped() -> Self {
        Self::of(Fault::Stopped, "the run was ended")
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
