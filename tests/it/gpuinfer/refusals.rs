//! What cannot work is refused with words that help.

use std::path::Path;

use gst::prelude::*;

use super::{BALL, CAPS, frame, harness, onnx};
use crate::support::pipeline::{LIMIT, Pipeline, stats};

/// The error of a pipeline whose gpuinfer has these properties.
fn refusal(properties: &str) -> String {
    let line = format!("videotestsrc num-buffers=1 ! {CAPS} ! gpuinfer {properties} ! fakesink");
    Pipeline::parse(&line).error_on_the_way_to(gst::State::Paused)
}

fn with_model(path: &Path) -> String {
    refusal(&format!("model={}", path.display()))
}

#[test]
fn no_model_is_set() {
    assert!(refusal("").contains("set the property model"));
}

#[test]
fn the_model_is_not_there_or_no_file() {
    let text = refusal("model=/no/such/model.onnx");
    assert!(text.contains("/no/such/model.onnx"), "{text}");
    assert!(text.contains("set the property model"), "{text}");
    let text = refusal("model=/dev/zero");
    assert!(text.contains("/dev/zero is no file"), "{text}");
}

#[test]
fn the_file_is_no_model() {
    let whole = std::fs::read(onnx::detector(&[BALL])).unwrap();
    for bytes in [&b"hello"[..], b"", &whole[..whole.len() / 2]] {
        for file in [onnx::write(bytes), onnx::write_model(bytes)] {
            let text = with_model(&file);
            assert!(text.contains("is no ONNX model"), "{text}");
        }
    }
}

#[test]
fn a_model_may_have_any_name() {
    let model = std::fs::read(onnx::detector(&[BALL])).unwrap();
    let out = harness(&onnx::write(&model), CAPS)
        .push_and_pull(frame(CAPS, 90))
        .unwrap();
    assert_eq!(super::rects(&out).len(), 1);
}

#[test]
fn the_model_is_no_detector_that_is_known() {
    let text = with_model(&onnx::constant(&[1, 3, 64, 64], &[1, 5, 7, 9], 0.0));
    for part in ["images [1,3,64,64]", "output0 [1,5,7,9]", "YOLOX", "YOLOv8"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn the_model_takes_no_picture() {
    let text = with_model(&onnx::constant(&[1, 3, 64], &[1, 6, 84], 0.0));
    assert!(text.contains("four dimensions"), "{text}");
    let text = with_model(&onnx::constant(&[1, 64, 64, 4], &[1, 6, 84], 0.0));
    assert!(text.contains("[batch,3,height,width]"), "{text}");
    let text = with_model(&onnx::constant(&[1, 3, 5_000, 5_000], &[1, 6, 84], 0.0));
    assert!(text.contains("1 to 4096 pixels"), "{text}");
}

#[test]
fn the_labels_are_not_there_or_no_text() {
    let model = onnx::detector(&[BALL]);
    let model = model.display();
    let text = refusal(&format!("model={model} labels=/no/labels.txt"));
    assert!(text.contains("set the property labels"), "{text}");
    let binary = onnx::write(&[0xff, 0xfe, 0x00]);
    let text = refusal(&format!("model={model} labels={}", binary.display()));
    assert!(text.contains("UTF-8"), "{text}");
    let utf16: Vec<u8> = "ball\n".bytes().flat_map(|letter| [letter, 0]).collect();
    let utf16 = onnx::write(&utf16);
    let text = refusal(&format!("model={model} labels={}", utf16.display()));
    assert!(text.contains("UTF-8"), "{text}");
}

#[test]
fn too_few_labels_are_one_warning_and_the_rest_gets_numbers() {
    let model = onnx::detector(&[BALL, super::SQUARE]);
    let labels = onnx::write(b"ball\n");
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=3 ! {CAPS} ! gpuinfer post-messages=true model={} labels={} ! fakesink",
        model.display(),
        labels.display()
    ));
    pipeline.set_state(gst::State::Playing).unwrap();
    let warning = pipeline.wait_for(gst::MessageType::Warning);
    let gst::MessageView::Warning(warning) = warning.view() else {
        unreachable!("waited for a warning");
    };
    let text = warning.error().to_string();
    assert!(
        text.contains("2 classes") && text.contains("name 1"),
        "{text}"
    );
    let objects = pipeline.wait_for_element_message("livetune-detections");
    let objects = objects.get::<gst::List>("objects").unwrap();
    let name = |at: usize| {
        let object = objects[at].get::<gst::Structure>().unwrap();
        object.get::<String>("label").unwrap()
    };
    assert_eq!((name(0).as_str(), name(1).as_str()), ("ball", "class 1"));
    pipeline.wait_for(gst::MessageType::Eos);
    let more = pipeline
        .bus()
        .unwrap()
        .pop_filtered(&[gst::MessageType::Warning]);
    assert!(more.is_none());
}

#[test]
fn a_network_that_fails_on_frames_warns_once_and_lets_them_pass() {
    const RGB: &str = "video/x-raw,format=RGB,width=64,height=64,framerate=30/1";
    let mut harness = harness(&onnx::detector_afraid_of_light(&[BALL]), RGB);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut objects = |brightness| {
        let out = harness.push_and_pull(frame(RGB, brightness)).unwrap();
        super::rects(&out).len()
    };
    assert_eq!(
        [objects(20), objects(255), objects(255), objects(20)],
        [1, 0, 0, 1]
    );
    let stats = stats(&element);
    assert_eq!(stats.get::<u64>("frames"), Ok(4));
    assert_eq!(stats.get::<u64>("inferred"), Ok(2));
    assert_eq!(stats.get::<u64>("errors"), Ok(2));
    let warning = [gst::MessageType::Warning];
    assert!(bus.pop_filtered(&warning).is_some());
    assert!(bus.pop_filtered(&warning).is_none());
}

#[test]
fn a_buffer_that_is_no_frame_warns_and_passes() {
    let mut harness = harness(&onnx::detector(&[BALL]), CAPS);
    let short = gst::Buffer::from_mut_slice(vec![0; 100]);
    assert_eq!(harness.push(short), Ok(gst::FlowSuccess::Ok));
    assert_eq!(harness.pull().unwrap().size(), 100);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert_eq!(
        super::rects(&out).len(),
        1,
        "the next one is looked at again"
    );
    assert_eq!(
        stats(&harness.element().unwrap()).get::<u64>("errors"),
        Ok(1)
    );
}

#[test]
fn an_output_without_numbers_finds_nothing() {
    let mut harness = harness(
        &onnx::constant(&[1, 3, 64, 64], &[1, 6, 84], f32::NAN),
        CAPS,
    );
    harness.element().unwrap().set_property("confidence", 0.0);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert!(super::rects(&out).is_empty());
    assert_eq!(
        stats(&harness.element().unwrap()).get::<u64>("errors"),
        Ok(0)
    );
}

#[test]
fn a_refused_element_works_once_it_is_set_right() {
    let line = format!("videotestsrc num-buffers=2 ! {CAPS} ! gpuinfer name=infer ! fakesink");
    let pipeline = Pipeline::parse(&line);
    assert!(!pipeline.error_on_the_way_to(gst::State::Playing).is_empty());
    pipeline.set_state(gst::State::Null).unwrap();
    let model = onnx::detector(&[BALL]);
    let infer = pipeline.element("infer");
    infer.set_property("model", model.to_str().unwrap());
    let bus = pipeline.bus().unwrap();
    bus.set_flushing(true);
    bus.set_flushing(false);
    pipeline.run_to_eos();
    assert_eq!(
        stats(&infer).get::<u64>("objects"),
        Ok(2),
        "within {LIMIT:?}"
    );
}
