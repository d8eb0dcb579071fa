//! What a worker runs, and where it comes from.

use std::path::PathBuf;

use livetune_core::infer::{Labels, Stages};

use super::stand_in::{ActiveDevice, EngineOptions, ModelOptions, Work};
use crate::gpuinfer::detector::Detector;
use crate::gpuinfer::model;
use crate::gpuinfer::settings::Settings;

/// Finds objects in several pictures at once. One worker has it.
pub(in crate::gpuinfer) trait Network: Send {
    /// Pictures that go in together at most.
    fn max_batch(&self) -> usize;

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
    pub(in crate::gpuinfer) classes: usize,
    pub(in crate::gpuinfer) labels: Labels,
    /// What is not as it was asked for.
    pub(in crate::gpuinfer) warnings: Vec<String>,
}

/// A model file with the options that it is opened with.
#[derive(Clone, Debug)]
pub(super) struct ModelSource {
    pub(super) path: PathBuf,
    pub(super) engine: EngineOptions,
    pub(super) model: ModelOptions,
}

impl Source for ModelSource {
    fn open(&self, threads: u32) -> Result<Opened, gst::ErrorMessage> {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let settings = Settings {
            model: Some(text(&self.path)),
            labels: self.model.labels.as_ref().map(text),
            threads: if threads == 0 {
                self.engine.threads
            } else {
                threads
            },
            ..Settings::DEFAULT
        };
        let detector = model::open(&settings)?;
        let classes = detector.classes();
        let facts = Facts {
            active: "rten, built in, CPU".to_owned(),
            device: ActiveDevice::Cpu,
            classes,
            labels: model::labels(&settings, classes)?,
            warnings: Vec::new(),
        };
        let network = Box::new(detector);
        Ok(Opened { network, facts })
    }
}

impl Network for Detector {
    fn max_batch(&self) -> usize {
        1
    }

    fn detect(&mut self, work: &mut [Work<'_>]) -> Result<Stages, String> {
        let mut all = Stages::default();
        for one in work {
            if one.region.is_some() {
                return Err("this detector knows no regions".to_owned());
            }
            let (objects, stages) = Self::detect(self, one.picture, *one.thresholds)?;
            one.found.objects.extend_from_slice(objects);
            all.preprocess += stages.preprocess;
            all.inference += stages.inference;
            all.postprocess += stages.postprocess;
        }
        Ok(all)
    }
}
