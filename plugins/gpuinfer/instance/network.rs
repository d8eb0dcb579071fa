//! What a worker runs, and where it comes from.

use std::path::PathBuf;
use std::sync::Arc;

use livetune_core::infer::Stages;

use crate::gpuinfer::detector::{Detector, Terms, Work};
use crate::gpuinfer::engine::{ActiveDevice, EngineOptions, Stopper};
use crate::gpuinfer::model;
use crate::gpuinfer::options::ModelOptions;

/// Finds objects in several pictures at once. One worker has it.
pub(in crate::gpuinfer) trait Network: Send {
    /// Pictures that go in together at most.
    fn max_batch(&self) -> usize;

    /// What ends a run from another thread.
    fn stopper(&self) -> Stopper {
        Stopper::default()
    }

    /// Fills `found` of each of `work`. The error means that none of them was looked at.
    fn detect(&mut self, work: &mut [Work<'_>]) -> Result<Stages, String>;
}

/// Opens networks of one model, each as good as the other.
pub(in crate::gpuinfer) trait Source: Send + Sync {
    /// One that runs on `threads` threads; 0: as the engine likes it.
    fn open(&self, threads: u32) -> Result<Opened, gst::ErrorMessage>;
}

/// A network, ready to run, and what is known of it.
pub(in crate::gpuinfer) struct Opened {
    pub(in crate::gpuinfer) network: Box<dyn Network>,
    pub(in crate::gpuinfer) facts: Facts,
}

/// What is known of a network.
#[derive(Clone, Debug)]
pub(in crate::gpuinfer) struct Facts {
    /// The engine and the device, in words.
    pub(in crate::gpuinfer) active: String,
    pub(in crate::gpuinfer) device: ActiveDevice,
    pub(in crate::gpuinfer) terms: Arc<Terms>,
    /// What is not as it was asked for.
    pub(in crate::gpuinfer) warnings: Vec<String>,
}

/// A model file with the options that it is opened with.
#[derive(Clone, Debug)]
pub(super) struct ModelSource {
    pub(super) path: PathBuf,
    pub(super) engine: EngineOptions,
    pub(super) model: ModelOptions,
    /// Sizes of batches on an accelerator.
    pub(super) sizes: Vec<usize>,
}

impl Source for ModelSource {
    fn open(&self, threads: u32) -> Result<Opened, gst::ErrorMessage> {
        let mut engine = self.engine.clone();
        if threads > 0 {
            engine.threads = threads;
        }
        let loaded = model::open(&self.path, &engine, &self.model, &self.sizes)?;
        let terms = loaded.detector.terms().clone();
        let facts = Facts {
            active: loaded.active,
            device: loaded.device,
            terms,
            warnings: loaded.warnings,
        };
        let network = Box::new(loaded.detector);
        Ok(Opened { network, facts })
    }
}

impl Network for Detector {
    fn max_batch(&self) -> usize {
        Self::max_batch(self)
    }

    fn stopper(&self) -> Stopper {
        Self::stopper(self)
    }

    fn detect(&mut self, work: &mut [Work<'_>]) -> Result<Stages, String> {
        Self::detect(self, work)
    }
}
