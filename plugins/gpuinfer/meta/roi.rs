//! Objects as regions of interest, in the layout of Intel's DL Streamer.

use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::{Labels, Size};

use crate::gpuinfer::objects::Object;

/// Attaches `objects` to `buffer`, a frame of the size `frame`.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    objects: &[Object],
    labels: &Labels,
    frame: Size,
) {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    for object in objects {
        let area = object.area;
        let detection = gst::Structure::builder("detection")
            .field("x_min", f64::from(area.left) / width)
            .field("x_max", f64::from(area.right) / width)
            .field("y_min", f64::from(area.top) / height)
            .field("y_max", f64::from(area.bottom) / height)
            .field("confidence", f64::from(object.confidence))
            .field("label_id", object.class as i32)
            .build();
        let label = labels.name(object.class);
        let mut meta = VideoRegionOfInterestMeta::add(buffer, label, object.rect);
        meta.set_id(object.id);
        if let Some(parent) = object.parent {
            meta.set_parent_id(parent);
        }
        meta.add_param(detection);
        if let Some(track) = object.track {
            // gvatrack's structure for an id that lasts.
            let object_id = gst::Structure::builder("object_id")
                .field("id", track as i32)
                .build();
            meta.add_param(object_id);
        }
    }
}
