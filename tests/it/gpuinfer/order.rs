//! Frames, events and queries leave in the order they came, whatever is on its way to the network.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use gst::prelude::*;
use gst_check::Harness;

use super::{BALL, CAPS, frame, harness, onnx, rects, taken};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// Rounds of a network that takes some hundred milliseconds.
const SLOW: usize = 2;

fn slow() -> Harness {
    harness(&onnx::slow_detector(&[BALL], SLOW), CAPS)
}

fn timed(number: u64) -> gst::Buffer {
    let mut buffer = frame(CAPS, 90);
    let pts = gst::ClockTime::from_mseconds(number * 40);
    buffer.make_mut().set_pts(pts);
    buffer
}

/// What leaves `harness`, in words.
fn log(harness: &Harness) -> Arc<Mutex<Vec<String>>> {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = log.clone();
    let pad = harness.element().unwrap().static_pad("src").unwrap();
    let kinds = gst::PadProbeType::BUFFER
        | gst::PadProbeType::EVENT_DOWNSTREAM
        | gst::PadProbeType::QUERY_DOWNSTREAM
        | gst::PadProbeType::PUSH;
    pad.add_probe(kinds, move |_, info| {
        let what = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                format!("frame {}", buffer.pts().unwrap().mseconds() / 40)
            }
            Some(gst::PadProbeData::Event(event)) => event.type_().to_string(),
            Some(gst::PadProbeData::Query(query)) => format!("query {:?}", query.type_()),
            _ => return gst::PadProbeReturn::Ok,
        };
        taken(&seen).push(what);
        gst::PadProbeReturn::Ok
    });
    log
}

#[test]
fn events_and_queries_stay_between_their_frames() {
    let mut harness = slow();
    let log = log(&harness);
    harness.push(timed(0)).unwrap();
    let custom = gst::Structure::new_empty("mark");
    assert!(harness.push_event(gst::event::CustomDownstream::new(custom)));
    harness.push(timed(1)).unwrap();
    let gap = gst::event::Gap::builder(gst::ClockTime::from_mseconds(80)).build();
    assert!(harness.push_event(gap));
    let caps: gst::Caps = CAPS.parse().unwrap();
    let mut query = gst::query::Allocation::new(Some(&caps), true);
    let sink = harness.element().unwrap().static_pad("sink").unwrap();
    assert!(sink.query(&mut query));
    harness.push(timed(3)).unwrap();
    assert!(harness.push_event(gst::event::Eos::new()));
    eventually("the end", LIMIT, || {
        taken(&log).last().is_some_and(|last| last == "eos")
    });
    let log = taken(&log);
    let from = log.iter().position(|what| what == "frame 0").unwrap();
    let expected = [
        "frame 0",
        "custom-downstream",
        "frame 1",
        "gap",
        "query Allocation",
        "frame 3",
        "eos",
    ];
    assert_eq!(log[from..], expected);
}

#[test]
fn the_end_of_the_stream_comes_after_every_frame_on_its_way() {
    let mut harness = slow();
    for number in 0..4 {
        harness.push(timed(number)).unwrap();
    }
    assert!(harness.push_event(gst::event::Eos::new()));
    for _ in 0..4 {
        assert_eq!(rects(&harness.pull().unwrap()).len(), 1);
    }
    let end = std::iter::from_fn(|| harness.pull_event().ok());
    let end = end
        .map(|event| event.type_())
        .find(|kind| *kind == gst::EventType::Eos);
    assert_eq!(end, Some(gst::EventType::Eos));
    assert_eq!(harness.push(timed(9)), Err(gst::FlowError::Eos));
}

#[test]
fn a_flush_takes_the_frames_on_their_way_and_new_ones_go_on() {
    let mut harness = slow();
    for round in 0..5 {
        for number in 0..3 {
            harness.push(timed(100 * round + number)).unwrap();
        }
        assert!(harness.push_event(gst::event::FlushStart::new()));
        assert!(harness.push_event(gst::event::FlushStop::new(true)));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        assert!(harness.push_event(gst::event::Segment::new(&segment)));
        while harness.try_pull().is_some() {}
        let first = 100 * round + 50;
        harness.push(timed(first)).unwrap();
        let out = harness.pull().unwrap();
        assert_eq!(out.pts(), timed(first).pts());
        assert_eq!(rects(&out).len(), 1);
    }
}

#[test]
fn caps_may_change_while_frames_are_on_their_way() {
    const LARGE: &str = "video/x-raw,format=I420,width=256,height=192,framerate=30/1";
    let mut harness = slow();
    for _ in 0..2 {
        harness.push(frame(CAPS, 90)).unwrap();
    }
    harness.set_src_caps(LARGE.parse().unwrap());
    for _ in 0..2 {
        harness.push(frame(LARGE, 90)).unwrap();
    }
    let widths: Vec<u32> = (0..4)
        .map(|_| rects(&harness.pull().unwrap())[0].2)
        .collect();
    assert_eq!(
        widths,
        [40, 40, 80, 80],
        "of the ball, in pixels of its frame"
    );
}

#[test]
fn a_list_of_frames_is_frames_one_by_one() {
    let harness = slow();
    let mut harness = harness;
    let mut list = gst::BufferList::new();
    for number in 0..3 {
        list.make_mut().add(timed(number));
    }
    let pad = harness.element().unwrap().static_pad("sink").unwrap();
    let peer = pad.peer().unwrap();
    peer.push_list(list).unwrap();
    for number in 0..3 {
        let out = harness.pull().unwrap();
        assert_eq!(out.pts(), timed(number).pts());
        assert_eq!(rects(&out).len(), 1);
    }
}

#[test]
fn what_downstream_says_comes_back_to_whoever_pushes() {
    for error in [
        gst::FlowError::NotLinked,
        gst::FlowError::Eos,
        gst::FlowError::Error,
        gst::FlowError::NotNegotiated,
    ] {
        let mut harness = harness(&onnx::detector(&[BALL]), CAPS);
        let pad = harness.element().unwrap().static_pad("src").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            info.flow_res = Err(error);
            info.data = None;
            gst::PadProbeReturn::Handled
        });
        eventually("the error", LIMIT, || harness.push(timed(0)) == Err(error));
    }
}

/// As a sink of a single picture does.
#[test]
fn downstream_that_wants_no_more_frames_still_gets_the_end() {
    let model = onnx::detector(&[BALL]);
    for mode in ["async", "sync"] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=64,height=64 \
             ! gpuinfer mode={mode} model={} ! pngenc snapshot=true ! fakesink",
            model.display()
        ));
        pipeline.run_to_eos();
    }
}

#[test]
fn it_takes_what_downstream_takes() {
    let harness = harness(&onnx::detector(&[BALL]), CAPS);
    let sink = harness.element().unwrap().static_pad("sink").unwrap();
    let caps = sink.query_caps(None);
    let can =
        |caps: &gst::Caps, text: &str| caps.can_intersect(&text.parse::<gst::Caps>().unwrap());
    assert!(can(&caps, "video/x-raw,format=NV12"));
    assert!(!can(&caps, "video/x-raw,format=P010_10LE"));
    drop(harness);
    let line = format!(
        "gpuinfer name=infer model={} ! video/x-raw,format=RGB,width=320 ! fakesink",
        onnx::detector(&[BALL]).display()
    );
    let pipeline = Pipeline::parse(&line);
    let sink = pipeline.element("infer").static_pad("sink").unwrap();
    let caps = sink.query_caps(None);
    assert!(can(&caps, "video/x-raw,format=RGB,width=320"), "{caps}");
    assert!(!can(&caps, "video/x-raw,format=RGB,width=640"), "{caps}");
    let accepts = |text: &str| sink.query_accept_caps(&text.parse::<gst::Caps>().unwrap());
    assert!(accepts(
        "video/x-raw,format=RGB,width=320,height=240,framerate=30/1"
    ));
    assert!(!accepts(
        "video/x-raw,format=NV12,width=320,height=240,framerate=30/1"
    ));
}

#[test]
fn in_sync_the_thread_that_brings_a_frame_pushes_it() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=20 ! {CAPS} ! gpuinfer name=infer mode=sync model={} ! fakesink",
        model.display()
    ));
    let (threads, seen) = mpsc::channel();
    for name in ["sink", "src"] {
        let threads = threads.clone();
        let pad = pipeline.element("infer").static_pad(name).unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            let _ = threads.send(std::thread::current().id());
            gst::PadProbeReturn::Ok
        });
    }
    pipeline.run_to_eos();
    let threads: std::collections::HashSet<_> = seen.try_iter().collect();
    assert_eq!(threads.len(), 1);
    let inferred = stats(&pipeline.element("infer")).get::<u64>("inferred");
    assert_eq!(inferred, Ok(20));
}

#[test]
fn it_stops_at_once_with_frames_on_their_way() {
    for mode in ["async", "sync"] {
        let model = onnx::slow_detector(&[BALL], SLOW);
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc ! {CAPS} ! gpuinfer name=infer mode={mode} model={} ! fakesink",
            model.display()
        ));
        for state in [gst::State::Null, gst::State::Ready, gst::State::Paused] {
            pipeline.set_state(gst::State::Playing).unwrap();
            let infer = pipeline.element("infer");
            eventually("frames on their way", LIMIT, || {
                stats(&infer)
                    .get::<u64>("frames")
                    .is_ok_and(|frames| frames > 0)
            });
            pipeline.set_state(state).unwrap();
        }
    }
}

#[test]
fn it_can_be_taken_out_with_frames_on_their_way() {
    let model = onnx::slow_detector(&[BALL], SLOW);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true ! {CAPS} ! identity name=before ! gpuinfer name=infer model={} ! fakesink name=sink",
        model.display()
    ));
    pipeline.play();
    let infer = pipeline.element("infer");
    let frames = Arc::new(AtomicU64::new(0));
    let counted = frames.clone();
    let sink = pipeline.element("sink").static_pad("sink").unwrap();
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    eventually("frames", LIMIT, || frames.load(Ordering::Relaxed) > 3);
    let before = pipeline.element("before").static_pad("src").unwrap();
    let (taken, is_taken) = mpsc::channel();
    let (bin, out) = (pipeline.clone(), infer.clone());
    before.add_probe(gst::PadProbeType::IDLE, move |before, _| {
        let _ = before.unlink(&out.static_pad("sink").unwrap());
        let _ = out.static_pad("src").unwrap().unlink(&sink);
        let _ = bin.remove(&out);
        let _ = before.link(&sink);
        let _ = taken.send(());
        gst::PadProbeReturn::Remove
    });
    is_taken.recv_timeout(LIMIT).unwrap();
    infer.set_state(gst::State::Null).unwrap();
    let then = frames.load(Ordering::Relaxed);
    eventually("frames without it", LIMIT, || {
        frames.load(Ordering::Relaxed) > then + 5
    });
}

#[test]
fn a_query_waits_no_longer_than_a_flush() {
    let harness = slow();
    let mut harness = harness;
    let element = harness.element().unwrap();
    // Nothing leaves, so that the query has to wait.
    let (hold, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let src = element.static_pad("src").unwrap();
    src.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let _ = taken(&held).recv_timeout(Duration::from_secs(60));
        gst::PadProbeReturn::Drop
    });
    harness.push(timed(0)).unwrap();
    harness.push(timed(1)).unwrap();
    let sink = element.static_pad("sink").unwrap();
    let asked = sink.clone();
    let asking = std::thread::spawn(move || {
        let caps: gst::Caps = CAPS.parse().unwrap();
        asked.query(&mut gst::query::Allocation::new(Some(&caps), true))
    });
    // As a demuxer does it, from another thread; the hold ends with the flush.
    let flushing = std::thread::spawn(move || {
        sink.send_event(gst::event::FlushStart::new());
    });
    drop(hold);
    flushing.join().unwrap();
    // Answered, or refused: it does not hang.
    let _ = asking.join().unwrap();
}
