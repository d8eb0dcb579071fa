//! What engines and detectors take and give, as far as instances have to know it.

use std::path::PathBuf;

use livetune_core::infer::{Detection, Thresholds};

use crate::gpuinfer::picture::Picture;

/// How the engine is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::gpuinfer) struct EngineOptions {
    /// Threads of one run; 0 for one per physical core.
    pub(in crate::gpuinfer) threads: u32,
}

/// How the network's numbers are to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::gpuinfer) struct ModelOptions {
    /// The file with a class name per line.
    pub(in crate::gpuinfer) labels: Option<PathBuf>,
}

/// Where networks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) enum ActiveDevice {
    Cpu,
    Accelerator,
}

/// A rectangle in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) struct Region {
    pub(in crate::gpuinfer) left: u32,
    pub(in crate::gpuinfer) top: u32,
    pub(in crate::gpuinfer) width: u32,
    pub(in crate::gpuinfer) height: u32,
}

/// What was found in one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::gpuinfer) struct Found {
    /// Surest first, in pixels of the frame.
    pub(in crate::gpuinfer) objects: Vec<Detection>,
    /// Why this picture could not be looked at; the others of its batch were.
    pub(in crate::gpuinfer) failure: Option<String>,
}

impl Found {
    pub(in crate::gpuinfer) fn clear(&mut self) {
        self.objects.clear();
        self.failure = None;
    }
}

/// A picture and where what is found in it goes.
#[derive(Debug)]
pub(in crate::gpuinfer) struct Work<'a> {
    pub(in crate::gpuinfer) picture: &'a Picture<'a>,
    pub(in crate::gpuinfer) region: Option<Region>,
    pub(in crate::gpuinfer) thresholds: &'a Thresholds,
    pub(in crate::gpuinfer) found: &'a mut Found,
}
