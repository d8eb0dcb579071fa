//! Renditions that are encoded already, switched at key frames.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const ENCODER: &str = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=2560 threads=1";

/// One camera at two sizes, each with an encoder that makes no key frame unless it is asked.
fn two_renditions(between: &str) -> Pipeline {
    Pipeline::parse(&format!(
        "videotestsrc name=camera is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=30/1 \
         ! tee name=t ! queue ! {ENCODER} ! h264parse {between} ! q.sink_0 \
         t. ! queue ! videoscale ! video/x-raw,width=160,height=90 ! {ENCODER} ! h264parse ! q.sink_1 \
         qualityswitch name=q auto=false ladder=a=320x180@30,b=160x90@30 ! fakesink name=sink sync=false"
    ))
}

/// A frame that came out: its width, its time in the pipeline, and whether it is a key frame.
#[derive(Clone, Copy, Debug)]
struct Out {
    width: i32,
    at: u64,
    key: bool,
}

#[allow(clippy::disallowed_methods, reason = "the test's own")]
fn record(pipeline: &Pipeline) -> Arc<Mutex<Vec<Out>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let pad = pipeline.element("q").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let buffer = info.buffer().unwrap();
        let caps = pad.current_caps().unwrap();
        let segment = pad.sticky_event::<gst::event::Segment>(0).unwrap();
        let segment = segment.segment().downcast_ref::<gst::ClockTime>().unwrap();
        noted.lock().unwrap().push(Out {
            width: caps.structure(0).unwrap().get("width").unwrap(),
            at: segment.to_running_time(buffer.pts()).unwrap().nseconds(),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
        });
        gst::PadProbeReturn::Ok
    });
    seen
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test's own")]
fn another_rendition_takes_over_with_a_key_frame_and_no_frame_is_missing() {
    let pipeline = two_renditions("");
    let seen = record(&pipeline);
    pipeline.play();
    let q = pipeline.element("q");
    let width = || seen.lock().unwrap().last().map_or(0, |out| out.width);
    eventually("the best rendition", LIMIT, || width() == 320);
    eventually("frames of it", LIMIT, || seen.lock().unwrap().len() > 10);
    for (level, expected) in [("b", 160), ("a", 320), ("b", 160), ("a", 320)] {
        q.set_property("level", level);
        eventually(level, LIMIT, || width() == expected);
        let frames = seen.lock().unwrap().len();
        eventually("more frames", LIMIT, || {
            seen.lock().unwrap().len() > frames + 10
        });
    }
    // The camera begins with whichever encoder is first.
    let seen = seen.lock().unwrap().clone();
    let seen: Vec<Out> = seen
        .into_iter()
        .skip_while(|out| out.width != 320)
        .collect();
    let changes = seen
        .windows(2)
        .filter(|pair| pair[0].width != pair[1].width);
    assert_eq!(changes.clone().count(), 4);
    assert!(
        seen[0].key && changes.clone().all(|pair| pair[1].key),
        "{seen:?}"
    );
    assert!(seen.is_sorted_by(|a, b| a.at < b.at), "in order: {seen:?}");
    // Interval of the camera: 33.3 ms. A gap is a frame that is missing.
    let gaps = seen
        .windows(2)
        .filter(|pair| pair[1].at - pair[0].at > 50_000_000);
    assert_eq!(gaps.count(), 0, "{seen:?}");
    // An encoder that was asked before its first frame has made two.
    let keys = seen.iter().skip(2).filter(|out| out.key).count();
    assert_eq!(keys, 4, "none but those that were asked for: {seen:?}");
    assert_eq!(stats(&q).get("switches"), Ok(4_u64));
    assert_eq!(stats(&q).get("rendition"), Ok(0_u64));
}

/// Key frames of the other rendition are as long in coming as the test wants.
#[test]
#[allow(clippy::disallowed_methods, reason = "the test's own")]
fn the_old_rendition_goes_on_until_the_new_ones_key_frame_is_there() {
    let pipeline = two_renditions("");
    let seen = record(&pipeline);
    pipeline.play();
    let q = pipeline.element("q");
    let inner = q.static_pad("sink_1").unwrap();
    let asked = Arc::new(Mutex::new(0_u32));
    let counted = asked.clone();
    // Requests get lost: the first two of them.
    inner.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        let is_request = info
            .event()
            .is_some_and(|event| gst_video::UpstreamForceKeyUnitEvent::parse(event).is_ok());
        let mut counted = counted.lock().unwrap();
        *counted += u32::from(is_request);
        if !is_request || *counted > 2 {
            return gst::PadProbeReturn::Ok;
        }
        drop(info.data.take());
        gst::PadProbeReturn::Handled
    });
    let frames = || seen.lock().unwrap().clone();
    let since = || frames().into_iter().skip_while(|out| out.width != 320);
    eventually("the best rendition", LIMIT, || since().count() > 5);
    *asked.lock().unwrap() = 0;
    q.set_property("level", "b");
    eventually("a second request", LIMIT, || *asked.lock().unwrap() >= 2);
    assert!(since().all(|out| out.width == 320), "{:?}", frames());
    eventually("the other rendition", LIMIT, || {
        frames().last().unwrap().width == 160
    });
    let since: Vec<Out> = since().collect();
    let gaps = since
        .windows(2)
        .filter(|pair| pair[1].at - pair[0].at > 50_000_000)
        .count();
    assert_eq!(gaps, 0, "{:?}", frames());
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test's own")]
fn a_rendition_that_stops_is_replaced_by_another() {
    let pipeline = two_renditions("! identity name=gate");
    let seen = record(&pipeline);
    pipeline.play();
    let last = || seen.lock().unwrap().last().map_or(0, |out| out.width);
    eventually("the best rendition", LIMIT, || last() == 320);
    pipeline
        .element("gate")
        .set_property("drop-probability", 1.0_f32);
    let encoder = pipeline.element("q").static_pad("sink_1").unwrap();
    eventually("the other rendition", LIMIT, || {
        encoder.push_event(gst_video::UpstreamForceKeyUnitEvent::builder().build());
        last() == 160
    });
}

#[test]
fn the_end_of_all_renditions_is_the_end() {
    let pipeline = two_renditions("");
    pipeline.play();
    eventually("frames", LIMIT, || {
        let sink: gst::Structure = pipeline.element("sink").property("stats");
        sink.get::<u64>("rendered").unwrap() > 10
    });
    pipeline
        .element("camera")
        .send_event(gst::event::Eos::new());
    pipeline.wait_for(gst::MessageType::Eos);
    pipeline.set_state(gst::State::Null).unwrap();
    pipeline.play();
    eventually("frames of the second run", LIMIT, || {
        let sink: gst::Structure = pipeline.element("sink").property("stats");
        sink.get::<u64>("rendered").unwrap() > 10
    });
}

#[test]
fn pads_come_and_go() {
    crate::support::init();
    let q = gst::ElementFactory::make("qualityswitch").build().unwrap();
    let first = q.request_pad_simple("sink_%u").unwrap();
    let third = q.request_pad_simple("sink_2").unwrap();
    let fourth = q.request_pad_simple("sink_%u").unwrap();
    assert_eq!(
        [first.name(), third.name(), fourth.name()],
        ["sink_0", "sink_2", "sink_3"]
    );
    for pad in [first, third, fourth] {
        q.release_request_pad(&pad);
    }
    assert_eq!(q.pads().len(), 2);
}

#[test]
fn raw_video_beside_renditions_is_an_error() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc ! qualityswitch name=q ! fakesink videotestsrc ! {ENCODER} ! q.sink_0"
    ));
    pipeline.set_state(gst::State::Playing).unwrap();
    let message = pipeline.wait_for(gst::MessageType::Error);
    let gst::MessageView::Error(error) = message.view() else {
        panic!("waited for an error")
    };
    let text = error.error().to_string();
    assert!(text.contains("link one or the other"), "{text}");
}
