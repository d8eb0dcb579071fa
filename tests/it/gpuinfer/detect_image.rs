//! The example `detect_image`, run as a program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::launch::gst_launch;
use crate::support::media::shared;

fn detect(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    Command::new(target.join("examples/detect_image"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The objects in the JSON, and the picture with boxes.
fn found(image: &Path, arguments: &[&str]) -> (Value, PathBuf) {
    let name = image.file_stem().unwrap().to_str().unwrap();
    let output = scratch(&format!("{name}.objects.png"));
    let paths = [
        image.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
    ];
    let said = detect(&[&paths[..], arguments].concat());
    let complained = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{complained}");
    (serde_json::from_slice(&said.stdout).unwrap(), output)
}

#[test]
fn a_ball_on_a_picture_is_found_and_drawn() {
    let image = scratch("ball.png");
    let line = format!(
        "videotestsrc pattern=ball num-buffers=1 ! video/x-raw,width=640,height=360 ! pngenc ! filesink location={}",
        image.display()
    );
    assert!(gst_launch(&line).status.success());
    let (line, output) = found(&image, &["--labels", "models/shapes.txt"]);
    assert_eq!(line["resolution"]["width"], 640);
    assert_eq!(line["objects"][0]["roi_type"], "ball");
    let png = std::fs::read(output).unwrap();
    assert_eq!(&png[1..4], b"PNG");
    assert_ne!(png, std::fs::read(image).unwrap());
}

#[test]
fn the_astronaut_is_a_person() {
    let (Some(model), Some(labels), Some(image)) = (
        shared("models/yolox_nano.onnx"),
        shared("models/coco_classes.txt"),
        shared("images/astronaut.png"),
    ) else {
        return;
    };
    let (model, labels) = (model.to_str().unwrap(), labels.to_str().unwrap());
    let arguments = ["--model", model, "--labels", labels, "--set", "iou=0.4"];
    let (line, _) = found(&image, &arguments);
    assert_eq!(line["objects"][0]["detection"]["label"], "person");
}

#[test]
fn what_cannot_work_is_said_in_a_sentence() {
    for (arguments, expected) in [
        (vec!["/nowhere.png"], "/nowhere.png"),
        (vec!["README.md"], "text file"),
        (vec!["x.png", "--model", "/nowhere.onnx"], "/nowhere.onnx"),
        (vec!["x.png", "--set", "colour=red"], "no property colour"),
        (vec!["x.png", "--set", "iou=much"], "iou"),
    ] {
        let output = scratch("refused.png");
        let to = ["--output", output.to_str().unwrap()];
        let said = detect(&[&arguments[..], &to].concat());
        assert!(!said.status.success(), "{arguments:?}");
        let complained = String::from_utf8_lossy(&said.stderr);
        assert!(complained.contains(expected), "{arguments:?}: {complained}");
    }
}
