//! Frames that are dropped are told of, as GStreamer's own elements do it.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use super::{BALL, CAPS, frame, onnx, taken};
use crate::support::init;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// What a message tells.
#[derive(Clone, Debug)]
struct Told {
    live: bool,
    running_time: Option<gst::ClockTime>,
    stream_time: Option<gst::ClockTime>,
    timestamp: Option<gst::ClockTime>,
    duration: Option<gst::ClockTime>,
    /// How much too late.
    jitter: i64,
    proportion: f64,
    processed: u64,
    dropped: u64,
}

fn read(message: &gst::MessageRef) -> Option<Told> {
    let gst::MessageView::Qos(qos) = message.view() else {
        return None;
    };
    let (live, running_time, stream_time, timestamp, duration) = qos.get();
    let (processed, dropped) = qos.stats();
    let count = |value: gst::GenericFormattedValue| match value {
        gst::GenericFormattedValue::Buffers(Some(count)) => u64::from(count),
        other => panic!("{other:?}"),
    };
    let (jitter, proportion, _) = qos.values();
    Some(Told {
        live,
        running_time,
        stream_time,
        timestamp,
        duration,
        jitter,
        proportion,
        processed: count(processed),
        dropped: count(dropped),
    })
}

/// Sluggish: each frame takes some frames' time.
fn line(infer: &str) -> String {
    let model = onnx::slow_detector(&[BALL], 2);
    format!(
        "videotestsrc is-live=true num-buffers=40 ! {CAPS} ! gpuinfer name=infer model={} {infer} ! fakesink",
        model.display()
    )
}

#[test]
fn every_frame_that_late_policy_drops_is_told_of() {
    for mode in ["async", "sync"] {
        // In sync each waits for its own objects, but for so long only.
        let latency = if mode == "async" { 10_000 } else { 1 };
        let pipeline = Pipeline::parse(&line(&format!(
            "mode={mode} late-policy=drop max-latency={latency}"
        )));
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = told.clone();
        pipeline.bus().unwrap().set_sync_handler(move |_, message| {
            taken(&list).extend(read(message));
            gst::BusSyncReply::Pass
        });
        pipeline.run_to_eos();
        let dropped: u64 = stats(&pipeline.element("infer"))
            .get("dropped")
            .unwrap_or_default();
        pipeline.bus().unwrap().unset_sync_handler();
        let told = taken(&told).clone();
        assert!(told.len() > 5, "{mode}: it is too slow for most: {told:?}");
        assert_eq!(told.len() as u64, dropped, "{mode}");
        for (number, told) in (1..).zip(&told) {
            assert!(told.live);
            assert!(told.timestamp.is_some());
            assert_eq!(
                (told.running_time, told.stream_time),
                (told.timestamp, told.timestamp)
            );
            let duration = told.duration.unwrap();
            assert!((33..=34).contains(&duration.mseconds()), "{told:?}");
            assert_eq!(told.dropped, number);
            assert!(told.processed + told.dropped <= 40, "{told:?}");
            assert!(told.proportion >= 1.0, "{told:?}");
            assert!(told.jitter.abs() < 20_000_000_000, "{told:?}");
        }
    }
}

/// Its segment starts at 10 s, which is 5 s of running time and 100 s of stream time.
fn segment() -> gst::FormattedSegment<gst::ClockTime> {
    let mut segment = gst::FormattedSegment::new();
    segment.set_start(gst::ClockTime::from_seconds(10));
    segment.set_base(gst::ClockTime::from_seconds(5));
    segment.set_time(gst::ClockTime::from_seconds(100));
    segment
}

#[test]
fn a_queue_that_is_full_tells_of_the_oldest_frame_in_the_time_of_its_segment() {
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", onnx::detector(&[BALL]).to_str().unwrap())
        .property("queue-size", 2_u32)
        .build()
        .unwrap();
    element.set_property_from_str("late-policy", "skip");
    let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps(CAPS.parse().unwrap());
    assert!(harness.push_event(gst::event::Segment::new(&segment())));
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let src = element.static_pad("src").unwrap();
    let kinds = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER;
    let block = src
        .add_probe(kinds, |_, _| gst::PadProbeReturn::Ok)
        .unwrap();
    for number in 0..9_u64 {
        let mut buffer = frame(CAPS, 90);
        let pts = gst::ClockTime::from_mseconds(10_000 + 40 * number);
        buffer.make_mut().set_pts(pts);
        harness.push(buffer).unwrap();
        let level = || stats(&element).get::<u64>("queue-level").unwrap();
        // The first one is being pushed, for as long as this test likes.
        eventually("the first on its way", LIMIT, || number > 0 || level() == 0);
        assert!(level() <= 3, "{}", level());
    }
    let dropped: u64 = stats(&element).get("dropped").unwrap();
    assert_eq!(
        dropped, 5,
        "one is being pushed, two wait, one may be too much"
    );
    let qos = [gst::MessageType::Qos];
    let told: Vec<Told> = std::iter::from_fn(|| bus.pop_filtered(&qos))
        .filter_map(|message| read(&message))
        .collect();
    assert_eq!(told.len() as u64, dropped);
    for (number, told) in (1..).zip(&told) {
        let after =
            |seconds: u64| Some(gst::ClockTime::from_mseconds(seconds * 1000 + 40 * number));
        assert_eq!(told.timestamp, after(10), "{told:?}");
        assert_eq!(told.running_time, after(5), "{told:?}");
        assert_eq!(told.stream_time, after(100), "{told:?}");
        assert_eq!((told.processed, told.dropped), (1, number));
    }
    element.set_bus(None);
    src.remove_probe(block);
}
