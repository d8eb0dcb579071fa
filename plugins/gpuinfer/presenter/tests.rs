//! What is told of carried objects, children and classifications, whoever found them.

use gst::meta::CustomMeta;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use livetune_core::infer::{Area, Class, Detection};

use super::*;
use crate::gpuinfer::meta::Metadata;
use crate::gpuinfer::objects::Origin;
use crate::gpuinfer::publish::Publish;

const FRAME: Size = Size::new(200, 100);
const AGE: Duration = Duration::from_millis(120);

fn info() -> VideoInfo {
    gst::init().expect("GStreamer starts");
    let info = VideoInfo::builder(VideoFormat::Gray8, FRAME.width, FRAME.height).build();
    info.expect("a format")
}

fn about(labels: &Labels) -> About<'_> {
    About {
        labels,
        model: "models/gender \"v2\".onnx",
        source: "camera",
        pts: gst::ClockTime::from_mseconds(40).into(),
        stream_time: None,
        inferred: false,
        age: AGE,
        batch_size: 3,
        stages: Stages::default(),
        tensors: &[],
    }
}

fn object(class: usize) -> Object {
    let found = Detection {
        area: Area::around(50.0, 50.0, 20.0, 40.0),
        class,
        confidence: 0.5,
    };
    Object {
        track: Some(9),
        origin: Origin::Carried { age: AGE },
        ..Object::inferred(&found, FRAME)
    }
}

/// A frame with a region of somebody else's, `parent`.
fn frame(info: &VideoInfo, parent: i32) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_mut_slice(vec![90_u8; info.size()]);
    let rect = (40, 30, 20, 40);
    VideoRegionOfInterestMeta::add(buffer.make_mut(), "person", rect).set_id(parent);
    buffer
}

/// Presents `objects` on a frame with a region 5; the frame, the message, and the line of JSON.
fn present(
    objects: &[Object],
    labels: &str,
    name: &str,
) -> (gst::Buffer, gst::Structure, serde_json::Value) {
    let info = info();
    let path = std::env::temp_dir().join(format!("livetune-{}-{name}", std::process::id()));
    let settings = ObjectSettings {
        metadata: Metadata::Auto,
        publish: Publish::JsonLines,
        publish_location: path.to_str().map(str::to_owned),
        ..ObjectSettings::DEFAULT
    };
    let labels = Labels::parse(labels, 2);
    let mut presenter = Presenter::open(&settings).expect("it can be written");
    let mut buffer = frame(&info, 5);
    let wanted = Wanted {
        draw: true,
        message: true,
    };
    let shown = presenter.present(buffer.make_mut(), &info, objects, &about(&labels), wanted);
    let message = shown.expect("a frame").message.expect("wanted");
    drop(presenter);
    let text = std::fs::read_to_string(&path).expect("written");
    std::fs::remove_file(&path).expect("it was there");
    let line = serde_json::from_str(&text).expect("JSON");
    (buffer, message, line)
}

#[test]
fn what_an_object_is_classified_as_goes_to_the_object() {
    let child = Object {
        what: What::Classified,
        parent: Some(5),
        track: None,
        ..object(1)
    };
    let (buffer, message, line) = present(&[child], "woman\nman\n", "classified");
    let regions: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
    assert_eq!(regions.len(), 1, "no region of its own");
    let told = regions[0].param("classification").expect("attached");
    assert_eq!(told.get::<&str>("label"), Ok("man"));
    assert_eq!(told.get::<i32>("label_id"), Ok(1));
    assert_eq!(told.get::<&str>("attribute_name"), Ok("gender \"v2\""));
    let object = &line["objects"][0];
    assert_eq!(object["region_id"], 5);
    assert_eq!(object["gender \"v2\""]["label"], "man");
    assert_eq!(
        object["gender \"v2\""]["model"]["name"],
        "models/gender \"v2\".onnx"
    );
    let objects = message.get::<gst::List>("objects").expect("a list");
    let object = objects[0].get::<gst::Structure>().expect("an object");
    assert_eq!(object.get::<i32>("parent"), Ok(5));
    assert_eq!(object.get::<bool>("classified"), Ok(true));
}

#[test]
fn what_the_whole_frame_is_classified_as_is_a_region_of_the_frame() {
    let class = Class {
        class: 0,
        confidence: 0.75,
    };
    let whole = Object::classified(&class, FRAME);
    let (buffer, _, line) = present(&[whole], "day\nnight\n", "whole");
    let regions: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
    assert_eq!(
        (regions[1].roi_type(), regions[1].rect()),
        ("day", (0, 0, 200, 100))
    );
    assert!(regions[1].param("detection").is_none());
    let told = regions[1].param("classification").expect("attached");
    assert_eq!(told.get::<f64>("confidence"), Ok(0.75));
    let object = &line["objects"][0];
    assert_eq!((&object["w"], &object["h"]), (&200.into(), &100.into()));
    assert_eq!(object["gender \"v2\""]["label"], "day");
}

#[test]
fn children_and_carried_objects_say_so_everywhere() {
    let child = Object {
        parent: Some(5),
        ..object(0)
    };
    let (buffer, message, line) = present(&[child], "fa\"ce\nb\n", "child");
    let regions: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
    assert_eq!(
        (regions[1].parent_id(), regions[1].roi_type()),
        (5, "fa\"ce")
    );
    let track = regions[1].param("object_id").expect("it is tracked");
    assert_eq!(track.get::<i32>("id"), Ok(9));
    let meta = CustomMeta::from_buffer(&buffer, "livetune-inference").expect("attached");
    let told = meta.structure();
    assert_eq!(told.get::<bool>("inferred"), Ok(false));
    assert_eq!(told.get::<u64>("age"), Ok(120_000_000));
    assert_eq!(told.get::<u32>("batch-size"), Ok(3));
    let first = |name| told.get::<gst::Array>(name).expect("an array")[0].clone();
    assert_eq!(first("track-ids").get::<u64>(), Ok(9));
    assert_eq!(first("parent-ids").get::<i32>(), Ok(5));
    assert_eq!(line["inferred"], false);
    assert_eq!(line["age"], 120_000_000);
    let object = &line["objects"][0];
    assert_eq!(object["id"], 9);
    assert_eq!(object["parent_id"], 5);
    assert_eq!(object["roi_type"], "fa\"ce");
    assert!(line.get("timestamp").is_none(), "there is no stream time");
    assert_eq!(message.get::<bool>("inferred"), Ok(false));
    let objects = message.get::<gst::List>("objects").expect("a list");
    let object = objects[0].get::<gst::Structure>().expect("an object");
    assert_eq!(object.get::<u64>("track"), Ok(9));
    assert_eq!(object.get::<u64>("age"), Ok(120_000_000));
}
