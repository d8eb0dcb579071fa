//! Opens what the settings name, and says what is wrong with it.

use std::path::Path;

use super::detector::Detector;
use super::engine::{EngineError, RtenEngine};
use super::options::{ModelOptions, check_file};
use super::settings::Settings;
use crate::runtime::guard::guard;

/// Protobuf, the format of .onnx files, ends there.
const LARGEST_MODEL: u64 = i32::MAX as u64;

/// The detector of the model that `settings` name, ready to run.
pub(super) fn open(settings: &Settings) -> Result<Detector, gst::ErrorMessage> {
    let Some(path) = settings.model.as_deref().filter(|path| !path.is_empty()) else {
        return Err(gst::error_msg!(
            gst::LibraryError::Settings,
            ("No model is set: set the property model to the path of an .onnx file")
        ));
    };
    check_file("model", path, LARGEST_MODEL)?;
    let options = ModelOptions::read(settings.labels.as_deref())?;
    let panicked = Err(EngineError("the reader panicked".to_owned()));
    let loaded = guard("the model reader", panicked, || {
        RtenEngine::load(Path::new(path), settings.threads)
    });
    let engine = loaded.map_err(|error| {
        gst::error_msg!(
            gst::StreamError::Format,
            (
                "{path} is no ONNX model that can be loaded ({error}): export the network with format ONNX, float32"
            )
        )
    })?;
    Detector::new(Box::new(engine), &options).map_err(|why| {
        gst::error_msg!(
            gst::LibraryError::Settings,
            ("The model {path} cannot be used: {why}")
        )
    })
}
