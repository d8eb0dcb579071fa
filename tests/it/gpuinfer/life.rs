//! Any frame, any order of states, any change on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;
use gst_video::{VideoCropMeta, VideoFrameRef, VideoMeta};

use super::{BALL, BALL_RECT, CAPS, SQUARE, SQUARE_RECT, frame, harness, onnx, rects, video_info};
use crate::support::pipeline::{Pipeline, stats};

#[test]
fn boxes_fit_frames_of_any_size_and_shape() {
    // The model's input is square: of a wide frame the content is 64 wide, of a tall one 64 high.
    for (width, height) in [
        (641_u32, 359_u32),
        (3840, 2160),
        (360, 640),
        (64, 64),
        (16, 16),
    ] {
        let caps = format!("video/x-raw,format=NV12,width={width},height={height},framerate=30/1");
        let mut harness = harness(&onnx::detector(&[BALL]), &caps);
        let out = harness.push_and_pull(frame(&caps, 90)).unwrap();
        let scale = f64::from(width.max(height)) / 64.0;
        let [(x, y, w, h)] = rects(&out)[..] else {
            panic!("{caps}: no object");
        };
        let close =
            |value: u32, expected: f64| (f64::from(value) - expected).abs() <= scale.max(2.0);
        let (middle_x, middle_y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
        assert!(
            close(x + w / 2, middle_x) && close(y + h / 2, middle_y),
            "{caps}: {x},{y} {w}x{h}"
        );
        assert!(
            close(w, 20.0 * scale) && close(h, 20.0 * scale),
            "{caps}: {w}x{h}"
        );
    }
}

#[test]
fn gaps_between_rows_are_honoured() {
    let info = video_info(CAPS);
    let strides = [160, 96, 80];
    let offsets = [0, 160 * 96, 160 * 96 + 96 * 48];
    let size = offsets[2] + 80 * 48;
    let mut buffer = gst::Buffer::from_mut_slice(vec![1_u8; size]);
    VideoMeta::add_full(
        buffer.make_mut(),
        gst_video::VideoFrameFlags::empty(),
        info.format(),
        128,
        96,
        &offsets,
        &strides,
    )
    .unwrap();
    let mut harness = harness(&onnx::detector(&[BALL]), CAPS);
    harness.element().unwrap().set_property("draw", true);
    let out = harness.push_and_pull(buffer).unwrap();
    assert_eq!(rects(&out), [BALL_RECT]);
    let frame = VideoFrameRef::from_buffer_ref_readable(&out, &info).unwrap();
    let luma = frame.plane_data(0).unwrap();
    let gap = |row: usize| &luma[row * 160 + 128..(row + 1) * 160];
    assert!(
        (0..96).all(|row| gap(row).iter().all(|byte| *byte == 1)),
        "the gaps stay"
    );
    assert_ne!(luma[38 * 160 + 44], 1, "the line is where the box is");
    assert_eq!(luma[38 * 160 + 64], 1, "the middle is free");
}

/// As decoders have it that fill whole blocks: 1088 rows for 1080.
#[test]
fn a_plane_that_goes_on_behind_the_picture_is_not_looked_at() {
    let (offsets, strides) = ([0, 160 * 128, 160 * 160], [160, 80, 80]);
    let mut buffer = gst::Buffer::from_mut_slice(vec![1_u8; 160 * 192]);
    let flags = gst_video::VideoFrameFlags::empty();
    let format = video_info(CAPS).format();
    let meta = buffer.make_mut();
    VideoMeta::add_full(meta, flags, format, 160, 128, &offsets, &strides).unwrap();
    let mut harness = harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    harness.element().unwrap().set_property("draw", true);
    let out = harness.push_and_pull(buffer).unwrap();
    assert_eq!(rects(&out), [BALL_RECT, SQUARE_RECT]);
    let bytes = out.map_readable().unwrap();
    let behind = (0..96).flat_map(|row| &bytes[row * 160 + 128..(row + 1) * 160]);
    assert!(
        behind
            .chain(&bytes[96 * 160..128 * 160])
            .all(|byte| *byte == 1)
    );
}

#[test]
fn a_sink_that_crops_does_not_get_frames_to_crop() {
    let mut harness = harness(&onnx::detector(&[BALL]), CAPS);
    harness.add_propose_allocation_meta(VideoMeta::meta_api(), None);
    harness.add_propose_allocation_meta(VideoCropMeta::meta_api(), None);
    let caps: gst::Caps = CAPS.parse().unwrap();
    let mut query = gst::query::Allocation::new(Some(&caps), true);
    let sink = harness.element().unwrap().static_pad("sink").unwrap();
    assert!(sink.query(&mut query));
    assert!(query.find_allocation_meta::<VideoMeta>().is_some());
    assert!(query.find_allocation_meta::<VideoCropMeta>().is_none());
}

#[test]
fn caps_may_change_and_times_may_be_missing() {
    const LARGE: &str = "video/x-raw,format=BGRx,width=256,height=192,framerate=30/1";
    let mut harness = harness(&onnx::detector(&[BALL, SQUARE]), CAPS);
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert_eq!(rects(&out), [BALL_RECT, SQUARE_RECT]);
    harness.set_src_caps(LARGE.parse().unwrap());
    let mut untimed = frame(LARGE, 90);
    untimed.make_mut().set_pts(None);
    harness
        .element()
        .unwrap()
        .set_property("post-messages", true);
    let out = harness.push_and_pull(untimed).unwrap();
    assert_eq!(rects(&out), [(88, 56, 80, 80), (0, 0, 40, 40)]);
    assert_eq!(out.pts(), None);
}

#[test]
fn flush_and_eos_pass_and_frames_go_on_after_a_flush() {
    let mut harness = harness(&onnx::detector(&[BALL]), CAPS);
    harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert!(harness.push_event(gst::event::FlushStart::new()));
    assert!(harness.push(frame(CAPS, 90)).is_err(), "flushing");
    assert!(harness.push_event(gst::event::FlushStop::new(true)));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(harness.push_event(gst::event::Segment::new(&segment)));
    let out = harness.push_and_pull(frame(CAPS, 90)).unwrap();
    assert_eq!(rects(&out), [BALL_RECT]);
    assert!(harness.push_event(gst::event::Eos::new()));
    assert!(harness.push(frame(CAPS, 90)).is_err(), "at the end");
}

#[test]
fn it_starts_and_stops_many_times() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc ! {CAPS} ! gpuinfer name=infer threads=2 model={} ! fakesink",
        model.display()
    ));
    for round in 0..30 {
        let state = [gst::State::Ready, gst::State::Paused, gst::State::Playing][round % 3];
        pipeline.set_state(state).unwrap();
        if round % 4 == 0 {
            pipeline.state(gst::ClockTime::from_seconds(30)).0.unwrap();
        }
        pipeline.set_state(gst::State::Null).unwrap();
    }
    pipeline.play();
    let objects = || {
        stats(&pipeline.element("infer"))
            .get::<u64>("objects")
            .unwrap_or(0)
    };
    crate::support::wait::eventually("objects", crate::support::pipeline::LIMIT, || objects() > 3);
}

#[test]
fn every_frame_comes_out_and_in_order() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=200 ! {CAPS} ! tee name=t t. ! queue ! gpuinfer draw=true model={} \
         ! identity name=probe ! fakesink t. ! queue ! fakesink",
        model.display()
    ));
    let (frames, last) = (Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
    let counted = frames.clone();
    let pad = pipeline.element("probe").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let pts = info
            .buffer()
            .and_then(|buffer| buffer.pts())
            .map_or(0, gst::ClockTime::nseconds);
        if pts >= last.swap(pts, Ordering::Relaxed) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.run_to_eos();
    assert_eq!(frames.load(Ordering::Relaxed), 200);
}

#[test]
fn it_can_be_taken_out_while_frames_flow() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true ! {CAPS} ! gpuinfer name=infer model={} ! fakesink",
        model.display()
    ));
    pipeline.play();
    let infer = pipeline.element("infer");
    let frames = || stats(&infer).get::<u64>("frames").unwrap_or(0);
    crate::support::wait::eventually("frames", crate::support::pipeline::LIMIT, || frames() > 2);
    pipeline.remove(&infer).unwrap();
    infer.set_state(gst::State::Null).unwrap();
    assert_eq!(infer.current_state(), gst::State::Null);
}
