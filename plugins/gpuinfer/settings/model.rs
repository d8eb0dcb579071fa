//! Which network it is, what it looks at, and what counts.

use super::spec::{PLAYING, READY, choice, group, number, ratio, text};
use crate::gpuinfer::DecoderChoice;
use crate::gpuinfer::detector::Wishes;

/// More than anybody looks at.
const MOST_OBJECTS: u32 = 10_000;

group! {
    /// Which network it is, what it looks at, and what counts.
    ModelSettings {
        /// Path of the .onnx file.
        model: Option<String> = None, "model", text((PLAYING, "Model",
            "Path of the neural network, an .onnx file. While frames flow, a new one is loaded beside the old one and \
             takes over between two frames; one that cannot be used is refused with a warning"));
        /// Path of the text file with a class name per line.
        labels: Option<String> = None, "labels", text((PLAYING, "Labels",
            "Path of a text file with the name of a class per line, in the model's order (NULL = as the model's \
             configuration says, else class 0, class 1, ...). Set while frames flow, it is that of the model that is set \
             next"));
        decoder: DecoderChoice = DecoderChoice::Auto, "decoder", choice((READY, "Decoder",
            "What the network's outputs mean; raw hands them on as they are"));
        /// Path of the sidecar.
        model_config: Option<String> = None, "model-config", text((READY, "Model configuration",
            "Path of a file that says what the model wants and gives, as JSON or .modelinfo (NULL = the one beside the \
             model: model.json or model.onnx.modelinfo)"));
        confidence: f64 = Wishes::DEFAULT.confidence, "confidence", ratio((PLAYING, "Confidence",
            "How sure the network must be of an object, as a ratio (0 = report everything, 1 = nothing)"));
        iou: f64 = Wishes::DEFAULT.iou, "iou", ratio((PLAYING, "Intersection over union",
            "Overlap, as a ratio, above which two boxes of one class are one object (0 = any overlap, 1 = never)"));
        max_objects: u32 = Wishes::DEFAULT.max_objects, "max-objects", number(1, MOST_OBJECTS, (PLAYING, "Maximum of objects",
            "Objects per frame, the surest ones"));
        /// Names or numbers of the classes that count, with commas between them.
        classes: Option<String> = None, "classes", text((PLAYING, "Classes",
            "Which classes to report: labels or numbers with commas between them (NULL = all)"));
        roi: Option<String> = None, "roi", text((PLAYING, "Regions of interest",
            "Parts of the frame to look at, each at the network's full size: x,y,w,h;x,y,w,h;... in pixels, or in parts \
             of the frame where all four are at most 1 (NULL = the whole frame)"));
    }
}
