//! `livetune-inference`: all objects of a frame in one meta that passes encoders and payloaders.
//!
//! It has no tags, so nothing that happens to the pixels takes it away; its boxes are parts of the frame, so that
//! scaling does not make them wrong. The fields `ids`, `track-ids` (0 where an object is not tracked), `parent-ids`
//! (-1 where there is none), `classified` (whether the parent was classified and not a part of it found), `label-ids`,
//! `labels` and `confidences` have one entry per object, `boxes` has four: left, top, right and bottom, 0 to 1. With
//! `decoder=raw` the field `tensors` has the network's outputs, see `tensors.rs`.

use std::sync::OnceLock;

use gst::glib;
use gst::meta::CustomMeta;
use gst::prelude::*;
use livetune_core::infer::Size;
use livetune_core::time::nanos;

use crate::gpuinfer::objects::{Object, What};
use crate::gpuinfer::presenter::About;

const NAME: &str = "livetune-inference";

/// Attaches `objects`, found on a frame of the size `frame`, to `buffer`.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    objects: &[Object],
    about: &About<'_>,
    frame: Size,
) {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        if !CustomMeta::is_registered(NAME) {
            CustomMeta::register(NAME, &[]);
        }
    });
    // It is registered.
    let Ok(mut meta) = CustomMeta::add(buffer, NAME) else {
        return;
    };
    let structure = meta.mut_structure();
    let array = |value: &dyn Fn(&Object) -> glib::SendValue| {
        gst::Array::from_iter(objects.iter().map(value))
    };
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let boxes = objects.iter().flat_map(|object| {
        let area = object.area;
        [
            f64::from(area.left) / width,
            f64::from(area.top) / height,
            f64::from(area.right) / width,
            f64::from(area.bottom) / height,
        ]
    });
    structure.set("model", about.model);
    structure.set("inferred", about.inferred);
    structure.set("age", nanos(about.age));
    structure.set("batch-size", about.batch_size);
    structure.set("preprocess", nanos(about.stages.preprocess));
    structure.set("inference", nanos(about.stages.inference));
    structure.set("postprocess", nanos(about.stages.postprocess));
    structure.set("boxes", gst::Array::new(boxes));
    structure.set("ids", array(&|object| object.id.to_send_value()));
    let track = |object: &Object| object.track.unwrap_or(0).to_send_value();
    structure.set("track-ids", array(&track));
    let parent = |object: &Object| object.parent.unwrap_or(-1).to_send_value();
    structure.set("parent-ids", array(&parent));
    let classified = |object: &Object| (object.what == What::Classified).to_send_value();
    structure.set("classified", array(&classified));
    let class = |object: &Object| (object.class as i32).to_send_value();
    structure.set("label-ids", array(&class));
    let label = |object: &Object| about.labels.name(object.class).to_send_value();
    structure.set("labels", array(&label));
    let confidence = |object: &Object| f64::from(object.confidence).to_send_value();
    structure.set("confidences", array(&confidence));
    if !about.tensors.is_empty() {
        let tensors = about.tensors.iter().map(|tensor| tensor.structure(frame));
        structure.set("tensors", gst::Array::new(tensors));
    }
}
