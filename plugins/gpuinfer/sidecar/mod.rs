//! What a file beside the model says of it: what its shapes do not tell.
//!
//! Our own form is JSON, `model.json` or `model.onnx.json` beside `model.onnx`:
//!
//! ```json
//! {
//!   "decoder": "yolov8",
//!   "input": {
//!     "width": 640, "height": 640, "layout": "nchw", "channels": "rgb",
//!     "mean": [0, 0, 0], "std": [255, 255, 255], "placement": "centre", "padding": 114
//!   },
//!   "labels": ["person", "bicycle"],
//!   "confidence": 0.4, "iou": 0.5, "max-objects": 100
//! }
//! ```
//!
//! All of it may be left out. Further keys: `scale` (instead of `std`: its reciprocal), `classes`, `background`,
//! `first-class`, `activation`, `boxes`, `unit`, `top`, `class-agnostic`. The `.modelinfo` of GStreamer 1.28 is read as
//! far as it says any of this: the input's ranges, dims and caps, and which decoder the ids of the outputs belong to.

mod json;
mod modelinfo;

use std::fmt;

use livetune_core::infer::{ChannelOrder, Family, Hints, Layout, Normalisation, Placement, Size};

use super::options::Document;
use super::preprocess::Form;

pub(super) use json::labels_file;

/// What is said; everything may be left unsaid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sidecar {
    pub(super) decoder: Option<Family>,
    pub(super) width: Option<usize>,
    pub(super) height: Option<usize>,
    pub(super) layout: Option<Layout>,
    pub(super) channels: Option<ChannelOrder>,
    /// Taken off values of 0..255.
    pub(super) mean: Option<[f32; 3]>,
    /// Factor for what is left.
    pub(super) scale: Option<[f32; 3]>,
    pub(super) placement: Option<Placement>,
    pub(super) padding: Option<u8>,
    /// Names of the classes, one a line.
    pub(super) labels: Option<String>,
    pub(super) hints: Hints,
    pub(super) advice: Advice,
}

/// Which results should count, unless the user has a mind of his own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Advice {
    pub(super) confidence: Option<f32>,
    pub(super) iou: Option<f32>,
    pub(super) max_objects: Option<usize>,
    pub(super) across_classes: bool,
}

/// What is wrong with a sidecar; a sentence that says what is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Sidecar {
    /// What `document` says, and what in it nobody understands.
    pub(super) fn parse(document: &Document) -> Result<(Self, Vec<String>), Wrong> {
        let text = document.text.trim_start_matches('\u{feff}');
        if modelinfo::is_one(text) {
            modelinfo::parse(text)
        } else {
            json::parse(text)
        }
    }

    /// How the model wants its pictures: as its `family` does, unless something else is said.
    pub(super) fn form(&self, family: Family, size: Size, layout: Layout) -> Form {
        let usual = family.normalisation();
        let normalisation = Normalisation {
            order: self.channels.unwrap_or(usual.order),
            layout,
            mean: self.mean.unwrap_or(usual.mean),
            scale: self.scale.unwrap_or(usual.scale),
            padding: self.padding.unwrap_or(usual.padding),
        };
        let placement = |usual| self.placement.unwrap_or(usual);
        Form {
            size,
            placement: placement(family.placement()),
            of_regions: placement(family.placement_of_regions()),
            normalisation,
        }
    }
}

#[cfg(test)]
mod tests;
