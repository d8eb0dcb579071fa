//! Which network it is, and what counts as an object.

use livetune_core::infer::Thresholds;

use super::spec::{PLAYING, group, ratio, text};

group! {
    /// Which network it is, and what counts as an object.
    ModelSettings {
        /// Path of the .onnx file.
        model: Option<String> = None, "model", text((PLAYING, "Model",
            "Path of the neural network, an .onnx file with a YOLOX, YOLOv8 or YOLOv11 detection head. While frames \
             flow, a new one is loaded beside the old one and takes over between two frames; one that cannot be used is \
             refused with a warning"));
        /// Path of the text file with a class name per line.
        labels: Option<String> = None, "labels", text((PLAYING, "Labels",
            "Path of a text file with the name of a class per line, in the model's order (NULL = class 0, class 1, ...). \
             Set while frames flow, it is that of the model that is set next"));
        confidence: f64 = 0.5, "confidence", ratio((PLAYING, "Confidence",
            "How sure the network must be of an object, as a ratio (0 = report everything, 1 = nothing)"));
        iou: f64 = 0.45, "iou", ratio((PLAYING, "Intersection over union",
            "Overlap, as a ratio, above which two boxes of one class are one object (0 = any overlap, 1 = never)"));
    }
}

impl ModelSettings {
    pub(super) fn thresholds(&self) -> Thresholds {
        Thresholds {
            confidence: self.confidence as f32,
            iou: self.iou as f32,
            ..Thresholds::default()
        }
    }
}
