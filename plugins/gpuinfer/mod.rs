//! `gpuinfer`: finds objects in video with a neural network.
//!
//! Frames go through untouched, at their full size; what the network found is attached to them, one
//! `GstVideoRegionOfInterestMeta` per object in the layout of Intel's DL Streamer: the label as type, an id unique in
//! the frame, the rectangle in pixels, and a structure `detection` with `x_min`, `x_max`, `y_min`, `y_max` (0..1),
//! `confidence` and `label_id`. With `draw=true` boxes and labels are in the picture as well.
//!
//! ```text
//! gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert ! queue leaky=downstream max-size-buffers=1 \
//!     ! gpuinfer model=yolov8n.onnx labels=coco.txt draw=true ! videoconvert ! autovideosink
//! ```
//!
//! Place it where the metas are needed, behind converters: videoconvert loses the `detection` structure, videocrop
//! and compositor lose the metas. Each frame waits for the network: what is slower than the camera needs a leaky
//! queue in front (as above), so that frames are left out there and do not grow old in the pipeline. A second
//! `gpuinfer` behind the first adds its objects to those of the first.
//!
//! Detectors are known by the shape of their output: YOLOX (Ge et al. 2021, <https://arxiv.org/abs/2107.08430>) as
//! exported by its own tool without decoding, and YOLOv8 or v11 as exported by Ultralytics (`format=onnx`, no NMS
//! inside). Frames are scaled bilinearly into the model's input with their shape kept, each family's own way. The
//! engine is rten (<https://github.com/robertknight/rten>), built in, on the processor.

use gst::glib;
use gst::prelude::*;

mod detector;
mod draw;
mod engine;
mod flow;
mod imp;
mod instance;
mod meta;
mod model;
mod object_settings;
mod objects;
mod options;
mod picture;
mod preprocess;
mod presenter;
mod publish;
mod report;
mod settings;

pub use meta::Metadata;
pub use object_settings::Tracking;
pub use publish::Publish;

glib::wrapper! {
    /// The element's public Rust type.
    pub struct GpuInfer(ObjectSubclass<imp::GpuInfer>)
        @extends gst::Element, gst::Object,
        @implements gst::Preset;
}

pub(crate) const FACTORY: &str = "gpuinfer";

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let kind = GpuInfer::static_type();
    gst::Element::register(Some(plugin), FACTORY, gst::Rank::NONE, kind)
}
