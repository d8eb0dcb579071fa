//! A network that is too slow for the frames: what becomes of those.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::prelude::*;

use super::{BALL, CAPS, found, onnx, taken};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// Rounds of a network that takes about a second, on a machine that has other things to do for some.
const SLOW: usize = 6;
/// Rounds of one that takes some frames of video.
const SLUGGISH: usize = 2;

fn count(element: &gst::Element, name: &str) -> u64 {
    stats(element).get(name).unwrap_or(0)
}

/// A frame on its way through the element `infer`.
#[derive(Clone, Copy, Debug, Default)]
struct Passage {
    came: Option<gst::ClockTime>,
    went: Option<gst::ClockTime>,
    objects: usize,
}

type Passages = Arc<Mutex<BTreeMap<gst::ClockTime, Passage>>>;

/// Notes when each frame of `infer` comes and goes.
fn watch(pipeline: &Pipeline) -> Passages {
    let passages = Passages::default();
    let infer = pipeline.element("infer");
    for name in ["sink", "src"] {
        let passages = passages.clone();
        let pad = infer.static_pad(name).unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let buffer = info.buffer().unwrap();
            let mut passages = taken(&passages);
            let passage = passages.entry(buffer.pts().unwrap()).or_default();
            let now = Some(gst::get_timestamp());
            if pad.direction() == gst::PadDirection::Sink {
                passage.came = now;
            } else {
                passage.went = now;
                passage.objects = found(buffer).len();
            }
            gst::PadProbeReturn::Ok
        });
    }
    passages
}

fn line(source: &str, infer: &str, rounds: usize) -> String {
    let model = onnx::slow_detector(&[BALL], rounds);
    format!(
        "videotestsrc {source} ! {CAPS} ! gpuinfer name=infer model={} {infer} ! fakesink name=sink",
        model.display()
    )
}

#[test]
fn a_slow_network_never_holds_live_video_up() {
    for mode in ["async", "sync"] {
        let infer = format!("mode={mode} max-latency=40");
        let pipeline = Pipeline::parse(&line("is-live=true num-buffers=60", &infer, SLOW));
        let passages = watch(&pipeline);
        pipeline.run_to_eos();
        let passages = taken(&passages);
        assert_eq!(passages.len(), 60);
        let mut held: Vec<_> = passages
            .values()
            .map(|passage| passage.went.expect("every frame goes on") - passage.came.unwrap())
            .collect();
        held.sort();
        let infer = pipeline.element("infer");
        let inference = gst::ClockTime::from_nseconds(count(&infer, "inference"));
        // Of 60 some may wait for the processor.
        let usual = held[50];
        assert!(
            usual < gst::ClockTime::from_mseconds(120),
            "{mode}: {held:?}, inference {inference}"
        );
        assert_eq!(count(&infer, "frames"), 60, "{mode}");
        assert_eq!(count(&infer, "dropped"), 0, "{mode}");
        assert!(count(&infer, "skipped") > 50, "{mode}");
    }
}

#[test]
fn what_comes_late_is_carried_with_its_age() {
    let infer = "late-policy=skip max-latency=1 max-age=60000 post-messages=true";
    let pipeline = Pipeline::parse(&line("is-live=true", infer, SLUGGISH));
    pipeline.play();
    let carried = loop {
        let message = pipeline.wait_for_element_message("livetune-detections");
        let objects = message.get::<gst::List>("objects").unwrap();
        if !objects.is_empty() {
            break message;
        }
    };
    assert_eq!(carried.get("inferred"), Ok(false));
    let age = carried.get::<u64>("age").unwrap();
    assert!(age >= 33_000_000, "it is at least a frame old: {age} ns");
    let objects = carried.get::<gst::List>("objects").unwrap();
    for object in objects.iter() {
        let object = object.get::<gst::Structure>().unwrap();
        assert_eq!(object.get::<u64>("age"), Ok(age), "{object}");
    }
    assert!(count(&pipeline.element("infer"), "carried") > 0);
}

#[test]
fn nothing_is_carried_where_that_is_not_wanted() {
    let infer = "late-policy=skip max-latency=1 max-age=0 post-messages=true";
    let pipeline = Pipeline::parse(&line("is-live=true num-buffers=40", infer, SLUGGISH));
    let passages = watch(&pipeline);
    pipeline.run_to_eos();
    let infer = pipeline.element("infer");
    assert_eq!(count(&infer, "carried"), 0);
    let passages = taken(&passages);
    let with_objects = passages.values().filter(|passage| passage.objects > 0);
    assert_eq!(with_objects.count() as u64, count(&infer, "inferred"));
}

#[test]
fn in_block_no_frame_is_lost_and_each_has_its_own_objects() {
    for (source, infer) in [
        ("num-buffers=12", ""),
        ("is-live=true num-buffers=12", "late-policy=block"),
    ] {
        let infer = format!("{infer} queue-size=3");
        let pipeline = Pipeline::parse(&line(source, &infer, SLUGGISH));
        let passages = watch(&pipeline);
        pipeline.run_to_eos();
        let passages = taken(&passages);
        assert_eq!(passages.len(), 12, "{source}");
        assert!(passages.values().all(|passage| passage.objects == 1));
        assert_eq!(count(&pipeline.element("infer"), "inferred"), 12);
    }
}

#[test]
fn in_drop_only_frames_with_objects_of_their_own_go_on() {
    let infer = "late-policy=drop max-latency=10000";
    let pipeline = Pipeline::parse(&line("is-live=true num-buffers=40", infer, SLUGGISH));
    let passages = watch(&pipeline);
    pipeline.run_to_eos();
    let infer = pipeline.element("infer");
    let went: Vec<Passage> = taken(&passages)
        .values()
        .filter(|passage| passage.went.is_some())
        .copied()
        .collect();
    assert!(!went.is_empty() && went.iter().all(|passage| passage.objects == 1));
    assert_eq!(went.len() as u64, count(&infer, "frames"));
    assert!(count(&infer, "dropped") > 0, "it is too slow for all");
    assert_eq!(count(&infer, "frames") + count(&infer, "dropped"), 40);
}

#[test]
fn of_n_frames_one_is_inferred_and_the_others_carry_its_objects() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=10 ! {CAPS} ! gpuinfer name=infer inference-interval=4 model={} ! fakesink",
        model.display()
    ));
    let passages = watch(&pipeline);
    pipeline.run_to_eos();
    let infer = pipeline.element("infer");
    let counts = ["frames", "inferred", "skipped", "carried"].map(|name| count(&infer, name));
    assert_eq!(counts, [10, 3, 7, 7]);
    let passages = taken(&passages);
    assert!(passages.values().all(|passage| passage.objects == 1));
}

#[test]
fn a_sink_that_takes_nothing_costs_the_oldest_frames() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true ! {CAPS} ! gpuinfer name=infer queue-size=2 model={} ! fakesink name=sink",
        model.display()
    ));
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let sink = pipeline.element("sink").static_pad("sink").unwrap();
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let _ = taken(&held).recv_timeout(LIMIT);
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let infer = pipeline.element("infer");
    eventually("dropped frames", LIMIT, || count(&infer, "dropped") > 5);
    assert!(count(&infer, "queue-level") <= 3);
    drop(hold);
}

fn latency(pipeline: &Pipeline) -> (bool, Duration, Option<gst::ClockTime>) {
    let mut query = gst::query::Latency::new();
    let pad = pipeline.element("infer").static_pad("src").unwrap();
    assert!(pad.query(&mut query));
    let (live, min, max) = query.result();
    (live, min.into(), max)
}

#[test]
fn the_pipeline_is_told_the_latency_and_of_changes() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true ! {CAPS} ! gpuinfer name=infer max-latency=80 model={} ! fakesink",
        model.display()
    ));
    pipeline.play();
    let (live, min, max) = latency(&pipeline);
    assert!(live);
    let own = Duration::from_millis(80);
    assert!((own..own * 2).contains(&min), "{min:?}");
    assert!(max.is_none_or(|max| Duration::from(max) >= min));
    let bus = pipeline.bus().unwrap();
    while bus.pop_filtered(&[gst::MessageType::Latency]).is_some() {}
    pipeline
        .element("infer")
        .set_property("max-latency", 300_u32);
    loop {
        let message = pipeline.wait_for(gst::MessageType::Latency);
        if message.src() == Some(pipeline.element("infer").upcast_ref()) {
            break;
        }
    }
    let (_, min, _) = latency(&pipeline);
    assert!(min >= Duration::from_millis(300), "{min:?}");
}

#[test]
fn the_latency_is_learned_from_the_network() {
    let pipeline = Pipeline::parse(&line("is-live=true", "", SLUGGISH));
    pipeline.play();
    let infer = pipeline.element("infer");
    eventually("answers", LIMIT, || count(&infer, "inferred") > 3);
    let (_, min, _) = latency(&pipeline);
    let inference = Duration::from_nanos(count(&infer, "inference"));
    let needed = (inference * 2).min(Duration::from_millis(600));
    assert!(min > needed, "{min:?} for twice {inference:?}");
    assert_eq!(count(&infer, "dropped"), 0);
}
