//! Ids that stay with their objects.

use std::time::Duration;

use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::{Area, Detection, Tracker};
use livetune_core::time::MediaTime;

use super::{BALL, CAPS, SQUARE, analytics, frame, onnx, running};
use crate::support::allocations::Tally;
use crate::support::init;

/// The tracks of the objects of `buffer`.
fn tracks(buffer: &gst::BufferRef) -> Vec<Option<i32>> {
    let metas = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    let id = |meta: &VideoRegionOfInterestMeta| meta.param("object_id")?.get("id").ok();
    metas.map(|meta| id(&meta)).collect()
}

fn tracking() -> gst::Element {
    init();
    gst::ElementFactory::make("gpuinfer")
        .property("model", onnx::detector(&[BALL, SQUARE]).to_str().unwrap())
        .property_from_str("tracker", "iou")
        .build()
        .unwrap()
}

#[test]
fn tracked_objects_have_their_ids_in_metas_and_messages() {
    let element = tracking();
    element.set_property("post-messages", true);
    let mut harness = running(&element, CAPS);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    for number in 0..3 {
        let mut input = frame(CAPS, 90);
        input
            .make_mut()
            .set_pts(gst::ClockTime::from_mseconds(40 * number));
        let out = harness.push_and_pull(input).unwrap();
        assert_eq!(tracks(&out), [Some(1), Some(2)]);
        if let Some(objects) = analytics::objects(&out) {
            let ids: Vec<_> = objects.iter().map(|object| object.track).collect();
            assert_eq!(ids, [Some(1), Some(2)]);
        }
        let message = bus.pop_filtered(&[gst::MessageType::Element]).unwrap();
        let objects = message
            .structure()
            .unwrap()
            .get::<gst::List>("objects")
            .unwrap();
        let second = objects[1].get::<gst::Structure>().unwrap();
        assert_eq!(second.get::<u64>("track"), Ok(2));
        assert_eq!(second.get::<u64>("age"), Ok(0));
    }
}

#[test]
fn after_new_caps_objects_are_new() {
    let mut harness = running(&tracking(), CAPS);
    harness.push_and_pull(frame(CAPS, 90)).unwrap();
    let large = CAPS.replace("128", "130");
    harness.set_src_caps(large.parse().unwrap());
    let out = harness.push_and_pull(frame(&large, 90)).unwrap();
    assert_eq!(tracks(&out), [Some(3), Some(4)]);
}

#[test]
fn following_objects_asks_for_no_memory() {
    let mut tracker = Tracker::default();
    let mut follow = |frame: u64| {
        let now = MediaTime::ZERO.after(Duration::from_millis(40 * frame));
        let mut found = [Detection::default(); 30];
        for (at, found) in found.iter_mut().enumerate() {
            let x = 50.0 * at as f32 + (frame % 100) as f32;
            found.area = Area::around(x, 100.0, 40.0, 80.0);
            found.confidence = if (frame + at as u64).is_multiple_of(7) {
                0.2
            } else {
                0.9
            };
        }
        tracker.on_detections(&found, 0.5, now).len() + tracker.predict(now).len()
    };
    let warm: usize = (0..200).map(&mut follow).sum();
    let tally = Tally::new();
    tally.join();
    let shown: usize = (200..400).map(&mut follow).sum();
    Tally::leave();
    assert!(warm.min(shown) > 200 * 30);
    assert_eq!(tally.allocations(), 0);
}
