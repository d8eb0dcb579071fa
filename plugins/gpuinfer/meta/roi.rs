//! Objects as regions of interest, in the layout of Intel's DL Streamer.

use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::Size;

use crate::gpuinfer::objects::{Object, What};
use crate::gpuinfer::presenter::About;

/// Attaches `objects` to `buffer`, a frame of the size `frame`. What an object was classified as goes to the object's
/// own region, and so do outputs for it that nobody here makes sense of.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    objects: &[Object],
    about: &About<'_>,
    frame: Size,
) {
    for object in objects {
        let label = about.labels.name(object.class);
        let structure = match object.what {
            What::Detected => detection(object, frame),
            What::Classified => classification(object, about),
        };
        if object.what == What::Classified
            && let Some(parent) = object.parent
        {
            add_to(buffer, parent, structure);
            continue;
        }
        let mut meta = VideoRegionOfInterestMeta::add(buffer, label, object.rect);
        meta.set_id(object.id);
        if let Some(parent) = object.parent {
            meta.set_parent_id(parent);
        }
        meta.add_param(structure);
        if let Some(track) = object.track {
            // gvatrack's structure for an id that lasts.
            let object_id = gst::Structure::builder("object_id")
                .field("id", track as i32)
                .build();
            meta.add_param(object_id);
        }
    }
    for tensor in about.tensors {
        if let Some(parent) = tensor.parent {
            add_to(buffer, parent, tensor.gva_structure(about));
        }
    }
}

fn detection(object: &Object, frame: Size) -> gst::Structure {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let area = object.area;
    gst::Structure::builder("detection")
        .field("x_min", f64::from(area.left) / width)
        .field("x_max", f64::from(area.right) / width)
        .field("y_min", f64::from(area.top) / height)
        .field("y_max", f64::from(area.bottom) / height)
        .field("confidence", f64::from(object.confidence))
        .field("label_id", object.class as i32)
        .build()
}

fn classification(object: &Object, about: &About<'_>) -> gst::Structure {
    gst::Structure::builder("classification")
        .field("label", about.labels.name(object.class))
        .field("label_id", object.class as i32)
        .field("confidence", f64::from(object.confidence))
        .field("model_name", about.model)
        .field("attribute_name", about.attribute())
        .build()
}

/// Adds `structure` to the region of `buffer` with this `id`; nowhere where there is none.
fn add_to(buffer: &mut gst::BufferRef, id: i32, structure: gst::Structure) {
    let mut regions = buffer.iter_meta_mut::<VideoRegionOfInterestMeta>();
    if let Some(mut region) = regions.find(|region| region.id() == id) {
        region.add_param(structure);
    }
}
