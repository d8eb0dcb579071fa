//! Objects on the wire: metas on the frame, and the message that tells of them.

use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::{Detection, Labels, Size};

/// A detection as others see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Object {
    /// Unique in the frame.
    pub(super) id: i32,
    pub(super) class: usize,
    pub(super) confidence: f32,
    /// Left, top, width and height in pixels of the frame.
    pub(super) rect: (u32, u32, u32, u32),
}

/// Numbers `found`, with ids that no object of `buffer` has yet, into `objects`.
pub(super) fn number(
    found: &[Detection],
    buffer: &gst::BufferRef,
    frame: Size,
    objects: &mut Vec<Object>,
) {
    let is_taken = |id| {
        let mut others = buffer.iter_meta::<VideoRegionOfInterestMeta>();
        others.any(|meta| meta.id() == id)
    };
    let ids = (1..=i32::MAX).filter(|id| !is_taken(*id));
    objects.clear();
    objects.extend(found.iter().zip(ids).map(|(found, id)| Object {
        id,
        class: found.class,
        confidence: found.confidence,
        rect: found.area.to_pixels(frame),
    }));
}

/// Attaches each of `found`, which became `objects`, to `buffer`.
pub(super) fn attach(
    buffer: &mut gst::BufferRef,
    found: &[Detection],
    objects: &[Object],
    labels: &Labels,
    frame: Size,
) {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    for (detection, object) in found.iter().zip(objects) {
        let area = detection.area;
        let structure = gst::Structure::builder("detection")
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
        meta.add_param(structure);
    }
}

/// The message `livetune-detections`.
pub(super) fn message(
    pts: Option<gst::ClockTime>,
    objects: &[Object],
    labels: &Labels,
) -> gst::Structure {
    let list = objects.iter().map(|object| {
        let (x, y, w, h) = object.rect;
        gst::Structure::builder("object")
            .field("id", object.id)
            .field("label", labels.name(object.class))
            .field("label-id", object.class as i32)
            .field("confidence", f64::from(object.confidence))
            .field("x", x)
            .field("y", y)
            .field("w", w)
            .field("h", h)
            .build()
    });
    gst::Structure::builder("livetune-detections")
        .field("pts", pts)
        .field("objects", gst::List::new(list))
        .build()
}
