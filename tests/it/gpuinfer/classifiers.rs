//! Classifiers that judge by the pixels: of the whole frame, and of the objects of another network.

use std::path::PathBuf;

use gst::meta::CustomMeta;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoRegionOfInterestMeta;
use serde_json::Value;

use super::linear::{self, Linear};
use super::{BALL, BALL_RECT, SQUARE, SQUARE_RECT, onnx, running};
use crate::support::init;
use crate::support::pipeline::stats;

const WIDTH: u32 = 128;
const HEIGHT: u32 = 96;
const CAPS: &str = "video/x-raw,format=RGB,width=128,height=96,framerate=30/1";

const RED: [u8; 3] = [240, 10, 20];
const GREEN: [u8; 3] = [10, 230, 30];
const BLUE: [u8; 3] = [20, 10, 250];

/// Tells red, green and blue pictures apart. `batch`: as for [`linear::linear`].
fn classifier(batch: Option<u64>) -> (PathBuf, PathBuf) {
    let scores = Linear::new("scores", &[3])
        .set(0, 0.0, [3.0, 0.0, 0.0])
        .set(1, 0.0, [0.0, 3.0, 0.0])
        .set(2, 0.0, [0.0, 0.0, 3.0]);
    let labels = onnx::write(b"red\ngreen\nblue\n");
    (linear::linear(batch, (32, 32), &[scores]), labels)
}

fn element(batch: Option<u64>, properties: &[(&str, &str)]) -> gst::Element {
    init();
    let (model, labels) = classifier(batch);
    let mut make = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .property("labels", labels.to_str().unwrap());
    for (name, value) in properties {
        make = make.property_from_str(name, value);
    }
    make.build().unwrap()
}

type Rect = (u32, u32, u32, u32);

/// A green frame with rectangles of other colours.
fn scene(rects: &[(Rect, [u8; 3])]) -> gst::Buffer {
    let inside = |(x, y): (u32, u32), (left, top, width, height): Rect| {
        (left..left + width).contains(&x) && (top..top + height).contains(&y)
    };
    let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    let colour = |place| {
        let painted = rects.iter().find(|(rect, _)| inside(place, *rect));
        painted.map_or(GREEN, |(_, colour)| *colour)
    };
    let mut buffer = gst::Buffer::from_mut_slice(places.flat_map(colour).collect::<Vec<u8>>());
    buffer.make_mut().set_pts(gst::ClockTime::ZERO);
    buffer
}

/// What each region of `buffer` was classified as, and how sure that is.
fn classified(buffer: &gst::BufferRef) -> Vec<(Rect, Option<(String, f64)>)> {
    let metas = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    metas
        .map(|meta| {
            let told = meta.param("classification").map(|told| {
                let label = told.get::<String>("label").unwrap();
                (label, told.get::<f64>("confidence").unwrap())
            });
            (meta.rect(), told)
        })
        .collect()
}

fn labels(buffer: &gst::BufferRef) -> Vec<Option<String>> {
    let told = classified(buffer).into_iter();
    told.map(|(_, told)| told.map(|(label, _)| label)).collect()
}

#[test]
fn the_middle_of_a_frame_says_what_it_is() {
    let mut harness = running(&element(Some(1), &[]), CAPS);
    // The middle 96 columns are what has the input's shape.
    let sides = [((0, 0, 16, 96), RED), ((112, 0, 16, 96), RED)];
    for (middle, label) in [(RED, "red"), (GREEN, "green"), (BLUE, "blue")] {
        let rects = [sides[0], sides[1], ((16, 0, 96, 96), middle)];
        let out = harness.push_and_pull(scene(&rects)).unwrap();
        let told = classified(&out);
        let [(rect, Some((said, sure)))] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!((said.as_str(), *rect), (label, (0, 0, WIDTH, HEIGHT)));
        assert!(*sure > 0.99, "{told:?}");
    }
}

/// A detector of two objects, and a classifier of what it finds.
fn two_stages(tracker: &str, second: &gst::Element) -> (Harness, Harness) {
    init();
    let model = onnx::detector(&[BALL, SQUARE]);
    let first = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .property_from_str("tracker", tracker)
        .property_from_str("metadata", "roi")
        .build()
        .unwrap();
    (running(&first, CAPS), running(second, CAPS))
}

fn through(stages: &mut (Harness, Harness), input: gst::Buffer) -> gst::Buffer {
    let between = stages.0.push_and_pull(input).unwrap();
    stages.1.push_and_pull(between).unwrap()
}

#[test]
fn each_object_is_classified_by_its_own_pixels() {
    // One picture at once, any number at once, always four at once.
    for batch in [Some(1), None, Some(4)] {
        let path = onnx::write(b"");
        let second = element(
            batch,
            &[
                ("roi-source", "objects"),
                ("publish", "jsonl"),
                ("publish-location", path.to_str().unwrap()),
            ],
        );
        let mut stages = two_stages("none", &second);
        let some = |label: &str| Some(label.to_owned());
        for (ball, square, expected) in [
            (RED, BLUE, [some("red"), some("blue")]),
            (BLUE, RED, [some("blue"), some("red")]),
            (GREEN, BLUE, [some("green"), some("blue")]),
        ] {
            let input = scene(&[(BALL_RECT, ball), (SQUARE_RECT, square)]);
            let out = through(&mut stages, input);
            assert_eq!(labels(&out), expected, "{batch:?}");
            let told = meta(&out);
            let list = told.get::<gst::Array>("labels").unwrap();
            let list: Vec<_> = list
                .iter()
                .map(|label| label.get::<String>().ok())
                .collect();
            assert_eq!(list, expected);
            let all = |name: &str| told.get::<gst::Array>(name).unwrap();
            let classified = all("classified");
            assert!(classified.iter().all(|one| one.get::<bool>() == Ok(true)));
            let parents = all("parent-ids");
            let parents: Vec<_> = parents.iter().map(|id| id.get::<i32>().unwrap()).collect();
            let metas = out.iter_meta::<VideoRegionOfInterestMeta>();
            assert_eq!(parents, metas.map(|meta| meta.id()).collect::<Vec<_>>());
        }
        assert_eq!(stats(&second).get::<u64>("looked-into"), Ok(6));
        second.set_state(gst::State::Null).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let attribute = |at: usize| {
            let object = first["objects"][at].as_object().unwrap();
            let own = object.values().find(|value| value.get("label").is_some());
            own.unwrap()["label"].as_str().unwrap().to_owned()
        };
        assert_eq!([attribute(0), attribute(1)], ["red", "blue"]);
    }
}

/// `livetune-inference` of the second stage, the only one.
fn meta(buffer: &gst::BufferRef) -> gst::Structure {
    let meta = CustomMeta::from_buffer(buffer, "livetune-inference").unwrap();
    meta.structure().to_owned()
}

#[test]
fn a_tracked_object_keeps_its_class_until_it_is_time_to_look_again() {
    let second = element(
        None,
        &[("roi-source", "objects"), ("reclassify-interval", "400")],
    );
    let mut stages = two_stages("iou", &second);
    for number in 0..20_u64 {
        // The ball turns blue after the first frame.
        let ball = if number == 0 { RED } else { BLUE };
        let mut input = scene(&[(BALL_RECT, ball), (SQUARE_RECT, RED)]);
        input
            .make_mut()
            .set_pts(gst::ClockTime::from_mseconds(40 * number));
        let out = through(&mut stages, input);
        let expected = if number < 10 { "red" } else { "blue" };
        assert_eq!(labels(&out)[0].as_deref(), Some(expected), "frame {number}");
    }
    assert_eq!(stats(&second).get::<u64>("looked-into"), Ok(4));
}
