//! Streams that do not keep to the rules: each is measured as far as it can be, and counted where it cannot.

use gst::prelude::*;

use super::{Bench, MS, buffer, stat};
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

#[test]
fn time_stamps_that_run_backwards_are_measured_as_they_are() {
    let mut bench = Bench::new("");
    bench.harness.set_time(100 * MS).unwrap();
    for pts in [80, 40, 90, 10] {
        bench.harness.push(buffer(pts * MS)).unwrap();
    }
    assert_eq!(
        (bench.stat("min"), bench.stat("max")),
        (10_000_000, 90_000_000)
    );
    assert_eq!((bench.stat("count"), bench.stat("lost")), (4, 0));
}

#[test]
fn a_frame_of_another_pipeline_keeps_its_capture() {
    let mut first = Bench::new("");
    first.push_aged(30 * MS);
    let mut second = Bench::new("");
    second.harness.push(first.harness.pull().unwrap()).unwrap();
    assert!(second.stat("max") >= 30_000_000);
    assert_eq!((second.stat("count"), second.stat("unstamped")), (1, 0));
    assert_eq!(second.stat("transit-max"), 0, "no tap before it here");
}

#[test]
fn frames_of_many_origins_are_no_losses() {
    let mut second = Bench::new("");
    for _ in 0..40 {
        let mut first = Bench::new("");
        first.push_aged(30 * MS);
        second.harness.push(first.harness.pull().unwrap()).unwrap();
    }
    assert_eq!((second.stat("count"), second.stat("lost")), (40, 0));
}

#[test]
fn another_clock_changes_no_latency() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,framerate=100/1,format=GRAY8,width=16,height=16 \
         ! latencytracer name=first ! queue ! latencytracer name=second ! fakesink",
    );
    pipeline.play();
    let tap = pipeline.element("second");
    eventually("frames", LIMIT, || stat(&tap, "count") > 20);
    pipeline.set_state(gst::State::Paused).unwrap();
    // Not the system's clock itself: that is everybody's.
    let clock = gst::glib::Object::builder::<gst::SystemClock>();
    let clock = clock
        .property("clock-type", gst::ClockType::Realtime)
        .build();
    pipeline.use_clock(Some(&clock));
    pipeline.set_state(gst::State::Playing).unwrap();
    let before = stat(&tap, "count");
    eventually("more frames", LIMIT, || stat(&tap, "count") > before + 20);
    pipeline.set_state(gst::State::Paused).unwrap();
    let longest = stat(&tap, "max");
    assert!(longest < 10_000_000_000, "{longest} ns");
}

#[test]
fn without_a_clock_frames_are_new_and_counted() {
    crate::support::init();
    let element = gst::ElementFactory::make("latencytracer").build().unwrap();
    let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
    element.set_clock(None::<&gst::Clock>).unwrap();
    harness.set_src_caps_str("video/x-raw");
    harness.push(buffer(20 * MS)).unwrap();
    assert_eq!((stat(&element, "unstamped"), stat(&element, "max")), (1, 0));
}
