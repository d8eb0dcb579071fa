//! Opens what the settings name, and says what is wrong with it.

use std::path::Path;

use super::detector::Detector;
use super::engine::{self, Fault, Opened, Stopper};
use super::options::{ModelOptions, check_file};
use super::settings::Settings;

/// Protobuf, the format of .onnx files, ends there.
const LARGEST_MODEL: u64 = i32::MAX as u64;

/// The model that `settings` name, ready to run, and the engine that runs it.
pub(super) struct Loaded {
    pub(super) detector: Detector,
    /// What runs it, in words.
    pub(super) active: String,
    /// Ends a run from outside.
    pub(super) stopper: Stopper,
    /// What the user should know.
    pub(super) warnings: Vec<String>,
}

/// Loads the model that `settings` name.
pub(super) fn open(settings: &Settings) -> Result<Loaded, gst::ErrorMessage> {
    let Some(path) = settings
        .model
        .model
        .as_deref()
        .filter(|path| !path.is_empty())
    else {
        return Err(gst::error_msg!(
            gst::LibraryError::Settings,
            ("No model is set: set the property model to the path of an .onnx file")
        ));
    };
    check_file("model", path, LARGEST_MODEL)?;
    let options = ModelOptions::read(settings.model.labels.as_deref())?;
    let opened = engine::open(Path::new(path), &settings.engine.options());
    let Opened {
        engine,
        active,
        mut warnings,
        ..
    } = opened.map_err(|error| match error.fault {
        Fault::Model | Fault::Stopped => gst::error_msg!(
            gst::StreamError::Format,
            (
                "{path} is no ONNX model that can be loaded ({error}): export the network with format ONNX, float32"
            )
        ),
        Fault::Device => gst::error_msg!(
            gst::LibraryError::Settings,
            (
                "The device cannot be used ({error}): set the property device to cpu, or fallback to cpu"
            )
        ),
        Fault::Library => gst::error_msg!(gst::ResourceError::NotFound, ("{error}")),
    })?;
    let stopper = engine.stopper();
    let detector = Detector::new(engine, &options).map_err(|why| {
        gst::error_msg!(
            gst::LibraryError::Settings,
            ("The model {path} cannot be used: {why}")
        )
    })?;
    warnings.extend_from_slice(detector.warnings());
    Ok(Loaded {
        detector,
        active,
        stopper,
        warnings,
    })
}
