//! gpuinfer: what it finds, what it says, what it survives.

mod analytics;
mod batches;
mod classifiers;
mod costs;
mod detect_image;
mod drawing;
mod engines;
mod families;
mod gpu;
mod heads;
mod late;
mod life;
mod linear;
mod metadata;
mod onnx;
mod order;
mod publishing;
mod qos;
mod raw;
mod real;
mod reference;
mod refusals;
mod regions;
mod reload;
mod second_stage;
mod shapes;
mod sharing;
mod tracking;

use std::path::Path;

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoInfo, VideoRegionOfInterestMeta};

use crate::support::init;
use crate::support::pipeline::stats;
use onnx::detector;

/// In the middle of the model's input; in a frame of 128 x 96 at 44, 28 and 40 x 40 in size.
const BALL: [f32; 6] = [32.0, 32.0, 20.0, 20.0, 0.9, 0.1];
const BALL_RECT: (u32, u32, u32, u32) = (44, 28, 40, 40);
/// In the corner of such a frame, of the other class.
const SQUARE: [f32; 6] = [5.0, 13.0, 10.0, 10.0, 0.0, 0.75];
const SQUARE_RECT: (u32, u32, u32, u32) = (0, 0, 20, 20);

const CAPS: &str = "video/x-raw,format=I420,width=128,height=96,framerate=30/1";

/// A gpuinfer with `model` that waits for frames of `caps`.
fn harness(model: &Path, caps: &str) -> Harness {
    init();
    let make = gst::ElementFactory::make("gpuinfer");
    let element = make
        .property("model", model.to_str().unwrap())
        .build()
        .unwrap();
    running(&element, caps)
}

/// A harness says that it is live; here frames wait for their objects all the same.
fn running(element: &gst::Element, caps: &str) -> Harness {
    element.set_property_from_str("late-policy", "block");
    let mut harness = Harness::with_element(element, Some("sink"), Some("src"));
    harness.set_src_caps(caps.parse().unwrap());
    harness
}

fn video_info(caps: &str) -> VideoInfo {
    init();
    VideoInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap()
}

/// A frame of `caps` with every byte `value`.
fn frame(caps: &str, value: u8) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_mut_slice(vec![value; video_info(caps).size()]);
    buffer.make_mut().set_pts(gst::ClockTime::ZERO);
    buffer
}

/// An object as the metas tell of it.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    label: String,
    rect: (u32, u32, u32, u32),
    id: i32,
    confidence: f64,
}

fn found(buffer: &gst::BufferRef) -> Vec<Found> {
    let metas = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    let mut found: Vec<Found> = metas
        .map(|meta| Found {
            label: meta.roi_type().to_owned(),
            rect: meta.rect(),
            id: meta.id(),
            confidence: meta.param("detection").unwrap().get("confidence").unwrap(),
        })
        .collect();
    found.sort_by_key(|object| object.id);
    found
}

fn rects(buffer: &gst::BufferRef) -> Vec<(u32, u32, u32, u32)> {
    found(buffer).iter().map(|object| object.rect).collect()
}

/// A YOLOv8 for pictures of 64 by 64 with one object, 10 by 10, that is the further right the more red and the further
/// down the more green is in the picture, from 12 to 52; of the second class where there is much blue.
fn colour_meter() -> linear::Linear {
    const CELLS: usize = 84;
    linear::Linear::new("output0", &[6, CELLS as u64])
        .set(0, 12.0, [40.0, 0.0, 0.0])
        .set(CELLS, 12.0, [0.0, 40.0, 0.0])
        .set(2 * CELLS, 10.0, [0.0; 3])
        .set(3 * CELLS, 10.0, [0.0; 3])
        .set(4 * CELLS, 1.0, [0.0, 0.0, -1.0])
        .set(5 * CELLS, 0.0, [0.0, 0.0, 1.0])
}

/// What is in `mutex`, of a test that ends with any of its threads.
#[allow(clippy::disallowed_methods, reason = "a test that panics is over")]
fn taken<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

#[test]
fn every_object_is_a_meta_in_the_layout_of_dl_streamer() {
    let labels = onnx::write(b"ball\nsquare\n");
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", detector(&[SQUARE, BALL]).to_str().unwrap())
        .property("labels", labels.to_str().unwrap())
        .build()
        .unwrap();
    let mut harness = running(&element, CAPS);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    let metas: Vec<_> = out.iter_meta::<VideoRegionOfInterestMeta>().collect();
    let types: Vec<_> = metas.iter().map(|meta| meta.roi_type()).collect();
    assert_eq!(types, ["ball", "square"], "the surest first");
    assert_eq!(rects(&out), [BALL_RECT, SQUARE_RECT]);
    assert_ne!(metas[0].id(), metas[1].id());
    let detection = metas[1].param("detection").unwrap();
    assert_eq!(detection.get::<i32>("label_id"), Ok(1));
    let number = |name| detection.get::<f64>(name).unwrap();
    let edges = [
        number("x_min"),
        number("x_max"),
        number("y_min"),
        number("y_max"),
    ];
    for (edge, expected) in edges.into_iter().zip([0.0, 20.0 / 128.0, 0.0, 20.0 / 96.0]) {
        assert!((edge - expected).abs() < 1e-6, "{edges:?}");
    }
    assert!((number("confidence") - 0.75).abs() < 1e-6);
}

#[test]
fn confidence_and_iou_count_from_the_next_frame_on() {
    let near = [33.0, 32.0, 20.0, 20.0, 0.8, 0.0];
    let mut harness = harness(&detector(&[BALL, near, SQUARE]), CAPS);
    let element = harness.element().unwrap();
    let mut objects = |confidence: f64, iou: f64| {
        element.set_property("confidence", confidence);
        element.set_property("iou", iou);
        let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
        rects(&out).len()
    };
    assert_eq!(objects(0.5, 0.45), 2);
    assert_eq!(objects(0.5, 0.99), 3);
    assert_eq!(objects(0.79, 0.99), 2);
    assert_eq!(objects(0.95, 0.45), 0);
}

#[test]
fn a_second_network_adds_to_the_objects_of_the_first() {
    let mut first = harness(&detector(&[BALL]), CAPS);
    let mut second = harness(&detector(&[SQUARE, BALL]), CAPS);
    let out = first.push_and_pull(frame(CAPS, 90)).unwrap();
    let out = second.push_and_pull(out).unwrap();
    let objects = found(&out);
    let rects: Vec<_> = objects.iter().map(|object| object.rect).collect();
    assert_eq!(rects, [BALL_RECT, BALL_RECT, SQUARE_RECT]);
    let ids: Vec<_> = objects.iter().map(|object| object.id).collect();
    assert_eq!(ids, [1, 2, 3], "no id twice in one frame");
}

#[test]
fn ids_are_new_whatever_ids_others_gave() {
    let mut input = frame(CAPS, 90);
    for taken in [i32::MAX, 1, -7] {
        VideoRegionOfInterestMeta::add(input.make_mut(), "other", (0, 0, 1, 1)).set_id(taken);
    }
    let mut harness = harness(&detector(&[BALL, SQUARE]), CAPS);
    let out = harness.push_and_pull(input).unwrap();
    let metas = out.iter_meta::<VideoRegionOfInterestMeta>();
    let ids: Vec<_> = metas.map(|meta| meta.id()).collect();
    assert_eq!(ids, [i32::MAX, 1, -7, 2, 3]);
}

#[test]
fn pixels_are_neither_changed_nor_copied() {
    let mut harness = harness(&detector(&[BALL]), CAPS);
    let input = frame(CAPS, 90);
    let out = harness.push_and_pull(input.clone()).unwrap();
    let place = |buffer: &gst::Buffer| buffer.map_readable().unwrap().as_ptr();
    assert_eq!(place(&input), place(&out));
    assert!(found(&input).is_empty(), "others see the frame as it was");
    assert_eq!(rects(&out), [BALL_RECT]);
}

#[test]
fn messages_tell_of_every_frame_when_asked() {
    let mut harness = harness(&detector(&[BALL]), CAPS);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert!(bus.pop_filtered(&[gst::MessageType::Element]).is_none());
    element.set_property("post-messages", true);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    let message = bus.pop_filtered(&[gst::MessageType::Element]).unwrap();
    let structure = message.structure().unwrap();
    assert_eq!(structure.name(), "livetune-detections");
    assert_eq!(structure.get("pts"), Ok(out.pts()));
    let objects = structure.get::<gst::List>("objects").unwrap();
    assert_eq!(objects.len(), 1);
    let object = objects[0].get::<gst::Structure>().unwrap();
    assert_eq!(object.get::<String>("label").unwrap(), "class 0");
    assert_eq!(object.get::<u32>("w"), Ok(40));
    assert_eq!(object.get::<i32>("id"), Ok(found(&out)[0].id));
}

#[test]
fn stats_and_telemetry_tell_the_same() {
    let model = detector(&[BALL, SQUARE]);
    let mut harness = harness(&model, CAPS);
    for _ in 0..3 {
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
    }
    let element = harness.element().unwrap();
    let stats = stats(&element);
    assert_eq!(stats.name(), "application/x-livetune-gpuinfer-stats");
    assert_eq!(stats.get::<&str>("model").unwrap(), model.to_str().unwrap());
    for (name, count) in [
        ("frames", 3),
        ("inferred", 3),
        ("errors", 0),
        ("objects", 6),
    ] {
        assert_eq!(stats.get::<u64>(name), Ok(count), "{name}");
    }
    assert_eq!(stats.get::<f64>("objects-per-frame"), Ok(2.0));
    for name in [
        "preprocess",
        "inference",
        "postprocess",
        "p50",
        "p95",
        "p99",
    ] {
        assert!(stats.get::<u64>(name).unwrap() > 0, "{name}");
    }
    let metrics = gstlivetune::open_metrics();
    let name = element.name();
    let own = |start: &str| {
        let mut lines = metrics
            .lines()
            .filter(|line| line.contains(&format!("\"{name}\"")));
        lines
            .find(|line| line.starts_with(start))
            .map(str::to_owned)
    };
    let objects = own("livetune_gpuinfer_objects_total").unwrap();
    assert!(objects.ends_with(" 6"), "{objects}");
    let histogram = own("livetune_gpuinfer_detection_seconds_count").unwrap();
    assert!(histogram.ends_with(" 3"), "{histogram}");
    element.set_state(gst::State::Null).unwrap();
    let metrics = gstlivetune::open_metrics();
    assert!(!metrics.contains(&format!("\"{name}\"")), "it stopped");
}

#[test]
fn the_preset_for_low_latency_can_be_loaded() {
    let inspect = crate::support::launch::gstreamer("gst-inspect-1.0")
        .arg("gpuinfer")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&inspect.stdout).into_owned();
    assert!(text.contains("low-latency"), "{text}");
    assert!(text.contains("object detection"), "{text}");
}
