//! A network that looks into the objects of another.

use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;

use super::{BALL, BALL_RECT, CAPS, SQUARE, analytics, frame, harness, onnx, running};
use crate::support::init;
use crate::support::media::shared;
use crate::support::pipeline::{Pipeline, stats};

/// A second stage that finds in the middle of every picture the same ball.
fn second(properties: &[(&str, &str)]) -> gst::Element {
    init();
    let model = onnx::detector(&[BALL]);
    let mut make = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .property_from_str("roi-source", "objects");
    for (name, value) in properties {
        make = make.property_from_str(name, value);
    }
    make.build().unwrap()
}

/// Id, parent and rectangle of a region.
type Told = (i32, i32, (u32, u32, u32, u32));

/// Every region of `buffer`.
fn regions(buffer: &gst::BufferRef) -> Vec<Told> {
    let metas = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    metas
        .map(|meta| (meta.id(), meta.parent_id(), meta.rect()))
        .collect()
}

#[test]
fn what_is_found_in_an_object_is_its_child_in_pixels_of_the_frame() {
    let mut first = harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    let mut second = running(&second(&[("object-classes", "class 0")]), CAPS);
    let out = first.push_and_pull(frame(CAPS, 90)).unwrap();
    let out = second.push_and_pull(out).unwrap();
    let regions = regions(&out);
    assert_eq!(regions.len(), 3, "{regions:?}");
    let (parent, child) = (regions[0], regions[2]);
    assert_eq!(parent.2, BALL_RECT);
    assert_eq!(child.1, parent.0);
    assert_ne!(child.0, parent.0);
    // Of 64 the ball takes the 20 in the middle, of 40 pixels the 12.5 in the middle.
    let (x, y, w, h) = child.2;
    let close = |value: u32, expected: u32| value.abs_diff(expected) <= 1;
    assert!(close(x, 44 + 14) && close(y, 28 + 14), "{child:?}");
    assert!(close(w, 12) && close(h, 12), "{child:?}");
    if let Some(objects) = analytics::objects(&out) {
        let ids: Vec<_> = objects.iter().map(|object| object.id).collect();
        assert_eq!(ids, [regions[0].0, regions[1].0, regions[2].0]);
    }
}

#[test]
fn a_tracked_object_is_looked_into_once() {
    let mut first = harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    let element = first.element().unwrap();
    element.set_state(gst::State::Ready).unwrap();
    element.set_property_from_str("tracker", "iou");
    element.set_state(gst::State::Playing).unwrap();
    first.set_src_caps(CAPS.parse().unwrap());
    let second_element = second(&[("reclassify-interval", "1000")]);
    let mut second = running(&second_element, CAPS);
    let mut looks = 0;
    for number in 0..60 {
        let mut input = frame(CAPS, 90);
        input
            .make_mut()
            .set_pts(gst::ClockTime::from_mseconds(40 * number));
        let out = first.push_and_pull(input).unwrap();
        let out = second.push_and_pull(out).unwrap();
        assert_eq!(regions(&out).len(), 4, "{number}");
        let inferred = gst::meta::CustomMeta::from_buffer(&out, "livetune-inference").is_ok();
        assert!(inferred);
        let before = looks;
        looks = stats(&second_element).get::<u64>("looked-into").unwrap();
        let is_due = number % 25 == 0;
        assert_eq!(looks > before, is_due, "{number}");
    }
    assert_eq!(looks, 6, "two objects, three times");
}

#[test]
fn frames_without_objects_cost_no_inference() {
    let element = second(&[]);
    let mut harness = running(&element, CAPS);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert!(regions(&out).is_empty());
    assert_eq!(stats(&element).get::<u64>("looked-into"), Ok(0));
}

#[test]
fn people_are_found_again_in_the_boxes_of_people() {
    let (Some(model), Some(image)) = (
        shared("models/yolox_nano.onnx"),
        shared("images/astronaut.png"),
    ) else {
        return;
    };
    let model = model.display();
    let pipeline = Pipeline::parse(&format!(
        "filesrc location={} ! pngdec ! videoconvert ! gpuinfer model={model} \
         ! gpuinfer model={model} roi-source=objects object-classes=\"class 0\" ! fakesink name=end",
        image.display(),
    ));
    let (seen, frames) = std::sync::mpsc::channel();
    let pad = pipeline.element("end").static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let _ = seen.send(info.buffer().map(|buffer| regions(buffer)));
        gst::PadProbeReturn::Ok
    });
    pipeline.run_to_eos();
    let regions = frames.recv().unwrap().unwrap();
    let [(id, _, _), (_, parent, (x, y, w, h)), ..] = regions[..] else {
        panic!("{regions:?}");
    };
    assert_eq!(parent, id);
    assert!(x < 60 && y < 60 && w > 250 && h > 400, "{regions:?}");
}
