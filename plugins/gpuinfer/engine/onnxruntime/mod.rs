//! ONNX Runtime (<https://onnxruntime.ai>), a shared library that is looked for at run time, through the package ort.
//!
//! A process runs one ONNX Runtime: the first element decides which. A session belongs to one thread, as runs of one
//! session in several threads are not safe with every execution provider; on the processor they are, and there threads
//! that run it by themselves have one session together.

use std::path::Path;

use super::survey::Survey;

mod input;
mod library;
mod numbers;
mod provider;
mod results;
mod search;
mod session;
mod source;
mod value;

pub(super) use library::runtime;
pub(super) use provider::best_device;
pub(super) use search::is_named;
pub(super) use session::OrtEngine;

/// A file, and what was seen in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model<'a> {
    pub(super) path: &'a Path,
    pub(super) survey: Option<&'a Survey>,
}
