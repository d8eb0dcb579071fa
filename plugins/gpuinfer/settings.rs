//! What the user can set.

use std::sync::Arc;

use livetune_core::infer::Rois;

use super::DecoderChoice;
use super::detector::Wishes;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// Path of the .onnx file.
    pub(super) model: Option<String>,
    /// Path of the text file with a class name per line.
    pub(super) labels: Option<String>,
    pub(super) decoder: DecoderChoice,
    /// Path of the sidecar.
    pub(super) model_config: Option<String>,
    pub(super) confidence: f64,
    pub(super) iou: f64,
    pub(super) max_objects: u32,
    /// Names or numbers of the classes that count, with commas between them.
    pub(super) classes: Option<Arc<str>>,
    /// Parts of the frame, as they were written and as they are meant.
    pub(super) roi: Option<String>,
    pub(super) rois: Rois,
    pub(super) draw: bool,
    /// Threads of the engine; 0 leaves it to the engine.
    pub(super) threads: u32,
    pub(super) post_messages: bool,
}

/// The part that may change from frame to frame.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) wishes: Wishes,
    pub(super) rois: Rois,
    pub(super) draw: bool,
    pub(super) post_messages: bool,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        model: None,
        labels: None,
        decoder: DecoderChoice::Auto,
        model_config: None,
        confidence: Wishes::DEFAULT.confidence,
        iou: Wishes::DEFAULT.iou,
        max_objects: Wishes::DEFAULT.max_objects,
        classes: None,
        roi: None,
        rois: Rois::none(),
        draw: false,
        threads: 0,
        post_messages: false,
    };

    /// More than anybody looks at.
    pub(super) const MOST_OBJECTS: u32 = 10_000;
    /// More than a machine has; a typing error must not start a million threads.
    pub(super) const MOST_THREADS: u32 = 256;

    pub(super) fn live(&self) -> Live {
        Live {
            wishes: Wishes {
                confidence: self.confidence,
                iou: self.iou,
                max_objects: self.max_objects,
                classes: self.classes.clone(),
            },
            rois: self.rois.clone(),
            draw: self.draw,
            post_messages: self.post_messages,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
