//! What a worker runs, and where it comes from.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use livetune_core::infer::Stages;

use super::registry::Stamp;
use crate::gpuinfer::detector::{Detector, Terms, Work};
use crate::gpuinfer::engine::{self, ActiveDevice, Device, EngineOptions, Home, Seed, Stopper};
use crate::gpuinfer::model;
use crate::gpuinfer::options::ModelOptions;
use crate::runtime::lock::lock;

/// Finds objects in several pictures at once. One worker has it.
pub(in crate::gpuinfer) trait Network: Send {
    /// Pictures that go in together at most.
    fn max_batch(&self) -> usize;

    /// What ends a run from another thread.
    fn stopper(&self) -> Stopper {
        Stopper::default()
    }

    /// The thread that work on it is best done in.
    fn home(&self) -> Home {
        Home::default()
    }

    /// Whether pictures may lie in CUDA memory; the error says why not.
    fn takes_cuda(&mut self) -> Result<(), String> {
        Err("the network takes none from there".to_owned())
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
pub(super) struct ModelSource {
    pub(super) path: PathBuf,
    pub(super) engine: EngineOptions,
    pub(super) model: ModelOptions,
    /// Sizes of batches on an accelerator.
    pub(super) sizes: Vec<usize>,
    /// The file as it was when its digest was taken.
    pub(super) stamp: Stamp,
    /// What further engines grow from, where that saves them the weights.
    pub(super) stock: Mutex<Option<Stock>>,
}

/// A network that is loaded, and what it is.
pub(super) struct Stock {
    seed: Box<dyn Seed>,
    active: String,
    device: ActiveDevice,
}

impl ModelSource {
    fn load(&self, threads: u32) -> Result<engine::Opened, gst::ErrorMessage> {
        let mut options = self.engine.clone();
        if threads > 0 {
            options.threads = threads;
        }
        // Held while an engine grows: the next may share what it loads.
        if let Some(stock) = &*lock(&self.stock) {
            let grown = stock.seed.grow(options.threads);
            return Ok(engine::Opened {
                engine: grown.map_err(|error| self.refusal(&error.to_string()))?,
                active: stock.active.clone(),
                device: stock.device,
                warnings: Vec::new(),
            });
        }
        if Stamp::of(&self.path).as_ref() != Ok(&self.stamp) {
            return Err(self.refusal("the file was changed after it was loaded"));
        }
        let opened = model::load(&self.path, &options)?;
        // Where another device was wanted, that is tried each time.
        if let Device::Auto | Device::Cpu = self.engine.device
            && let Some(seed) = opened.engine.seed()
        {
            *lock(&self.stock) = Some(Stock {
                seed,
                active: opened.active.clone(),
                device: opened.device,
            });
        }
        Ok(opened)
    }

    fn refusal(&self, why: &str) -> gst::ErrorMessage {
        let path = self.path.display();
        gst::error_msg!(
            gst::LibraryError::Failed,
            ("The model {path} cannot be loaded once more ({why}): set the property model again")
        )
    }
}

impl Source for ModelSource {
    fn open(&self, threads: u32) -> Result<Opened, gst::ErrorMessage> {
        let opened = self.load(threads)?;
        let loaded = model::understand(&self.path, opened, &self.model, &self.sizes)?;
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

    fn home(&self) -> Home {
        Self::home(self)
    }

    fn takes_cuda(&mut self) -> Result<(), String> {
        Self::takes_cuda(self)
    }

    fn detect(&mut self, work: &mut [Work<'_>]) -> Result<Stages, String> {
        Self::detect(self, work)
    }
}
