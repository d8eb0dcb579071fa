//! What the user can set.

use livetune_core::infer::Thresholds;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// Path of the .onnx file.
    pub(super) model: Option<String>,
    /// Path of the text file with a class name per line.
    pub(super) labels: Option<String>,
    pub(super) confidence: f64,
    pub(super) iou: f64,
    pub(super) draw: bool,
    /// Threads of the engine; 0 leaves it to the engine.
    pub(super) threads: u32,
    pub(super) post_messages: bool,
}

/// The part that may change from frame to frame.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) thresholds: Thresholds,
    pub(super) draw: bool,
    pub(super) post_messages: bool,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        model: None,
        labels: None,
        confidence: 0.5,
        iou: 0.45,
        draw: false,
        threads: 0,
        post_messages: false,
    };

    /// More than a machine has; a typing error must not start a million threads.
    pub(super) const MOST_THREADS: u32 = 256;

    pub(super) fn live(&self) -> Live {
        Live {
            thresholds: Thresholds {
                confidence: self.confidence as f32,
                iou: self.iou as f32,
                ..Thresholds::default()
            },
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
