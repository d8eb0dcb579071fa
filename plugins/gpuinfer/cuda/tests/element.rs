//! The element with frames in CUDA memory, its network on the processor, on a GPU that is played.

use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo, VideoRegionOfInterestMeta};

use super::stage::{Gstreamer, is_on};
use crate::gpuinfer::cuda::{FEATURE, is_cuda};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/shapes.onnx");

/// A ball on black, as frames of `info` in main memory.
fn balls(info: &VideoInfo) -> Vec<gst::Buffer> {
    let caps = info.to_caps().expect("caps");
    let line = format!("videotestsrc pattern=ball num-buffers=90 ! {caps} ! identity");
    let mut harness = Harness::new_parse(&line);
    harness.play();
    let frames = (0..90).map(|_| harness.pull().expect("a frame"));
    frames.step_by(30).collect()
}

type Rect = (u32, u32, u32, u32);

/// Frames of `caps` through an element: what was found on each, and the frames.
fn through(
    caps: gst::Caps,
    frames: &[gst::Buffer],
) -> (Vec<Vec<Rect>>, Vec<gst::Buffer>, gst::Element) {
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", MODEL)
        .property_from_str("backend", "rten")
        .property_from_str("late-policy", "block")
        .build()
        .expect("it is registered");
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps(caps);
    let out: Vec<gst::Buffer> = frames
        .iter()
        .map(|frame| harness.push_and_pull(frame.clone()).expect("a frame"))
        .collect();
    let rects = |buffer: &gst::Buffer| {
        let metas = buffer.iter_meta::<VideoRegionOfInterestMeta>();
        metas.map(|meta| meta.rect()).collect()
    };
    (out.iter().map(rects).collect(), out, element)
}

#[test]
fn frames_in_cuda_memory_are_taken_and_passed_on_as_they_are() {
    let name = concat!(
        module_path!(),
        "::frames_in_cuda_memory_are_taken_and_passed_on_as_they_are"
    );
    if !is_on(name, &[], &[]) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    crate::plugin_register_static().expect("registered");
    for format in [VideoFormat::Nv12, VideoFormat::Rgba] {
        let info = VideoInfo::builder(format, 320, 240).fps((30, 1)).build();
        let info = info.expect("a format that is known");
        let plain = balls(&info);
        let caps = info.to_caps().expect("caps");
        let (expected, _, _) = through(caps.clone(), &plain);
        assert!(
            expected.iter().all(|rects| rects.len() == 1),
            "{expected:?}"
        );
        let uploaded: Vec<gst::Buffer> = plain
            .iter()
            .map(|frame| {
                let mut there = gstreamer.upload(frame, &info, true);
                there.make_mut().set_pts(frame.pts());
                there
            })
            .collect();
        let mut on_gpu = caps;
        let features = gst::CapsFeatures::new([FEATURE]);
        on_gpu.make_mut().set_features_simple(Some(features));
        let (found, out, element) = through(on_gpu, &uploaded);
        assert_eq!(found, expected, "{format:?}");
        for (buffer, before) in out.iter().zip(&uploaded) {
            assert!(is_cuda(buffer));
            let memory = |buffer: &gst::Buffer| buffer.peek_memory(0).as_ptr();
            assert_eq!(memory(buffer), memory(before), "the same memory");
        }
        let bus = element.bus().expect("a bus");
        let warning = bus
            .pop_filtered(&[gst::MessageType::Warning])
            .expect("a warning");
        let gst::MessageView::Warning(warning) = warning.view() else {
            unreachable!("asked for");
        };
        let text = warning.error().to_string();
        assert!(text.contains("each is downloaded, which is slow"), "{text}");
        assert!(text.contains("does not run on CUDA or TensorRT"), "{text}");
        assert!(
            bus.pop_filtered(&[gst::MessageType::Warning]).is_none(),
            "said once"
        );
    }
}
