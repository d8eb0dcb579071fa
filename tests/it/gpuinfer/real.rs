//! Real networks on real pictures.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};

use gst::prelude::*;

use super::{Found, found};
use crate::support::media::shared;
use crate::support::pipeline::Pipeline;

/// What the element `infer` of `pipeline` finds, frame by frame, while it runs.
fn watch(pipeline: &Pipeline) -> Receiver<Vec<Found>> {
    let (seen, frames) = mpsc::channel();
    let pad = pipeline.element("infer").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let objects = info
            .buffer()
            .map(|buffer| found(buffer))
            .unwrap_or_default();
        let _ = seen.send(objects);
        gst::PadProbeReturn::Ok
    });
    frames
}

/// YOLOX-nano and its labels as properties of gpuinfer.
fn yolox() -> Option<String> {
    let (model, labels) = (
        shared("models/yolox_nano.onnx")?,
        shared("models/coco_classes.txt")?,
    );
    Some(format!(
        "model={} labels={}",
        model.display(),
        labels.display()
    ))
}

fn objects_in(image: &Path, caps: &str, infer: &str) -> Vec<Found> {
    let pipeline = Pipeline::parse(&format!(
        "filesrc location={} ! pngdec ! videoconvert ! videoscale ! video/x-raw,{caps} \
         ! gpuinfer name=infer confidence=0.3 {infer} ! fakesink",
        image.display()
    ));
    let frames = watch(&pipeline);
    pipeline.run_to_eos();
    let mut frames: Vec<_> = frames.try_iter().collect();
    assert_eq!(frames.len(), 1, "{caps}");
    frames.remove(0)
}

#[test]
fn the_astronaut_is_a_person_where_the_reference_says() {
    let (Some(infer), Some(image)) = (yolox(), shared("images/astronaut.png")) else {
        return;
    };
    for format in ["NV12", "I420", "YUY2", "RGB", "BGRx", "ARGB"] {
        let objects = objects_in(&image, &format!("format={format}"), &infer);
        let [person] = &objects[..] else {
            panic!("{format}: {objects:?}");
        };
        assert_eq!(person.label, "person", "{format}");
        assert!(person.confidence >= 0.9, "{format}: {}", person.confidence);
        let (x, y, w, h) = person.rect;
        for (edge, expected) in [x, y, x + w, y + h].into_iter().zip([11, 20, 368, 507]) {
            assert!(edge.abs_diff(expected) <= 4, "{format}: {:?}", person.rect);
        }
    }
}

/// With red and blue in the wrong places the network takes this cat for a dog.
#[test]
fn the_cat_is_no_dog_in_any_format() {
    let (Some(infer), Some(image)) = (yolox(), shared("images/chelsea.png")) else {
        return;
    };
    for format in [
        "NV12", "I420", "YUY2", "RGB", "BGR", "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA",
        "ARGB", "ABGR",
    ] {
        let objects = objects_in(&image, &format!("format={format}"), &infer);
        let labels: Vec<_> = objects.iter().map(|object| object.label.as_str()).collect();
        assert_eq!(labels, ["cat"], "{format}");
        let confidence = objects[0].confidence;
        assert!((confidence - 0.635).abs() < 0.03, "{format}: {confidence}");
    }
}

#[test]
fn frames_of_the_models_own_size_need_no_scaling() {
    let (Some(infer), Some(image)) = (yolox(), shared("images/astronaut.png")) else {
        return;
    };
    for format in ["NV12", "I420", "YUY2", "RGB", "BGRx", "GRAY8"] {
        let caps = format!("format={format},width=416,height=416");
        let objects = objects_in(&image, &caps, &infer);
        let person = objects.iter().find(|object| object.label == "person");
        assert!(person.unwrap().confidence > 0.85, "{caps}: {objects:?}");
    }
}

#[test]
fn range_and_matrix_of_the_caps_are_honoured() {
    let (Some(infer), Some(image)) = (yolox(), shared("images/chelsea.png")) else {
        return;
    };
    for colorimetry in ["bt601", "bt709", "1:4:5:3", "1:3:5:1"] {
        let caps = format!("format=NV12,colorimetry=(string){colorimetry}");
        let objects = objects_in(&image, &caps, &infer);
        assert_eq!(objects[0].label, "cat", "{caps}");
        let confidence = objects[0].confidence;
        assert!((confidence - 0.625).abs() < 0.02, "{caps}: {confidence}");
    }
}

/// How often each label is found in these of every fifth frame of a video.
fn count(video: &Path, infer: &str, frames: Range<usize>) -> BTreeMap<String, usize> {
    let pipeline = Pipeline::parse(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 ! identity name=thin eos-after={} \
         ! gpuinfer name=infer confidence=0.3 {infer} ! fakesink",
        video.display(),
        frames.end * 5
    ));
    let number = AtomicUsize::new(0);
    let wanted = frames.clone();
    let thin = pipeline.element("thin").static_pad("src").unwrap();
    thin.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        if number.is_multiple_of(5) && wanted.contains(&(number / 5)) {
            gst::PadProbeReturn::Ok
        } else {
            gst::PadProbeReturn::Drop
        }
    });
    let seen = watch(&pipeline);
    pipeline.run_to_eos();
    let seen: Vec<_> = seen.try_iter().collect();
    assert_eq!(seen.len(), frames.len(), "every frame comes out");
    let mut counts = BTreeMap::new();
    for object in seen.iter().flatten() {
        *counts.entry(object.label.clone()).or_default() += 1;
    }
    counts
}

/// Over all 278 frames it is 212, and 211 by Python's onnxruntime with a decoder of its own.
#[test]
fn people_who_walk_through_are_counted() {
    let video = shared("media/one-by-one-person-detection.mp4");
    let (Some(infer), Some(video)) = (yolox(), video) else {
        return;
    };
    let counts = count(&video, &infer, 20..40);
    let people = counts.get("person").copied().unwrap_or(0);
    assert!((18..=20).contains(&people), "{counts:?}");
}

/// Over all 237 frames it is 581, and 581 by Python's onnxruntime with a decoder of its own.
#[test]
fn bottles_on_a_table_are_counted() {
    let (Some(infer), Some(video)) = (yolox(), shared("media/bottle-detection.mp4")) else {
        return;
    };
    let counts = count(&video, &infer, 0..20);
    let bottles = counts.get("bottle").copied().unwrap_or(0);
    assert!((57..=63).contains(&bottles), "{counts:?}");
}
