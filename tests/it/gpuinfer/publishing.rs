//! Objects written as lines of JSON: into files and pipes, read, late or never.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Command;

use gst::prelude::*;
use serde_json::Value;

use super::{BALL, CAPS, SQUARE, found, frame, onnx, running};
use crate::support::init;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

fn publishing(location: &str) -> gst::Element {
    init();
    let make = gst::ElementFactory::make("gpuinfer").property("name", "camera 7");
    make.property("model", onnx::detector(&[BALL, SQUARE]).to_str().unwrap())
        .property_from_str("publish", "jsonl")
        .property("publish-location", location)
        .build()
        .unwrap()
}

fn path() -> PathBuf {
    onnx::write(b"what was there before")
}

fn pipe() -> PathBuf {
    let path = path();
    fs::remove_file(&path).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

#[test]
fn every_frame_is_a_line_in_the_schema_of_gvametaconvert() {
    let path = path();
    let element = publishing(path.to_str().unwrap());
    let mut harness = running(&element, CAPS);
    harness.play();
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut input = frame(CAPS, 90);
        input
            .make_mut()
            .set_pts(gst::ClockTime::from_mseconds(40 * number));
        let out = harness.push_and_pull(input).unwrap();
        ids.push(
            found(&out)
                .iter()
                .map(|object| object.id)
                .collect::<Vec<_>>(),
        );
    }
    element.set_state(gst::State::Null).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 5, "{text}");
    for (number, (line, ids)) in lines.iter().zip(ids).enumerate() {
        assert_eq!(line["resolution"]["width"], 128);
        assert_eq!(line["resolution"]["height"], 96);
        assert_eq!(line["source"], "camera 7");
        assert_eq!(line["timestamp"], 40_000_000 * number);
        assert_eq!(line["inferred"], true);
        let objects = line["objects"].as_array().unwrap();
        let said: Vec<_> = objects
            .iter()
            .map(|object| object["region_id"].as_i64())
            .collect();
        let ids: Vec<_> = ids.iter().map(|id| Some(i64::from(*id))).collect();
        assert_eq!(said, ids);
        let ball = &objects[0];
        for (name, pixels) in [("x", 44), ("y", 28), ("w", 40), ("h", 40)] {
            assert_eq!(ball[name], pixels, "{name}");
        }
        assert_eq!(ball["roi_type"], "class 0");
        let detection = &ball["detection"];
        assert_eq!(detection["label"], "class 0");
        assert_eq!(detection["label_id"], 0);
        assert!((detection["confidence"].as_f64().unwrap() - 0.9).abs() < 1e-6);
        let left = detection["bounding_box"]["x_min"].as_f64().unwrap();
        assert!((left - 44.0 / 128.0).abs() < 1e-6);
    }
}

#[test]
fn a_pipe_that_nobody_reads_holds_no_frame_up() {
    let path = pipe();
    let element = publishing(path.to_str().unwrap());
    let mut harness = running(&element, CAPS);
    for _ in 0..400 {
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
    }
    let figures = stats(&element);
    assert_eq!(figures.get::<u64>("frames"), Ok(400));
    assert_eq!(figures.get::<u64>("published"), Ok(0));
    assert!(figures.get::<u64>("publish-dropped").unwrap() >= 99);
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_reader_that_has_stopped_reading_holds_up_neither_frames_nor_the_end() {
    let path = pipe();
    let element = publishing(path.to_str().unwrap());
    let mut harness = running(&element, CAPS);
    let reader = fs::OpenOptions::new().read(true).write(true).open(&path);
    for _ in 0..400 {
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
    }
    let dropped = || stats(&element).get::<u64>("publish-dropped").unwrap() > 0;
    eventually("the pipe is full", LIMIT, || {
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
        dropped()
    });
    let before = gst::get_timestamp();
    element.set_state(gst::State::Null).unwrap();
    let took = gst::get_timestamp() - before;
    assert!(took < gst::ClockTime::from_seconds(5), "{took}");
    drop(reader);
}

#[test]
fn a_reader_of_a_pipe_may_come_late_go_and_come_again() {
    let path = pipe();
    let element = publishing(path.to_str().unwrap());
    let mut harness = running(&element, CAPS);
    for _ in 0..3 {
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
    }
    for _ in 0..2 {
        let reader = fs::File::open(&path).unwrap();
        let mut line = String::new();
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
        BufReader::new(reader).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["objects"].as_array().unwrap().len(), 2);
        // The reader is gone: a line finds a broken pipe, those after it wait for the next reader.
        for _ in 0..3 {
            harness.push_and_pull(frame(CAPS, 90)).unwrap();
        }
    }
    eventually("lines", LIMIT, || {
        harness.push_and_pull(frame(CAPS, 90)).unwrap();
        stats(&element).get::<u64>("published").unwrap() >= 4
    });
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_that_says_so() {
    let model = onnx::detector(&[BALL]);
    for (location, expected) in [
        ("", "publish-location"),
        (
            "publish-location=/nowhere/at/all.jsonl",
            "/nowhere/at/all.jsonl",
        ),
    ] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc ! {CAPS} ! gpuinfer publish=jsonl {location} model={} ! fakesink",
            model.display()
        ));
        let said = pipeline.error_on_the_way_to(gst::State::Paused);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn lines_go_to_the_standard_output_even_where_its_reader_goes_away() {
    let model = onnx::detector(&[BALL]);
    let line = format!(
        "videotestsrc num-buffers=2000 ! {CAPS} ! gpuinfer publish=jsonl publish-location=- model={} ! fakesink",
        model.display()
    );
    let mut program = crate::support::launch::gstreamer("gst-launch-1.0")
        .arg("-q")
        .args(line.split_whitespace())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut output = BufReader::new(program.stdout.take().unwrap());
    output.read_line(&mut first).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["objects"][0]["detection"]["label"], "class 0");
    drop(output);
    assert!(
        program.wait().unwrap().success(),
        "the pipe is broken, the program is not"
    );
}
