//! Networks that nobody here makes sense of: their outputs reach those who do.

use std::path::PathBuf;

use gst::meta::CustomMeta;
use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;
use serde_json::Value;

use super::linear::{self, Linear};
use super::{BALL, BALL_RECT, SQUARE, SQUARE_RECT, analytics, onnx, running};
use crate::support::init;

const CAPS: &str = "video/x-raw,format=RGB,width=128,height=96,framerate=30/1";

/// Two outputs: the picture's red, green and blue, 0 to 1, and six numbers of which the last is green.
fn model() -> PathBuf {
    let colour = Linear::new("colour", &[3])
        .set(0, 0.0, [1.0, 0.0, 0.0])
        .set(1, 0.0, [0.0, 1.0, 0.0])
        .set(2, 0.0, [0.0, 0.0, 1.0]);
    let table = Linear::new("a table", &[2, 3])
        .fill(7.0)
        .set(5, 0.0, [0.0, 1.0, 0.0]);
    linear::linear(None, (32, 32), &[colour, table])
}

fn element(properties: &[(&str, &str)]) -> gst::Element {
    init();
    let model = model();
    let mut make = gst::ElementFactory::make("gpuinfer")
        .property("name", "camera")
        .property("model", model.to_str().unwrap())
        .property_from_str("decoder", "raw");
    for (name, value) in properties {
        make = make.property_from_str(name, value);
    }
    make.build().unwrap()
}

/// The left half dark red, the right half bright green.
fn frame(number: u64) -> gst::Buffer {
    let row = [[102, 0, 0].repeat(64), [0, 204, 51].repeat(64)].concat();
    let mut buffer = gst::Buffer::from_mut_slice(row.repeat(96));
    let pts = gst::ClockTime::from_mseconds(40 * number);
    buffer.make_mut().set_pts(pts);
    buffer
}

/// An output as structures tell of it.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    name: String,
    dims: Vec<u32>,
    data: Vec<f32>,
    area: Vec<f64>,
    parent: i32,
}

fn told(structure: &gst::StructureRef) -> Told {
    assert_eq!(structure.get::<&str>("precision"), Ok("FP32"));
    let data = structure.get::<gst::Buffer>("data").unwrap();
    let bytes = data.map_readable().unwrap();
    let numbers = bytes
        .chunks_exact(4)
        .map(|number| f32::from_ne_bytes(number.try_into().unwrap()));
    let dims = structure.get::<gst::Array>("dims").unwrap();
    let area = structure.get::<gst::Array>("box").unwrap();
    Told {
        name: structure.get("layer-name").unwrap(),
        dims: dims.iter().map(|size| size.get().unwrap()).collect(),
        data: numbers.collect(),
        area: area.iter().map(|edge| edge.get().unwrap()).collect(),
        parent: structure.get("parent-id").unwrap(),
    }
}

/// What `livetune-inference` tells of outputs, and whether they are of this very frame.
fn tensors(buffer: &gst::BufferRef) -> (Vec<Told>, bool) {
    let meta = CustomMeta::from_buffer(buffer, "livetune-inference").unwrap();
    let meta = meta.structure();
    let list = meta.get::<gst::Array>("tensors");
    let list = list.iter().flat_map(|list| list.iter());
    let all = list.map(|tensor| told(&tensor.get::<gst::Structure>().unwrap()));
    (all.collect(), meta.get("inferred").unwrap())
}

/// Whether `told` is that output, with these numbers, of that part of the frame.
fn is(told: &Told, name: &str, dims: &[u32], data: &[f32], area: [f64; 4]) {
    assert_eq!((told.name.as_str(), &told.dims[..]), (name, dims));
    assert_eq!(told.area, area);
    assert_eq!(told.data.len(), data.len(), "{told:?}");
    for (number, expected) in told.data.iter().zip(data) {
        assert!((number - expected).abs() < 0.01, "{told:?} for {data:?}");
    }
}

const WHOLE: [f64; 4] = [0.0, 0.0, 1.0, 1.0];
const LEFT: [f64; 4] = [0.0, 0.0, 0.5, 1.0];
const RIGHT: [f64; 4] = [0.5, 0.0, 1.0, 1.0];

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn is_json(tensor: &Value, name: &str, dims: &Value, data: &[f64]) {
    assert_eq!(tensor["layer_name"], name);
    assert_eq!(tensor["name"], name);
    assert_eq!(
        (&tensor["precision"], &tensor["layout"]),
        (&"FP32".into(), &"ANY".into())
    );
    assert_eq!(&tensor["dims"], dims);
    assert!(tensor["model_name"].as_str().unwrap().ends_with(".onnx"));
    let numbers = tensor["data"].as_array().unwrap();
    assert_eq!(numbers.len(), data.len());
    for (number, expected) in numbers.iter().zip(data) {
        assert!(
            (number.as_f64().unwrap() - expected).abs() < 0.01,
            "{tensor}"
        );
    }
}

#[test]
fn the_outputs_of_a_frame_are_in_meta_message_and_json() {
    let path = onnx::write(b"");
    let element = element(&[
        ("publish", "jsonl"),
        ("publish-location", path.to_str().unwrap()),
        ("post-messages", "true"),
    ]);
    let mut harness = running(&element, CAPS);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let out = harness.push_and_pull(frame(0)).unwrap();
    let (all, inferred) = tensors(&out);
    let [colour, table] = &all[..] else {
        panic!("{all:?}");
    };
    assert!(inferred);
    let mean = [0.2, 0.4, 0.1];
    is(colour, "colour", &[1, 3], &mean, WHOLE);
    is(
        table,
        "a table",
        &[1, 2, 3],
        &[7.0, 7.0, 7.0, 7.0, 7.0, 0.4],
        WHOLE,
    );
    assert_eq!(colour.parent, -1);
    let message = bus.pop_filtered(&[gst::MessageType::Element]).unwrap();
    let list = message
        .structure()
        .unwrap()
        .get::<gst::List>("tensors")
        .unwrap();
    let said: Vec<Told> = list
        .iter()
        .map(|one| told(&one.get::<gst::Structure>().unwrap()))
        .collect();
    assert_eq!(said, all);
    if let Some(tensors) = analytics::tensors(&out) {
        let told: Vec<_> = all.into_iter().map(|one| (one.name, one.data)).collect();
        assert_eq!(tensors, told);
    }
    element.set_bus(None);
    element.set_state(gst::State::Null).unwrap();
    let lines = lines(&path);
    let tensors = lines[0]["tensors"].as_array().unwrap();
    is_json(
        &tensors[0],
        "colour",
        &Value::from(vec![1, 3]),
        &[0.2, 0.4, 0.1],
    );
    is_json(
        &tensors[1],
        "a table",
        &Value::from(vec![1, 2, 3]),
        &[7.0, 7.0, 7.0, 7.0, 7.0, 0.4],
    );
    assert!(tensors[0].get("x").is_none());
    assert_eq!(lines[0]["objects"], Value::Array(Vec::new()));
}

#[test]
fn of_parts_of_a_frame_each_has_its_outputs_and_says_where_it_is() {
    let path = onnx::write(b"");
    let element = element(&[
        ("roi", "0,0,64,96;0.5,0,0.5,1"),
        ("publish", "jsonl"),
        ("publish-location", path.to_str().unwrap()),
    ]);
    let mut harness = running(&element, CAPS);
    let out = harness.push_and_pull(frame(0)).unwrap();
    let (all, _) = tensors(&out);
    assert_eq!(all.len(), 4, "{all:?}");
    is(&all[0], "colour", &[1, 3], &[0.4, 0.0, 0.0], LEFT);
    is(&all[2], "colour", &[1, 3], &[0.0, 0.8, 0.2], RIGHT);
    assert_eq!(
        analytics::tensors(&out),
        None,
        "GstTensorMeta knows no parts"
    );
    element.set_state(gst::State::Null).unwrap();
    let lines = lines(&path);
    let right = &lines[0]["tensors"][2];
    is_json(right, "colour", &Value::from(vec![1, 3]), &[0.0, 0.8, 0.2]);
    let place = ["x", "y", "w", "h"].map(|name| right[name].as_u64());
    assert_eq!(place, [Some(64), Some(0), Some(64), Some(96)]);
}

#[test]
fn frames_between_carry_the_outputs_and_say_so() {
    let element = element(&[("inference-interval", "2")]);
    let mut harness = running(&element, CAPS);
    let first = tensors(&harness.push_and_pull(frame(0)).unwrap());
    let second = harness.push_and_pull(frame(1)).unwrap();
    let carried = tensors(&second);
    assert_eq!((first.1, carried.1), (true, false));
    assert_eq!(first.0, carried.0);
    assert_eq!(
        analytics::tensors(&second),
        None,
        "a decoder would find it twice"
    );
}

/// A rectangle in widths and heights of the frame.
fn area((x, y, w, h): (u32, u32, u32, u32)) -> [f64; 4] {
    let edges = [(x, 128.0), (y, 96.0), (x + w, 128.0), (y + h, 96.0)];
    edges.map(|(edge, whole)| f64::from(edge) / whole)
}

/// The first of three numbers.
fn red_as_dl_streamer_reads_it(param: &gst::StructureRef) -> f32 {
    assert_eq!(param.get::<&str>("layer_name").unwrap(), "colour");
    assert_eq!(param.get::<i32>("precision"), Ok(10));
    let data = param.get::<gst::glib::Variant>("data_buffer").unwrap();
    let bytes = data.fixed_array::<u8>().unwrap();
    assert_eq!(bytes.len(), 12);
    f32::from_ne_bytes(bytes[..4].try_into().unwrap())
}

#[test]
fn the_outputs_of_an_object_are_told_of_the_object_as_long_as_it_is_followed() {
    let path = onnx::write(b"");
    let second = element(&[
        ("roi-source", "objects"),
        ("publish", "jsonl"),
        ("publish-location", path.to_str().unwrap()),
    ]);
    let first = gst::ElementFactory::make("gpuinfer")
        .property("model", onnx::detector(&[BALL, SQUARE]).to_str().unwrap())
        .property_from_str("tracker", "iou")
        .property_from_str("metadata", "roi")
        .build()
        .unwrap();
    let (mut first, mut harness) = (running(&first, CAPS), running(&second, CAPS));
    for number in 0..3 {
        let between = first.push_and_pull(frame(number)).unwrap();
        let out = harness.push_and_pull(between).unwrap();
        let regions: Vec<_> = out.iter_meta::<VideoRegionOfInterestMeta>().collect();
        let ids: Vec<i32> = regions.iter().map(|region| region.id()).collect();
        let (all, _) = tensors(&out);
        let parents: Vec<i32> = all.iter().map(|one| one.parent).collect();
        assert_eq!(parents, [ids[0], ids[0], ids[1], ids[1]], "frame {number}");
        // The square is in the dark red corner, the ball half in it.
        let (ball, square) = ([0.2, 0.4, 0.1], [0.4, 0.0, 0.0]);
        is(&all[0], "colour", &[1, 3], &ball, area(BALL_RECT));
        is(&all[2], "colour", &[1, 3], &square, area(SQUARE_RECT));
        let param = regions[1].param("colour").unwrap();
        assert!((red_as_dl_streamer_reads_it(param) - 0.4).abs() < 0.01);
    }
    let looked = crate::support::pipeline::stats(&second).get::<u64>("looked-into");
    assert_eq!(looked, Ok(2), "each once");
    second.set_state(gst::State::Null).unwrap();
    for line in lines(&path) {
        let square = &line["objects"][1];
        assert_eq!((&square["w"], &square["h"]), (&20.into(), &20.into()));
        is_json(
            &square["tensors"][0],
            "colour",
            &Value::from(vec![1, 3]),
            &[0.4, 0.0, 0.0],
        );
        assert!(line.get("tensors").is_none(), "{line}");
    }
}
