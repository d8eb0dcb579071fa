//! Sidecars as people write them, and as they should not.

use livetune_core::infer::{Activation, BoxNumbers, Unit};
use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<(Sidecar, Vec<String>), Wrong> {
    Sidecar::parse(&Document {
        path: "model.json".to_owned(),
        text: text.to_owned(),
    })
}

fn understood(text: &str) -> Sidecar {
    let (sidecar, unknown) = parse(text).expect("a sidecar");
    assert_eq!(unknown, [""; 0]);
    sidecar
}

#[test]
fn json_says_everything() {
    let sidecar = understood(
        r#"{
            "decoder": "rt-detr",
            "input": {
                "width": 640, "height": 480, "layout": "nhwc", "channels": "bgr",
                "mean": [1, 2.5, 3], "std": 0.5, "placement": "top-left", "padding": 7
            },
            "labels": ["person", "traffic light"],
            "classes": 2, "background": true, "first-class": 1,
            "activation": "sigmoid", "boxes": "origin", "unit": "pixels", "top": 3,
            "confidence": 0.25, "iou": 0.5, "max-objects": 10, "class-agnostic": true
        }"#,
    );
    let expected = Sidecar {
        decoder: Some(Family::RtDetr),
        width: Some(640),
        height: Some(480),
        layout: Some(Layout::Interleaved),
        channels: Some(ChannelOrder::Bgr),
        mean: Some([1.0, 2.5, 3.0]),
        scale: Some([2.0; 3]),
        placement: Some(Placement::TopLeft),
        padding: Some(7),
        labels: Some("person\ntraffic light".to_owned()),
        hints: Hints {
            classes: Some(2),
            background: Some(true),
            activation: Some(Activation::Sigmoid),
            boxes: Some(BoxNumbers::Origin),
            unit: Some(Unit::Pixels),
            first_class: Some(1),
            top: Some(3),
        },
        advice: Advice {
            confidence: Some(0.25),
            iou: Some(0.5),
            max_objects: Some(10),
            across_classes: true,
        },
    };
    assert_eq!(sidecar, expected);
}

#[test]
fn nothing_has_to_be_said() {
    assert_eq!(understood("{}"), Sidecar::default());
    let usual = Sidecar::default().form(Family::YoloX, Size::new(4, 4), Layout::Planes);
    assert_eq!(usual.normalisation, Family::YoloX.normalisation());
    assert_eq!(usual.placement, Placement::TopLeft);
}

#[test]
fn what_is_said_comes_before_what_the_family_does() {
    let text = r#"{"input": {"channels": "rgb", "scale": 0.5, "placement": "stretch"}}"#;
    let form = understood(text).form(Family::YoloX, Size::new(4, 4), Layout::Planes);
    assert_eq!(form.normalisation.order, ChannelOrder::Rgb);
    assert_eq!(form.normalisation.scale, [0.5; 3]);
    assert_eq!(form.normalisation.padding, 114, "as the family has it");
    let placements = [form.placement, form.of_regions];
    assert_eq!(placements, [Placement::Stretch; 2]);
}

#[test]
fn what_is_wrong_is_named_with_what_is_right() {
    for (text, parts) in [
        ("{", &["no JSON"][..]),
        ("[1]", &["object"]),
        ("", &["no JSON"]),
        (
            r#"{"decoder": "yolo"}"#,
            &["decoder", "\"yolo\"", "\"yolov8\""],
        ),
        (r#"{"input": 3}"#, &["input", "object", "3"]),
        (
            r#"{"input": {"width": -1}}"#,
            &["input.width", "whole number"],
        ),
        (r#"{"input": {"width": 1e30}}"#, &["input.width"]),
        (
            r#"{"input": {"mean": [1, 2]}}"#,
            &["input.mean", "list of three"],
        ),
        (r#"{"input": {"std": 0}}"#, &["input.std", "all but 0"]),
        (
            r#"{"input": {"std": 1, "scale": 1}}"#,
            &["input.std", "input.scale"],
        ),
        (r#"{"input": {"padding": 300}}"#, &["input.padding", "255"]),
        (r#"{"input": {"channels": "gray"}}"#, &["\"rgb\", \"bgr\""]),
        (r#"{"labels": [1]}"#, &["labels", "names"]),
        (r#"{"labels": ["a\nb"]}"#, &["labels", "names"]),
        (r#"{"confidence": 30}"#, &["confidence", "0 to 1"]),
        (r#"{"background": "yes"}"#, &["background", "true or false"]),
        ("[modelinfo]\nversion=2.0", &["version", "1.x"]),
        ("[modelinfo]\nnonsense", &["line 2", "nonsense"]),
        ("[in]\ndir=input\ndims=1,3", &["dims", "four"]),
        ("[in]\ndir=input\nranges=0", &["ranges", "pairs"]),
        ("[in]\ndir=input\nranges=1,1", &["ranges", "different"]),
    ] {
        let wrong = parse(text).expect_err(text).to_string();
        for part in parts {
            assert!(wrong.contains(part), "{part} is not in: {wrong} ({text})");
        }
    }
}

#[test]
fn keys_that_nobody_understands_are_told() {
    let (sidecar, unknown) =
        parse(r#"{"decodr": "yolox", "iou": 0.3, "input": {"colour": 1}}"#).expect("a sidecar");
    assert_eq!(sidecar.advice.iou, Some(0.3));
    assert_eq!(unknown.len(), 2);
    assert!(unknown[0].contains("input.colour") && unknown[0].contains("channels"));
    assert!(unknown[1].contains("decodr") && unknown[1].contains("decoder"));
}

#[test]
fn a_modelinfo_tells_of_the_input_and_of_the_decoder() {
    let sidecar = understood(
        "[modelinfo]\nversion=1.1\ngroup-id=yolo-v8-out\n\n# the picture\n[images]\nid=yolo-v8-in\n\
         type=float32\ndims=1,3,320,640\ndir=input\nranges=0.0,1.0;-1.0,1.0;0,255\n\
         caps=video/x-raw, format=(string)BGR\n\n\
         [output0]\nid=yolo-v8-out\ntype=float32\ndims=1,-1,-1\ndir=output\n",
    );
    assert_eq!(sidecar.decoder, Some(Family::YoloV8));
    assert_eq!((sidecar.width, sidecar.height), (Some(640), Some(320)));
    assert_eq!(sidecar.layout, Some(Layout::Planes));
    assert_eq!(sidecar.channels, Some(ChannelOrder::Bgr));
    let (mean, scale) = (
        sidecar.mean.unwrap_or_default(),
        sidecar.scale.unwrap_or_default(),
    );
    // 0 and 255 as each channel's range has them.
    for (channel, ends) in [[0.0, 1.0], [-1.0, 1.0], [0.0, 255.0]]
        .into_iter()
        .enumerate()
    {
        for (level, end) in [0.0, 255.0].into_iter().zip(ends) {
            let number = (level - mean[channel]) * scale[channel];
            assert!((number - end).abs() < 1e-5, "{number} is not {end}");
        }
    }
}

#[test]
fn the_modelinfo_of_an_ssd_is_rows_first_and_interleaved() {
    let sidecar = understood(
        "[modelinfo]\nversion=1.0\ngroup-id=ssd-mobilenet-v1-variant-1-out\n[image_tensor:0]\n\
         dims=-1,-1,-1,3\ndir=input\nranges=0.0,255.0\n",
    );
    assert_eq!(sidecar.decoder, Some(Family::Ssd));
    assert_eq!(sidecar.layout, Some(Layout::Interleaved));
    assert_eq!(sidecar.width, None);
    assert_eq!(sidecar.hints.boxes, Some(BoxNumbers::CornersRowFirst));
}

#[test]
fn ids_that_nobody_knows_are_told() {
    let (_, unknown) =
        parse("[modelinfo]\nversion=1.0\n[out]\ndir=output\nid=own\n").expect("read");
    assert!(
        unknown[0].contains("own") && unknown[0].contains("yolo-v8"),
        "{unknown:?}"
    );
}

#[test]
fn the_file_of_the_labels_is_named_in_the_sidecar() {
    let file = |text| labels_file(text);
    assert_eq!(file(r#"{"labels": "a.txt"}"#).as_deref(), Some("a.txt"));
    assert_eq!(file(r#"{"labels": ["a"]}"#), None);
    assert_eq!(file("[modelinfo]"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn any_ini_is_read_or_refused(
        lines in prop::collection::vec(
            "(\\[[a-z:]{0,6}\\]|(dims|ranges|dir|caps|id|version)=(input|[-0-9.,;einfa]{0,12}|[a-z=, ]{0,12}))",
            0..12,
        ),
    ) {
        let text = format!("[modelinfo]\n{}", lines.join("\n"));
        if let Ok((sidecar, _)) = parse(&text) {
            let numbers = sidecar.mean.into_iter().chain(sidecar.scale).flatten();
            prop_assert!(numbers.into_iter().all(f32::is_finite));
        }
    }

    #[test]
    fn any_json_is_read_or_refused(
        entries in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "decoder", "labels", "classes", "background", "first-class", "activation", "boxes", "unit",
                    "top", "confidence", "iou", "max-objects", "class-agnostic", "input",
                ]),
                prop::sample::select(vec![
                    "null", "true", "-1", "0", "7", "1e300", "1e-300", "0.5", "\"yolox\"", "\"none\"", "[]",
                    "[1,2,3]", "[\"a\"]", "{}", "{\"mean\":1e-40,\"std\":[1,2,3]}", "{\"width\":4}", "{\"std\":1e-40}",
                ]),
            ),
            0..8,
        ),
    ) {
        let entries: Vec<String> = entries.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        if let Ok((sidecar, _)) = parse(&format!("{{{}}}", entries.join(","))) {
            let form = sidecar.form(Family::YoloX, Size::new(4, 4), Layout::Planes);
            let numbers = form.normalisation.mean.into_iter().chain(form.normalisation.scale);
            prop_assert!(numbers.into_iter().all(f32::is_finite));
        }
    }
}
