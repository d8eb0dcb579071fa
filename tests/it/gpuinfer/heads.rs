//! Networks of other families, what a file beside the model says, and what is looked at and reported.

use std::path::Path;

use gst::prelude::*;

use super::onnx::{self, Output};
use super::{BALL, BALL_RECT, CAPS, Found, SQUARE, SQUARE_RECT, found, frame, rects, running};
use crate::support::init;
use crate::support::media::shared;
use crate::support::pipeline::Pipeline;

/// A gpuinfer with these properties, as gst-launch-1.0 takes them.
fn element(properties: &str) -> gst::Element {
    init();
    let line = format!("gpuinfer {properties}");
    let bin = gst::parse::launch(&line).unwrap();
    // One element is no bin.
    bin.downcast::<gst::Element>().unwrap()
}

fn model(path: &Path) -> String {
    format!("model={}", path.display())
}

/// What is found in a grey frame of [`CAPS`].
fn in_grey(properties: &str) -> Vec<Found> {
    let mut harness = running(&element(properties), CAPS);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    found(&out)
}

fn refusal(properties: &str) -> String {
    let line = format!("videotestsrc num-buffers=1 ! {CAPS} ! gpuinfer {properties} ! fakesink");
    Pipeline::parse(&line).error_on_the_way_to(gst::State::Paused)
}

/// TensorFlow's four outputs, for pictures whose channels lie side by side: two objects.
fn tensorflow() -> String {
    let output = |name, shape: &[u64], numbers: &[f32]| {
        let mut padded = numbers.to_vec();
        padded.resize(shape.iter().product::<u64>() as usize, 0.0);
        Output {
            name,
            shape: shape.to_vec(),
            numbers: padded,
        }
    };
    let boxes = [0.25, 0.5, 0.75, 1.0, 0.0, 0.0, 0.5, 0.5];
    let outputs = [
        output("detection_boxes", &[1, 10, 4], &boxes),
        output("detection_classes", &[1, 10], &[2.0, 1.0]),
        output("detection_scores", &[1, 10], &[0.9, 0.6]),
        output("num_detections", &[1], &[2.0]),
    ];
    model(&onnx::outputs(&[1, 32, 64, 3], &outputs))
}

#[test]
fn an_ssd_of_tensorflow_is_known_and_its_pictures_lie_side_by_side() {
    let labels = onnx::write(b"background\nball\nsquare\n");
    let objects = in_grey(&format!("{} labels={}", tensorflow(), labels.display()));
    let seen: Vec<_> = objects
        .iter()
        .map(|one| (one.label.as_str(), one.rect))
        .collect();
    // Half of 128 x 96, stretched.
    assert_eq!(
        seen,
        [("square", (64, 24, 64, 48)), ("ball", (0, 0, 64, 48))]
    );
}

#[test]
fn the_face_of_the_astronaut_is_where_the_reference_says() {
    let model_file = shared("models/version-RFB-320.onnx");
    let (Some(file), Some(image)) = (model_file, shared("images/astronaut.png")) else {
        return;
    };
    for format in ["NV12", "RGB"] {
        let pipeline = Pipeline::parse(&format!(
            "filesrc location={} ! pngdec ! videoconvert ! video/x-raw,format={format} \
             ! gpuinfer {} post-messages=true confidence=0.7 ! fakesink",
            image.display(),
            model(&file)
        ));
        pipeline.set_state(gst::State::Playing).unwrap();
        let message = pipeline.wait_for_element_message("livetune-detections");
        let objects = message.get::<gst::List>("objects").unwrap();
        assert_eq!(objects.len(), 1, "{format}: one face");
        let face = objects[0].get::<gst::Structure>().unwrap();
        assert!(face.get::<f64>("confidence").unwrap() > 0.99, "{face}");
        let number = |name| face.get::<u32>(name).unwrap();
        let edges = [
            number("x"),
            number("y"),
            number("x") + number("w"),
            number("y") + number("h"),
        ];
        for (edge, expected) in edges.into_iter().zip([180_u32, 62, 268, 174]) {
            assert!(edge.abs_diff(expected) <= 4, "{format}: {edges:?}");
        }
    }
}

#[test]
fn only_classes_that_were_asked_for_are_reported() {
    let labels = onnx::write(b"ball\nsquare\n");
    let both = model(&onnx::detector(&[BALL, SQUARE]));
    let both = format!("{both} labels={}", labels.display());
    let rects = |objects: Vec<Found>| objects.iter().map(|one| one.rect).collect::<Vec<_>>();
    assert_eq!(rects(in_grey(&both)), [BALL_RECT, SQUARE_RECT]);
    assert_eq!(
        rects(in_grey(&format!("{both} classes=Square"))),
        [SQUARE_RECT]
    );
    assert_eq!(rects(in_grey(&format!("{both} classes=0"))), [BALL_RECT]);
    assert_eq!(
        rects(in_grey(&format!("{both} max-objects=1"))),
        [BALL_RECT]
    );
    let text = refusal(&format!("{both} classes=lorry"));
    assert!(text.contains("no class lorry"), "{text}");
}

#[test]
fn classes_change_while_running_and_what_is_none_is_refused() {
    let mut harness = super::harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut seen = |classes: &str| {
        element.set_property("classes", classes);
        rects(&harness.push_and_pull(frame(CAPS, 90)).unwrap())
    };
    assert_eq!(seen("1"), [SQUARE_RECT]);
    let warning = [gst::MessageType::Warning];
    assert!(bus.pop_filtered(&warning).is_none());
    assert_eq!(seen("lorry"), [SQUARE_RECT], "as before");
    assert!(bus.pop_filtered(&warning).is_some());
    assert_eq!(element.property::<String>("classes"), "1");
    assert_eq!(seen(""), [BALL_RECT, SQUARE_RECT]);
}

#[test]
fn every_region_of_interest_is_looked_at_on_its_own() {
    let ball = model(&onnx::detector(&[BALL]));
    let rects = |roi: &str| {
        let objects = in_grey(&format!("{ball} roi={roi}"));
        objects.iter().map(|one| one.rect).collect::<Vec<_>>()
    };
    // 20 of 64 pixels in the middle of each: of 64 x 64, and of the right half, whose 96 rows fill the input. It is 43
    // columns wide there, 10 from the left: the middle is at 64 + (32 - 10) / 43 x 64.
    assert_eq!(rects("0,0,64,64"), [(22, 22, 20, 20)]);
    assert_eq!(rects("0.5,0,0.5,1"), [(82, 33, 30, 30)]);
    let mut both = rects("0,0,64,64;64,32,64,64");
    both.sort_unstable();
    assert_eq!(both, [(22, 22, 20, 20), (86, 54, 20, 20)]);
    assert_eq!(
        rects("0,0,64,64;1,0,64,64").len(),
        1,
        "one ball found twice"
    );
    assert_eq!(rects("500,500,10,10"), [], "outside of the frame");
}

#[test]
fn what_is_no_region_is_refused_and_the_old_ones_stay() {
    let mut harness = super::harness(&onnx::detector(&[BALL]), CAPS);
    let element = harness.element().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_property("roi", "0,0,64,64");
    element.set_property("roi", "0,0,64");
    let warning = bus.pop_filtered(&[gst::MessageType::Warning]).unwrap();
    let gst::MessageView::Warning(warning) = warning.view() else {
        unreachable!("asked for a warning");
    };
    let text = warning.error().to_string();
    assert!(text.contains("x,y,w,h"), "{text}");
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert_eq!(rects(&out), [(22, 22, 20, 20)]);
}

/// Writes `text` beside `model`.
fn sidecar(model: &Path, text: &str) {
    std::fs::write(model.with_extension("json"), text).unwrap();
}

#[test]
fn a_file_beside_the_model_says_what_it_is() {
    let file = onnx::detector(&[BALL, [33.0, 32.0, 20.0, 20.0, 0.4, 0.0]]);
    let text = r#"{"decoder": "yolov8", "labels": ["ball"], "classes": 1, "confidence": 0.3, "iou": 1.0,
                   "input": {"placement": "stretch"}}"#;
    sidecar(&file, text);
    let objects = in_grey(&model(&file));
    let seen: Vec<_> = objects
        .iter()
        .map(|one| (one.label.as_str(), one.rect))
        .collect();
    // 20 of 64 pixels are 40 of 128 and 30 of 96; 1 of 64 is 2 of 128.
    assert_eq!(
        seen,
        [("ball", (44, 33, 40, 30)), ("ball", (46, 33, 40, 30))]
    );
    let objects = in_grey(&format!("{} confidence=0.6", model(&file)));
    assert_eq!(objects.len(), 1, "the property comes first");
}

#[test]
fn another_file_may_be_named_and_names_the_labels() {
    let labels = onnx::write(b"round one\n");
    let name = labels.file_name().unwrap().to_str().unwrap();
    let config = onnx::write(format!(r#"{{"labels": "{name}", "classes": 1}}"#).as_bytes());
    let properties = format!(
        "{} model-config={}",
        model(&onnx::detector(&[BALL])),
        config.display()
    );
    let labels: Vec<_> = in_grey(&properties)
        .into_iter()
        .map(|one| one.label)
        .collect();
    assert_eq!(labels, ["round one"]);
}

#[test]
fn a_modelinfo_is_understood() {
    let file = onnx::detector(&[BALL]);
    let text =
        "[modelinfo]\nversion=1.0\ngroup-id=yolo-v8-out\n[images]\ndir=input\nranges=0.0,1.0\n";
    std::fs::write(format!("{}.modelinfo", file.display()), text).unwrap();
    assert_eq!(in_grey(&model(&file)).len(), 1);
    std::fs::write(
        format!("{}.modelinfo", file.display()),
        "[modelinfo]\nversion=9.0\n",
    )
    .unwrap();
    assert!(refusal(&model(&file)).contains("must be 1.x"));
}

#[test]
fn what_is_wrong_in_a_sidecar_is_an_error_and_what_is_unknown_a_warning() {
    let file = onnx::detector(&[BALL]);
    sidecar(&file, r#"{"decoder": "yolo"}"#);
    let text = refusal(&model(&file));
    for part in ["decoder", "\"yolo\"", "\"yolov8\"", ".json"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    sidecar(&file, r#"{"input": {"width": 320}}"#);
    assert!(refusal(&model(&file)).contains("says 320"));
    sidecar(&file, r#"{"colour": "rgb"}"#);
    let line = format!(
        "videotestsrc num-buffers=1 ! {CAPS} ! gpuinfer {} ! fakesink",
        model(&file)
    );
    let pipeline = Pipeline::parse(&line);
    pipeline.set_state(gst::State::Playing).unwrap();
    let warning = pipeline.wait_for(gst::MessageType::Warning);
    let gst::MessageView::Warning(warning) = warning.view() else {
        unreachable!("waited for a warning");
    };
    assert!(warning.error().to_string().contains("\"colour\""));
    pipeline.wait_for(gst::MessageType::Eos);
}

#[test]
fn a_decoder_that_cannot_be_is_refused_with_the_shapes() {
    let text = refusal(&format!(
        "{} decoder=yunet",
        model(&onnx::detector(&[BALL]))
    ));
    for part in ["not those of yunet", "output0 [1,6,84]"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn frames_of_odd_sizes_in_portrait_and_with_gaps_are_looked_at() {
    let ball = onnx::detector(&[BALL]);
    for (width, height) in [(127, 95), (97, 211), (3840, 2160), (1, 1), (16, 2000)] {
        for format in ["NV12", "I420", "YUY2", "RGB", "BGRx", "GRAY8"] {
            let caps =
                format!("video/x-raw,format={format},width={width},height={height},framerate=30/1");
            let mut harness = super::harness(&ball, &caps);
            let out = harness.push_and_pull(frame(&caps, 90)).unwrap();
            let objects = rects(&out);
            let [(x, y, w, h)] = objects[..] else {
                panic!("{caps}: {objects:?}");
            };
            let side = f64::from(width.max(height)) * 20.0 / 64.0;
            let middle = |start: u32, length: u32| f64::from(start) + f64::from(length) / 2.0;
            let off = (middle(x, w) - f64::from(width) / 2.0).abs() / side.max(8.0)
                + (middle(y, h) - f64::from(height) / 2.0).abs() / side.max(8.0);
            assert!(off < 0.1, "{caps}: {objects:?}");
        }
    }
}
