//! Minimum and maximum: a pool at its maximum slows upstream down and never locks anybody in.

use std::sync::mpsc;

use gst::prelude::*;

use super::{RAW, count, taken, watch};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

#[test]
fn the_minimum_is_there_from_the_start() {
    let line = format!(
        "videotestsrc num-buffers=20 ! {RAW} ! bufferrecycler name=r min-buffers=7 ! fakesink"
    );
    let pipeline = Pipeline::parse(&line);
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(count(&recycler, "allocations"), 7);
    assert!(count(&recycler, "pooled-bytes") >= 7 * 320 * 240 * 3 / 2);
    assert_eq!(count(&recycler, "hits"), count(&recycler, "recycled"));
}

#[test]
fn a_slow_sink_makes_upstream_wait_and_still_sees_the_end() {
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=40 ! video/x-raw,width=320,height=240,framerate=60/1 ! \
         bufferrecycler name=r max-buffers=3 ! queue ! fakesink sync=true",
    );
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(count(&recycler, "buffers"), 40);
    assert!(count(&recycler, "waits") > 0, "{}", stats(&recycler));
    assert!(count(&recycler, "allocations") <= 3, "{}", stats(&recycler));
    assert!(
        count(&recycler, "peak-outstanding") <= 3,
        "{}",
        stats(&recycler)
    );
}

/// Runs `source` into a pool of two whose buffers are all kept, until upstream waits, and then stops it.
fn stop_while_upstream_waits(source: &str) {
    let line =
        format!("{source} ! bufferrecycler name=r max-buffers=2 ! fakesink name=end async=false");
    let pipeline = Pipeline::parse(&line);
    let recycler = pipeline.element("r");
    let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
    pipeline.set_state(gst::State::Playing).unwrap();
    eventually("upstream to wait", LIMIT, || count(&recycler, "waits") > 0);
    let (done, stopped) = mpsc::channel();
    let top = (*pipeline).clone();
    let stopper = std::thread::spawn(move || done.send(top.set_state(gst::State::Null)));
    let answer = stopped.recv_timeout(LIMIT);
    // Where it did not stop, this lets the test end.
    taken(&kept).clear();
    answer.expect(source).unwrap();
    stopper.join().unwrap().unwrap();
}

#[test]
fn a_source_that_waits_can_be_stopped() {
    stop_while_upstream_waits(&format!("videotestsrc ! {RAW}"));
}

#[test]
fn a_filter_that_waits_can_be_stopped() {
    let filter = "videoconvert ! video/x-raw,format=RGB";
    stop_while_upstream_waits(&format!("videotestsrc ! {RAW} ! {filter}"));
    stop_while_upstream_waits(&format!("videotestsrc ! {RAW} ! queue ! {filter}"));
    stop_while_upstream_waits(&format!("videotestsrc ! {RAW} ! {filter} ! queue"));
}

#[test]
fn the_maximum_makes_room_for_what_downstream_holds() {
    // x264enc holds back its lookahead and advises upstream of the number.
    crate::support::init();
    if gst::ElementFactory::find("x264enc").is_none() {
        eprintln!("SKIP: x264enc is not here");
        return;
    }
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=90 ! video/x-raw,format=I420,width=160,height=120,framerate=30/1 ! \
         bufferrecycler name=r max-buffers=2 ! x264enc speed-preset=medium rc-lookahead=20 ! fakesink",
    );
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(count(&recycler, "buffers"), 90);
    let why = super::word(&recycler, "offered-reason");
    assert!(why.contains("max-buffers, which was raised"), "{why}");
}

#[test]
fn settings_that_cannot_work_are_refused_with_both_numbers_and_the_remedy() {
    let refusal = |settings: &str| {
        let pipeline = Pipeline::parse(&format!("fakesrc ! bufferrecycler {settings} ! fakesink"));
        pipeline.error_on_the_way_to(gst::State::Ready)
    };
    let crossed = refusal("min-buffers=8 max-buffers=4");
    assert!(
        crossed.contains("max-buffers 4") && crossed.contains("min-buffers 8"),
        "{crossed}"
    );
    assert!(crossed.contains("at least 8"), "{crossed}");
    let crooked = refusal("alignment=48");
    assert!(
        crooked.contains("48") && crooked.contains("32 or 64"),
        "{crooked}"
    );
}

#[test]
fn a_refused_element_works_once_the_settings_do() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=5 ! {RAW} ! bufferrecycler name=r alignment=3 ! fakesink"
    ));
    pipeline.error_on_the_way_to(gst::State::Playing);
    pipeline.set_state(gst::State::Null).unwrap();
    pipeline.element("r").set_property("alignment", 32_u32);
    pipeline.run_to_eos();
    assert_eq!(count(&pipeline.element("r"), "recycled"), 5);
}
