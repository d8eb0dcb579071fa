//! `copy-out` and `extra-buffers`: a camera with few buffers goes on while downstream holds many.

use gst::prelude::*;

use super::camera::Camera;
use super::{count, taken, watch};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// Shows nothing before it holds eight frames.
const HOLDS_EIGHT: &str =
    "queue name=q min-threshold-buffers=8 max-size-buffers=20 ! fakesink name=end sync=true";

fn level(pipeline: &Pipeline) -> u32 {
    pipeline.element("q").property("current-level-buffers")
}

#[test]
fn without_copies_a_camera_of_four_buffers_stops_for_ever() {
    let without = [
        "identity name=r".to_owned(),
        "bufferrecycler name=r copy-out=never".to_owned(),
    ];
    for between in without {
        let (camera, pipeline) = Camera::in_front_of(&format!("{between} ! {HOLDS_EIGHT}"), 4, 90);
        let shown = watch(&pipeline.element("end"), |_| ());
        pipeline.set_state(gst::State::Playing).unwrap();
        eventually("the camera to run out of buffers", LIMIT, || {
            camera.starved() > 0
        });
        // All four are in the queue, which waits for four more: nothing will ever move.
        assert_eq!(level(&pipeline), 4, "{between}");
        assert_eq!(taken(&shown).len(), 0, "{between}");
    }
}

#[test]
fn with_copies_it_runs_in_real_time() {
    let line = format!("bufferrecycler name=r ! {HOLDS_EIGHT}");
    let (camera, pipeline) = Camera::in_front_of(&line, 4, 90);
    let shown = watch(&pipeline.element("end"), |buffer| {
        let map = buffer.map_readable().unwrap();
        (buffer.pts().unwrap(), map[0], map[map.len() - 1])
    });
    let clock = gst::SystemClock::obtain();
    let began = clock.time();
    pipeline.run_to_eos();
    let took = clock.time() - began;
    let expected: Vec<_> = (0..90_u64)
        .map(|n| (gst::ClockTime::SECOND * n / 30, n as u8, n as u8))
        .collect();
    assert_eq!(*taken(&shown), expected);
    assert_eq!(camera.starved(), 0);
    // Three seconds of video; the machine may be busy.
    assert!(took < gst::ClockTime::from_seconds(6), "{took}");
    let recycler = pipeline.element("r");
    let (copies, low) = (count(&recycler, "copies"), count(&recycler, "starvations"));
    assert!((20..=90).contains(&copies), "{}", stats(&recycler));
    assert!(low > 0, "{}", stats(&recycler));
    let advice: String = recycler.property("advise");
    assert!(advice.contains("ran low"), "{advice}");
    eventually("all to be back", LIMIT, || count(&recycler, "held") <= 1);
}

#[test]
fn starvation_is_counted_and_told_of_where_nothing_is_copied() {
    let line = format!("bufferrecycler name=r copy-out=never hold-warning=100 ! {HOLDS_EIGHT}");
    let (camera, pipeline) = Camera::in_front_of(&line, 4, 90);
    let recycler = pipeline.element("r");
    pipeline.set_state(gst::State::Playing).unwrap();
    let reasons = ["upstream-low", "upstream-dry", "buffer-held"].map(|_| {
        let told = pipeline.wait_for_element_message("livetune-buffers");
        let starved = (told.get("starvations"), told.get("copies"));
        assert_eq!(starved, (Ok(1_u64), Ok(0_u64)), "{told}");
        told.get::<String>("reason").unwrap()
    });
    assert_eq!(reasons, ["upstream-low", "upstream-dry", "buffer-held"]);
    eventually("the camera to wait", LIMIT, || camera.starved() > 0);
    assert_eq!(count(&recycler, "held"), 4, "{}", stats(&recycler));
    // Once in the whole of it: it has not had enough since.
    assert_eq!(count(&recycler, "starvations"), 1);
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(count(&recycler, "held"), 0, "{}", stats(&recycler));
}

#[test]
fn who_has_buffers_enough_is_not_called_starved() {
    let (camera, pipeline) = Camera::in_front_of(
        "bufferrecycler name=r copy-out=never ! fakesink enable-last-sample=false",
        8,
        200,
    );
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!((count(&recycler, "starvations"), camera.starved()), (0, 0));
    assert_eq!(count(&recycler, "held"), 0);
}

#[test]
fn each_shortage_counts_once_and_the_advice_names_the_cures() {
    let line = "bufferrecycler name=r copy-out=never ! fakesink name=end async=false enable-last-sample=false";
    let (camera, pipeline) = Camera::in_front_of(line, 4, 0);
    let recycler = pipeline.element("r");
    let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
    pipeline.set_state(gst::State::Playing).unwrap();
    for shortage in 1..=3 {
        eventually("the camera to wait", LIMIT, || {
            camera.starved() >= shortage && taken(&kept).len() == 4
        });
        assert_eq!(count(&recycler, "starvations"), shortage);
        // Some frames later it has enough again, and then not.
        taken(&kept).clear();
    }
    eventually("many frames", LIMIT, || {
        taken(&kept).clear();
        count(&recycler, "buffers") > 30
    });
    assert_eq!(count(&recycler, "copies"), 0);
    let advice: String = recycler.property("advise");
    let cures = ["ran low", "extra-buffers", "copy-out=when-low"];
    assert!(cures.iter().all(|cure| advice.contains(cure)), "{advice}");
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn a_frame_is_copied_only_while_buffers_are_scarce() {
    let (camera, pipeline) = Camera::in_front_of(
        "bufferrecycler name=r ! fakesink enable-last-sample=false",
        8,
        200,
    );
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(count(&recycler, "copies"), 0, "{}", stats(&recycler));
    assert_eq!(count(&recycler, "upstream-pooled"), 200);
    assert_eq!((count(&recycler, "held"), camera.starved()), (0, 0));
    let advice: String = recycler.property("advise");
    assert!(
        advice.contains("upstream pools already: nothing to gain here"),
        "{advice}"
    );
}

#[test]
fn the_threshold_says_how_many_may_be_held() {
    let line = format!("bufferrecycler name=r copy-threshold=1 ! {HOLDS_EIGHT}");
    let (_camera, pipeline) = Camera::in_front_of(&line, 30, 60);
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    // One in ten or so goes on as it is, the one that is held at a time.
    assert!(count(&recycler, "copies") > 40, "{}", stats(&recycler));
    assert!(count(&recycler, "copies") < 60, "{}", stats(&recycler));
}

#[test]
fn always_copies_every_frame_with_its_times_and_metas() {
    let (_camera, pipeline) = Camera::in_front_of(
        "bufferrecycler name=r copy-out=always ! fakesink name=end",
        4,
        30,
    );
    let seen = watch(&pipeline.element("end"), |buffer| {
        (
            buffer.pts(),
            buffer.duration(),
            buffer.map_readable().unwrap()[7],
        )
    });
    pipeline.run_to_eos();
    assert_eq!(count(&pipeline.element("r"), "copies"), 30);
    let duration = Some(gst::ClockTime::SECOND / 30);
    let expected: Vec<_> = (0..30_u64)
        .map(|n| (Some(gst::ClockTime::SECOND * n / 30), duration, n as u8))
        .collect();
    assert_eq!(*taken(&seen), expected);
}

#[test]
fn a_camera_that_is_asked_for_more_buffers_needs_no_copies() {
    let line = |extra: u32| {
        format!("bufferrecycler name=r extra-buffers={extra} copy-out=never ! {HOLDS_EIGHT}")
    };
    let (stuck, pipeline) = Camera::in_front_of(&line(0), 0, 60);
    pipeline.set_state(gst::State::Playing).unwrap();
    eventually("the camera to run out of buffers", LIMIT, || {
        stuck.starved() > 0
    });
    assert!(level(&pipeline) < 8);
    drop(pipeline);
    let (camera, pipeline) = Camera::in_front_of(&line(10), 0, 60);
    let shown = watch(&pipeline.element("end"), |_| ());
    pipeline.run_to_eos();
    assert_eq!(taken(&shown).len(), 60);
    assert_eq!(camera.asked().unwrap().1, 10);
    assert_eq!(count(&pipeline.element("r"), "copies"), 0);
}

#[test]
fn a_source_with_a_pool_of_ours_has_the_extra_buffers_from_the_start() {
    for (extra, allocations) in [(0, 3), (9, 12)] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=3 ! {} ! bufferrecycler name=r min-buffers=3 extra-buffers={extra} ! fakesink",
            super::RAW
        ));
        pipeline.run_to_eos();
        assert_eq!(count(&pipeline.element("r"), "allocations"), allocations);
    }
}
