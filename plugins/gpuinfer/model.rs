//! Opens what the settings name, and says what is wrong with it.

use std::fs;
use std::path::Path;

use livetune_core::infer::Labels;

use super::detector::Detector;
use super::engine::{EngineError, RtenEngine};
use super::settings::Settings;
use crate::runtime::guard::guard;

/// Protobuf, the format of .onnx files, ends there.
const LARGEST_MODEL: u64 = i32::MAX as u64;
/// A name per line for more classes than any detector has.
const LARGEST_LABELS: u64 = 16 * 1024 * 1024;

/// The detector of the model that `settings` name, ready to run.
pub(super) fn open(settings: &Settings) -> Result<Detector, gst::ErrorMessage> {
    let Some(path) = settings.model.as_deref().filter(|path| !path.is_empty()) else {
        return Err(gst::error_msg!(
            gst::LibraryError::Settings,
            ("No model is set: set the property model to the path of an .onnx file")
        ));
    };
    check_model(path)?;
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
    Detector::new(Box::new(engine)).map_err(|why| {
        gst::error_msg!(
            gst::LibraryError::Settings,
            ("The model {path} cannot be used: {why}")
        )
    })
}

/// The names of `classes` classes that `settings` give.
pub(super) fn labels(settings: &Settings, classes: usize) -> Result<Labels, gst::ErrorMessage> {
    let Some(path) = settings.labels.as_deref().filter(|path| !path.is_empty()) else {
        return Ok(Labels::numbered(classes));
    };
    check_file("labels", path, LARGEST_LABELS)?;
    let unreadable = |why: String| {
        gst::error_msg!(
            gst::ResourceError::Read,
            ("The labels {path} cannot be read ({why}): the property labels wants a text file in UTF-8, one name a line")
        )
    };
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    // English text in UTF-16 is UTF-8 too, with a zero byte behind every letter; names in metas cannot hold those.
    if text.contains('\0') {
        return Err(unreadable("it has zero bytes, as UTF-16 has".to_owned()));
    }
    Ok(Labels::parse(&text, classes))
}

/// Refuses a path to what cannot be a model.
pub(super) fn check_model(path: &str) -> Result<(), gst::ErrorMessage> {
    check_file("model", path, LARGEST_MODEL)
}

/// Refuses what is not there, is no file (a pipe would never end) or is too large to be what it should be.
fn check_file(property: &str, path: &str, largest: u64) -> Result<(), gst::ErrorMessage> {
    let metadata = fs::metadata(path).map_err(|error| {
        gst::error_msg!(
            gst::ResourceError::NotFound,
            ("The file {path} cannot be opened ({error}): set the property {property} to the path of a file")
        )
    })?;
    if metadata.is_file() && metadata.len() <= largest {
        return Ok(());
    }
    Err(gst::error_msg!(
        gst::ResourceError::OpenRead,
        ("{path} is no file of at most {largest} bytes: set the property {property} to the path of one")
    ))
}
