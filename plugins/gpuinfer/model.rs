//! Opens a model's file, and says what is wrong with it.

use std::path::Path;

use super::detector::Detector;
use super::engine::{self, ActiveDevice, EngineOptions, Fault, Opened};
use super::options::{ModelOptions, check_file};

/// Protobuf, the format of .onnx files, ends there.
const LARGEST_MODEL: u64 = i32::MAX as u64;

/// A model, ready to run, and the engine that runs it.
pub(super) struct Loaded {
    pub(super) detector: Detector,
    /// What runs it, in words.
    pub(super) active: String,
    pub(super) device: ActiveDevice,
    /// What the user should know.
    pub(super) warnings: Vec<String>,
}

/// Loads the model at `path`.
pub(super) fn load(path: &Path, engine: &EngineOptions) -> Result<Opened, gst::ErrorMessage> {
    let name = path.display();
    engine::open(path, engine).map_err(|error| match error.fault {
        Fault::Model | Fault::Stopped => gst::error_msg!(
            gst::StreamError::Format,
            (
                "{name} is no ONNX model that can be loaded ({error}): export the network with format ONNX, float32"
            )
        ),
        Fault::Device => gst::error_msg!(
            gst::LibraryError::Settings,
            (
                "The device cannot be used ({error}): set the property device to cpu, or fallback to cpu"
            )
        ),
        Fault::Library => gst::error_msg!(gst::ResourceError::NotFound, ("{error}")),
    })
}

/// Makes sense of what was `opened` from `path`. On an accelerator, its batches are as large as one of `sizes`.
pub(super) fn understand(
    path: &Path,
    opened: Opened,
    model: &ModelOptions,
    sizes: &[usize],
) -> Result<Loaded, gst::ErrorMessage> {
    let name = path.display();
    let Opened {
        engine,
        active,
        device,
        mut warnings,
    } = opened;
    let mut model = model.clone();
    if device == ActiveDevice::Accelerator {
        model.batch_sizes = sizes.to_vec();
    }
    let detector = Detector::new(engine, &model).map_err(|why| {
        gst::error_msg!(
            gst::LibraryError::Settings,
            ("The model {name} cannot be used: {why}")
        )
    })?;
    warnings.extend_from_slice(detector.warnings());
    Ok(Loaded {
        detector,
        active,
        device,
        warnings,
    })
}

/// Refuses a path to what cannot be a model.
pub(super) fn check_model(path: &str) -> Result<(), gst::ErrorMessage> {
    check_file("model", path, LARGEST_MODEL)
}
