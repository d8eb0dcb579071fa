//! `gpuinfer`: finds objects in video with a neural network.
//!
//! Frames go through untouched, at their full size; what the network found is attached to them (`metadata`), with the
//! same ids in each kind of meta:
//!
//! - one `GstVideoRegionOfInterestMeta` per object in the layout of Intel's DL Streamer: the label as type, an id unique
//!   in the frame, the rectangle in pixels, a structure `detection` with `x_min`, `x_max`, `y_min`, `y_max` (0..1),
//!   `confidence` and `label_id`, and a structure `object_id` where the object is tracked;
//! - one `GstCustomMeta` `livetune-inference` per frame, which has no tags and so passes converters, encoders, parsers
//!   and payloaders; its boxes are parts of the frame;
//! - one `GstAnalyticsODMtd` per object, with tracking and classification, where libgstanalytics is installed.
//!
//! With `draw=true` boxes and labels are in the picture as well. `publish=jsonl` writes a line of JSON per frame, in the
//! schema of DL Streamer's gvametaconvert, from a thread of its own: a reader that is slow or gone holds nothing up.
//! `tracker=iou` gives objects ids that last (ByteTrack, Zhang et al. 2022, <https://arxiv.org/abs/2110.06864>).
//!
//! With `roi-source=objects` the network does not look at the frame but into the objects of a `gpuinfer` before it:
//! what it finds there are their children, what it classifies them as goes to their metas. A tracked object is looked
//! at when it comes, when its box has grown by half, and after `reclassify-interval`.
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! gpuinfer model=yolov8n.onnx labels=coco.txt draw=true ! videoconvert \
//!     ! autovideosink
//! ```
//!
//! Place it where the metas are needed, behind converters: videoconvert loses the `detection` structure, videocrop
//! and compositor lose the metas. A second `gpuinfer` behind the first adds its objects to those of the first.
//!
//! # Video does not wait
//!
//! Frames wait in a queue of the element's own (`queue-size`) and leave it in the order they came, events between them;
//! a thread of the element's pushes them (`mode=async`). Live video waits for its objects as long as `max-latency`
//! allows, which is learned from the network and told to the pipeline; what is late goes on with the objects of the last
//! frame that has some (`late-policy=skip`), each with its age, which is at most `max-age`. A result that comes after
//! its frame is not lost: later frames carry it. Video that is not live waits, and no frame is without objects of its
//! own (`late-policy=block`). `inference-interval` leaves frames out on purpose.
//!
//! Elements of one process with the same model and the same settings of it, or with the same `model-instance-id`, share
//! one network; frames of all of them go into it together (`max-batch-size`, `max-queue-delay`). Each element keeps its
//! own order: a camera that stops, or a sink that blocks, costs the others nothing.
//!
//! `model` can be set while frames flow: the new network is loaded and warmed up beside the old one and takes over
//! between two frames. Upstream is told once a second how long frames wait for their objects, in an event
//! `livetune-load`.
//!
//! Detectors are known by the shape of their output: YOLOX (Ge et al. 2021, <https://arxiv.org/abs/2107.08430>) as
//! exported by its own tool without decoding, and YOLOv8 or v11 as exported by Ultralytics (`format=onnx`, no NMS
//! inside). Frames are scaled bilinearly into the model's input with their shape kept, each family's own way.
//!
//! The network runs on ONNX Runtime (<https://onnxruntime.ai>) where a libonnxruntime.so of 1.17 or later is found, as
//! in Python's package `onnxruntime`, and else on rten (<https://github.com/robertknight/rten>), which is built in;
//! `backend` chooses and `active-backend` tells. With an ONNX Runtime made for it, `device=cuda`, `tensorrt` or
//! `openvino` runs the network there; a device that does not work is an error that says why, unless `fallback=cpu`. One
//! that is lost while frames flow is a warning: frames go on without objects, and the network is opened anew, at once and
//! then after one second, two, four, up to half a minute; with `fallback=cpu`, on the processor where the device does not
//! come back.
//!
//! # Frames on the GPU
//!
//! ```text
//! gst-launch-1.0 filesrc location=street.mp4 ! qtdemux ! h264parse ! nvh264dec ! 'video/x-raw(memory:CUDAMemory)' \
//!     ! gpuinfer device=cuda model=yolov8n.onnx publish=jsonl publish-location=- ! fakesink
//! ```
//!
//! Frames in CUDA memory (NV12, I420, RGB and its kin, as GStreamer's nvcodec elements give them) go through as they are.
//! A network on `cuda` or `tensorrt` sees them there: a kernel, compiled by NVRTC when the network is opened, makes the
//! tensor, and only the network's outputs are downloaded. For any other network each frame is downloaded, and a warning
//! says so once; `stats` counts both (`cuda-frames`, `downloaded`). `draw=true` downloads and uploads each frame.

use gst::glib;
use gst::prelude::*;

mod cuda;
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
mod pads;
mod picture;
mod preprocess;
mod presenter;
mod publish;
mod report;
mod reuse;
mod say;
mod second_stage;
mod settings;
mod sidecar;
mod tensors;

pub use options::DecoderChoice;

pub use meta::Metadata;
pub use object_settings::{RoiSource, Tracking};
pub use publish::Publish;

glib::wrapper! {
    /// The element's public Rust type.
    pub struct GpuInfer(ObjectSubclass<imp::GpuInfer>)
        @extends gst::Element, gst::Object,
        @implements gst::Preset;
}

/// For benchmarks.
pub use engine::{Backend, BareEngine, onnx_runtime};

pub(crate) const FACTORY: &str = "gpuinfer";

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let kind = GpuInfer::static_type();
    gst::Element::register(Some(plugin), FACTORY, gst::Rank::NONE, kind)
}
