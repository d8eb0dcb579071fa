//! Transports that are asked from a thread of ours: starting, pausing, flushing, stopping.

use gst::prelude::*;

use super::{encoder, target_kbps, udp_port};
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

/// Lets `seconds` pass.
fn pass(seconds: u32) {
    let mut looks = 0;
    eventually("the time to pass", LIMIT, || {
        looks += 1;
        looks > seconds * 200
    });
}

/// Reasons of all changes so far.
fn reasons(pipeline: &Pipeline) -> Vec<String> {
    let bus = pipeline.bus().unwrap();
    let messages = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Element]));
    let reasons = messages.filter_map(|message| message.structure()?.get("reason").ok());
    reasons.collect()
}

#[test]
fn neither_a_pause_nor_a_sink_that_waits_for_its_clock_is_a_backlog() {
    for before in ["", "queue ! "] {
        let encoder = encoder(1_000);
        let pipeline = Pipeline::parse(&format!(
            "{encoder} ! h264parse ! mpegtsmux ! {before} filesink location=/dev/null sync=true ts-offset=300000000"
        ));
        let abr = pipeline.element("abr");
        pipeline.set_state(gst::State::Playing).unwrap();
        eventually("a rise", LIMIT, || target_kbps(&abr) > 1_100);
        pipeline.set_state(gst::State::Paused).unwrap();
        pass(1);
        pipeline.set_state(gst::State::Playing).unwrap();
        pass(2);
        let reasons = reasons(&pipeline);
        let backlogs = reasons.iter().filter(|reason| *reason == "backlog");
        assert_eq!(backlogs.count(), 0, "{before}: {reasons:?}");
    }
}

#[test]
fn starts_and_stops_a_hundred_times_with_sinks_that_are_asked() {
    let (encoder, port) = (encoder(1_000), udp_port());
    let pipeline = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux alignment=7 ! tee name=t \
         t. ! queue ! filesink location=/dev/null async=false \
         t. ! queue ! srtsink uri=srt://127.0.0.1:{port}?mode=listener wait-for-connection=false async=false"
    ));
    for round in 0..100 {
        pipeline.set_state(gst::State::Playing).unwrap();
        let wait = if round % 10 == 0 { 120 } else { 5 };
        let _ = pipeline.state(gst::ClockTime::from_mseconds(wait));
        if round % 20 == 0 {
            let abr = pipeline.element("abr");
            eventually("the start", LIMIT, || target_kbps(&abr) > 0);
        }
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
