//! Another model while frames flow.

use std::path::Path;

use gst::prelude::*;
use gst_check::Harness;

use super::engines::models::engines;
use super::{BALL, BALL_RECT, CAPS, SQUARE, SQUARE_RECT, frame, harness, onnx, rects, running};
use crate::support::init;
use crate::support::pipeline::{LIMIT, stats};
use crate::support::wait::eventually;

#[test]
fn a_new_model_takes_over_between_two_frames() {
    let (ball, square) = (onnx::detector(&[BALL]), onnx::detector(&[SQUARE]));
    let mut harness = harness(&ball, CAPS);
    let element = harness.element().unwrap();
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert_eq!(rects(&out), [BALL_RECT]);
    element.set_property("model", square.to_str().unwrap());
    eventually("the new model", LIMIT, || {
        let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
        let found = rects(&out);
        assert!(found == [BALL_RECT] || found == [SQUARE_RECT], "{found:?}");
        found == [SQUARE_RECT]
    });
    let model: String = stats(&element).get("model").unwrap();
    assert_eq!(model, square.to_str().unwrap());
}

#[test]
fn a_model_that_cannot_be_used_is_refused_and_the_old_one_serves() {
    let ball = onnx::detector(&[BALL]);
    let mut harness = harness(&ball, CAPS);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    harness.push_and_pull(frame(CAPS, 90)).unwrap();
    for bad in [
        "/no/such/model.onnx",
        onnx::write(b"no model").to_str().unwrap(),
        "",
    ] {
        element.set_property("model", bad);
        let warned = bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(LIMIT.as_secs()),
            &[gst::MessageType::Warning],
        );
        let warned = warned.expect("a warning");
        let gst::MessageView::Warning(warning) = warned.view() else {
            unreachable!("waited for a warning");
        };
        let text = warning.error().to_string();
        assert!(text.contains(ball.to_str().unwrap()), "{text}");
        let model: String = element.property("model");
        assert_eq!(
            model,
            ball.to_str().unwrap(),
            "the property says what serves"
        );
        let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
        assert_eq!(rects(&out), [BALL_RECT]);
    }
}

#[test]
fn of_many_models_set_at_once_the_last_one_serves() {
    let (ball, square) = (onnx::detector(&[BALL]), onnx::detector(&[SQUARE]));
    let mut harness = harness(&ball, CAPS);
    let element = harness.element().unwrap();
    for _ in 0..5 {
        element.set_property("model", ball.to_str().unwrap());
        element.set_property("model", square.to_str().unwrap());
    }
    eventually("the last model", LIMIT, || {
        let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
        rects(&out) == [SQUARE_RECT]
    });
    for _ in 0..20 {
        let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
        assert_eq!(rects(&out), [SQUARE_RECT]);
    }
}

/// An element with `model` and the properties of an engine, that waits for frames.
fn with_engine(model: &Path, engine: &str) -> Harness {
    init();
    let line = format!("gpuinfer model={} {engine}", model.display());
    let element = gst::parse::launch(&line).unwrap();
    running(&element, CAPS)
}

fn seen(harness: &mut Harness) -> Vec<(u32, u32, u32, u32)> {
    rects(&harness.push_and_pull(frame(CAPS, 90)).unwrap())
}

#[test]
fn a_model_that_is_swapped_on_disk_serves_those_who_open_it_then() {
    for engine in engines() {
        let path = onnx::detector(&[BALL]);
        // Both are of the old one; the second has no session of its own before its first frame.
        let (mut old, mut other) = (with_engine(&path, &engine), with_engine(&path, &engine));
        assert_eq!(seen(&mut old), [BALL_RECT]);
        // As a download does it, and as an editor does it that writes over a file.
        let square = std::fs::read(onnx::detector(&[SQUARE])).unwrap();
        for in_place in [false, true] {
            if in_place {
                std::fs::write(&path, b"half of something else").unwrap();
            } else {
                std::fs::rename(onnx::write(&square), &path).unwrap();
            }
            for _ in 0..20 {
                assert_eq!(seen(&mut old), [BALL_RECT], "{engine}");
                assert_eq!(seen(&mut other), [BALL_RECT], "{engine}");
            }
        }
        std::fs::write(&path, &square).unwrap();
        let mut new = with_engine(&path, &engine);
        assert_eq!(seen(&mut new), [SQUARE_RECT], "{engine}");
        assert_eq!(seen(&mut old), [BALL_RECT], "{engine}");
        // Set again, it is read again.
        let element = old.element().unwrap();
        element.set_property("model", path.to_str().unwrap());
        eventually("the new model", LIMIT, || seen(&mut old) == [SQUARE_RECT]);
        assert_eq!(stats(&other.element().unwrap()).get::<u64>("errors"), Ok(0));
    }
}
