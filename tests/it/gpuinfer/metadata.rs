//! Every kind of meta tells of the same objects, and `livetune-inference` goes as far as the network.

use std::sync::mpsc;

use gst::meta::CustomMeta;
use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;

use super::{BALL, CAPS, SQUARE, analytics, found, frame, harness, onnx, running};
use crate::support::init;
use crate::support::pipeline::Pipeline;

/// The `livetune-inference` of `buffer`.
fn inference(buffer: &gst::BufferRef) -> Option<gst::Structure> {
    let meta = CustomMeta::from_buffer(buffer, "livetune-inference").ok()?;
    Some(meta.structure().to_owned())
}

fn array<T: for<'a> gst::glib::value::FromValue<'a> + 'static>(
    structure: &gst::StructureRef,
    name: &str,
) -> Vec<T> {
    let array = structure.get::<gst::Array>(name).unwrap();
    array.iter().map(|value| value.get().unwrap()).collect()
}

#[test]
fn one_meta_tells_of_all_objects_and_how_they_were_found() {
    let labels = onnx::write(b"ball\nsquare\n");
    let mut harness = harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    let element = harness.element().unwrap();
    element.set_state(gst::State::Ready).unwrap();
    element.set_property("labels", labels.to_str().unwrap());
    element.set_state(gst::State::Playing).unwrap();
    harness.set_src_caps(CAPS.parse().unwrap());
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    let meta = inference(&out).unwrap();
    assert_eq!(array::<String>(&meta, "labels"), ["ball", "square"]);
    assert_eq!(array::<i32>(&meta, "label-ids"), [0, 1]);
    assert_eq!(array::<u64>(&meta, "track-ids"), [0, 0]);
    assert_eq!(array::<i32>(&meta, "parent-ids"), [-1, -1]);
    assert_eq!(array::<bool>(&meta, "classified"), [false, false]);
    let boxes = array::<f64>(&meta, "boxes");
    let expected = [44.0 / 128.0, 28.0 / 96.0, 84.0 / 128.0, 68.0 / 96.0];
    for (edge, expected) in boxes.iter().zip(expected) {
        assert!((edge - expected).abs() < 1e-6, "{boxes:?}");
    }
    assert_eq!(boxes.len(), 8);
    let sure = array::<f64>(&meta, "confidences");
    assert!((sure[0] - 0.9).abs() < 1e-6 && (sure[1] - 0.75).abs() < 1e-6);
    assert_eq!(meta.get::<bool>("inferred"), Ok(true));
    assert_eq!(meta.get::<u64>("age"), Ok(0));
    assert_eq!(meta.get::<u32>("batch-size"), Ok(1));
    assert!(meta.get::<u64>("inference").unwrap() > 0);
    assert!(meta.get::<&str>("model").unwrap().ends_with(".onnx"));
}

#[test]
fn all_kinds_of_metas_have_the_same_ids() {
    let mut input = frame(CAPS, 90);
    VideoRegionOfInterestMeta::add(input.make_mut(), "other", (0, 0, 1, 1)).set_id(777);
    let mut harness = harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    let out = harness.push_and_pull(input).unwrap();
    let regions = out.iter_meta::<VideoRegionOfInterestMeta>();
    let regions: Vec<i32> = regions.map(|meta| meta.id()).collect();
    let custom = array::<i32>(&inference(&out).unwrap(), "ids");
    assert_eq!(regions[1..], custom);
    if let Some(objects) = analytics::objects(&out) {
        let ids: Vec<i32> = objects.iter().map(|object| object.id).collect();
        assert_eq!(ids, custom);
        assert_eq!(objects[0].rect, (44, 28, 40, 40));
        assert_eq!(objects[0].label, "class 0");
        assert!((objects[1].confidence - 0.75).abs() < 1e-6);
    }
}

#[test]
fn only_the_metas_asked_for_are_attached() {
    let cases = [
        ("auto", true, true, true),
        ("roi", true, false, false),
        ("custom", false, true, false),
        ("none", false, false, false),
        ("analytics", false, false, true),
        ("all", true, true, true),
    ];
    init();
    for (metadata, roi, custom, analytics) in cases {
        if ["analytics", "all"].contains(&metadata) && !analytics::is_here() {
            continue;
        }
        let element = gst::ElementFactory::make("gpuinfer")
            .property("model", onnx::detector(&[BALL]).to_str().unwrap())
            .property_from_str("metadata", metadata)
            .build()
            .unwrap();
        let out = running(&element, CAPS)
            .push_and_pull(frame(CAPS, 90))
            .unwrap();
        assert_eq!(!found(&out).is_empty(), roi, "{metadata}");
        assert_eq!(inference(&out).is_some(), custom, "{metadata}");
        let objects = analytics::objects(&out).is_some();
        assert_eq!(objects, analytics && analytics::is_here(), "{metadata}");
    }
}

#[test]
fn analytics_metas_without_their_library_are_an_error_that_says_what_to_do() {
    if analytics::is_here() {
        eprintln!("SKIP: libgstanalytics is installed");
        return;
    }
    let model = onnx::detector(&[BALL]);
    for metadata in ["analytics", "all"] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc ! {CAPS} ! gpuinfer metadata={metadata} model={} ! fakesink",
            model.display()
        ));
        let said = pipeline.error_on_the_way_to(gst::State::Paused);
        for part in ["libgstanalytics-1.0.so.0", "1.24", "metadata"] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
    }
}

/// The metas of the first buffer that comes to the end of `line`, of which the network finds a ball in each frame.
fn at_the_end_of(line: &str) -> Option<gst::Structure> {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=10 ! video/x-raw,width=128,height=96,framerate=30/1 \
         ! gpuinfer model={} ! {line} ! fakesink name=end",
        model.display()
    ));
    let (seen, metas) = mpsc::channel();
    let pad = pipeline.element("end").static_pad("sink").unwrap();
    pad.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
        move |_, info| {
            let list = info.buffer_list().and_then(|list| list.get(0));
            let first = info.buffer().map(AsRef::as_ref).or(list);
            let _ = seen.send(first.and_then(inference));
            gst::PadProbeReturn::Ok
        },
    );
    pipeline.run_to_eos();
    let mut metas: Vec<_> = metas.try_iter().collect();
    assert!(metas.len() >= 10, "{line}: {}", metas.len());
    metas.swap_remove(0)
}

#[test]
fn the_boxes_pass_converters_encoders_parsers_and_payloaders() {
    let encoded = "videoconvert ! x264enc tune=zerolatency";
    for line in [
        "videoconvert ! video/x-raw,format=RGB".to_owned(),
        "videoscale ! video/x-raw,width=64,height=48".to_owned(),
        encoded.to_owned(),
        format!("{encoded} ! h264parse"),
        format!("{encoded} ! h264parse ! rtph264pay"),
        "videoconvert ! jpegenc".to_owned(),
    ] {
        let meta = at_the_end_of(&line).unwrap_or_else(|| panic!("{line}: it is lost"));
        let boxes = array::<f64>(&meta, "boxes");
        assert!((boxes[0] - 44.0 / 128.0).abs() < 1e-6, "{line}: {boxes:?}");
        assert_eq!(array::<String>(&meta, "labels"), ["class 0"], "{line}");
    }
}

/// GStreamer's own overlay draws what it reads from `GstAnalytics` metas, and nothing else.
#[test]
fn the_overlay_of_gstreamer_draws_the_objects() {
    init();
    if gst::ElementFactory::find("objectdetectionoverlay").is_none() {
        eprintln!("SKIP: objectdetectionoverlay comes with GStreamer 1.24");
        return;
    }
    let brightest = |metadata: &str| {
        let model = onnx::detector(&[BALL]);
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=1 pattern=black ! video/x-raw,format=NV12,width=128,height=96,framerate=30/1 \
             ! gpuinfer model={} metadata={metadata} ! videoconvert ! video/x-raw,format=BGRA \
             ! objectdetectionoverlay draw-labels=false ! fakesink name=end",
            model.display()
        ));
        let (seen, frames) = mpsc::channel();
        let pad = pipeline.element("end").static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let bytes = info.buffer().unwrap().map_readable().unwrap();
            let colours = bytes.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
            let _ = seen.send(colours.max().copied());
            gst::PadProbeReturn::Ok
        });
        pipeline.run_to_eos();
        frames.recv().unwrap().unwrap()
    };
    assert!(brightest("roi") < 32, "there is nothing for it to draw");
    assert!(brightest("analytics") > 128);
}
