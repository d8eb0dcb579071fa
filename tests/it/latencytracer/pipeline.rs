//! `scope=pipeline`: every element of the pipeline, also ones added later.

use gst::prelude::*;

use super::stat;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const CAMERA: &str = "videotestsrc is-live=true name=camera \
                      ! video/x-raw,format=I420,width=160,height=120,framerate=60/1";

fn inner(outer: &gst::StructureRef, name: &str) -> gst::Structure {
    outer
        .get(name)
        .unwrap_or_else(|error| panic!("{error}: {outer}"))
}

fn names(structure: &gst::StructureRef) -> Vec<String> {
    structure.fields().map(ToString::to_string).collect()
}

/// The path to `sink` in what the tap called `tap` knows of its pipeline.
fn path(pipeline: &Pipeline, sink: &str) -> Option<gst::Structure> {
    let tap = pipeline.element("tap");
    let snapshot = tap.emit_by_name::<gst::Structure>("snapshot", &[]);
    snapshot
        .get::<gst::Structure>(pipeline.name().as_str())
        .ok()?
        .get(sink)
        .ok()
}

fn count(structure: &gst::StructureRef) -> u64 {
    structure.get("count").unwrap()
}

fn wait_for_frames(pipeline: &Pipeline, sink: &str, frames: u64) {
    eventually("frames on the path", LIMIT, || {
        path(pipeline, sink).is_some_and(|path| count(&path) >= frames)
    });
}

#[test]
fn a_message_for_each_end_tells_the_stages_in_order_and_they_add_up() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap scope=pipeline interval=300 ! tee name=t t. ! queue name=q1 ! fakesink name=one \
         t. ! queue name=q2 ! identity name=work sleep-time=4000 ! fakesink name=two"
    ));
    pipeline.play();
    let mut found = 0;
    while found < 2 {
        let message = pipeline.wait_for_element_message("livetune-latency");
        let Ok(stages) = message.get::<gst::Structure>("stages") else {
            continue;
        };
        if message.get::<&str>("sink") != Ok("two") || count(&message) < 5 {
            continue;
        }
        found += 1;
        assert_eq!(message.get("source"), Ok("camera"));
        let expected = ["camera", "capsfilter0", "tap", "t:src_1", "q2", "work"];
        let named = names(&stages);
        assert!(named.len() == 6 && named[2..] == expected[2..], "{named:?}");
        let mean = |stage: &String| inner(&stages, stage).get::<u64>("transit-mean").unwrap();
        let sum: u64 = named.iter().map(mean).sum();
        let whole = message.get::<u64>("transit-mean").unwrap();
        // Frames on the way when the interval ends are in some stages only.
        assert!(
            whole.abs_diff(sum) < whole / 5 + 1_000_000,
            "{sum} of {whole}"
        );
        assert_eq!(message.get("bottleneck"), Ok("work"), "{message}");
        assert!(message.get::<&str>("bottleneck-reason").is_ok());
        assert_eq!(inner(&stages, "q2").name(), "queue");
    }
    let stats = inner(&stats(&pipeline.element("tap")), "snapshot");
    let path = inner(&inner(&stats, &pipeline.name()), "one");
    assert!(names(&inner(&path, "stages")).contains(&"q1".to_owned()));
}

#[test]
fn it_is_switched_on_and_off_while_frames_flow() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap ! identity name=i ! fakesink name=end"
    ));
    pipeline.play();
    let tap = pipeline.element("tap");
    eventually("frames at the tap", LIMIT, || stat(&tap, "count") > 3);
    assert!(path(&pipeline, "end").is_none());
    for _ in 0..3 {
        tap.set_property_from_str("scope", "pipeline");
        wait_for_frames(&pipeline, "end", 5);
        let stages = inner(&path(&pipeline, "end").unwrap(), "stages");
        assert!(names(&stages).contains(&"i".to_owned()));
        assert!(gstlivetune::open_metrics().contains("stage=\"i\""));
        tap.set_property_from_str("scope", "self");
        assert!(path(&pipeline, "end").is_none());
        assert!(!stats(&tap).has_field("snapshot"));
    }
    assert!(!gstlivetune::open_metrics().contains("stage=\"i\""));
    let before = stat(&tap, "count");
    eventually("more frames at the tap", LIMIT, || {
        stat(&tap, "count") > before + 3
    });
}

#[test]
fn elements_that_come_and_go_while_it_plays_are_measured_while_they_are_there() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap scope=pipeline ! tee name=t allow-not-linked=true ! queue ! fakesink name=end"
    ));
    pipeline.play();
    wait_for_frames(&pipeline, "end", 3);
    let branch = gst::parse::bin_from_description(
        "queue name=inner ! identity name=i ! fakesink name=late async=false",
        true,
    );
    let branch = branch.unwrap();
    pipeline.add(&branch).unwrap();
    branch.sync_state_with_parent().unwrap();
    let tee = pipeline.element("t");
    let pad = tee.request_pad_simple("src_%u").unwrap();
    pad.link(&branch.static_pad("sink").unwrap()).unwrap();
    wait_for_frames(&pipeline, "late", 5);
    let stages = inner(&path(&pipeline, "late").unwrap(), "stages");
    assert!(
        names(&stages).ends_with(&["inner".to_owned(), "i".to_owned()]),
        "{stages}"
    );
    tee.release_request_pad(&pad);
    branch.set_state(gst::State::Null).unwrap();
    pipeline.remove(&branch).unwrap();
    assert!(path(&pipeline, "late").is_none());
    let before = count(&path(&pipeline, "end").unwrap());
    wait_for_frames(&pipeline, "end", before + 3);
}

#[test]
fn two_pipelines_of_one_name_do_not_mix() {
    let line = format!("{CAMERA} ! latencytracer name=tap scope=pipeline ! fakesink name=end");
    let [one, two] = [0, 1].map(|_| Pipeline::parse(&line));
    for pipeline in [&one, &two] {
        pipeline.play();
        wait_for_frames(pipeline, "end", 3);
    }
    one.set_state(gst::State::Null).unwrap();
    let before = count(&path(&two, "end").unwrap());
    wait_for_frames(&two, "end", before + 5);
    let end = path(&two, "end").unwrap();
    assert_eq!(end.get("lost"), Ok(0_u64));
    assert!(path(&one, "end").is_none(), "it is stopped");
}

#[test]
fn reset_begins_anew() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap scope=pipeline ! fakesink name=end"
    ));
    pipeline.play();
    wait_for_frames(&pipeline, "end", 30);
    let tap = pipeline.element("tap");
    tap.emit_by_name::<()>("reset", &[]);
    let after = path(&pipeline, "end").map_or(0, |path| count(&path));
    assert!(after < 15, "{after}");
    wait_for_frames(&pipeline, "end", 3);
}

#[test]
fn pipelines_that_come_and_go_leave_nothing_behind() {
    let run = || {
        let pipeline = Pipeline::parse(
            "fakesrc num-buffers=3 ! latencytracer name=tap scope=pipeline ! fakesink name=end",
        );
        pipeline.run_to_eos();
        pipeline
            .element("end")
            .static_pad("sink")
            .unwrap()
            .downgrade()
    };
    let pads: Vec<_> = (0..50).map(|_| run()).collect();
    assert!(
        pads.iter().all(|pad| pad.upgrade().is_none()),
        "a pad outlived its pipeline"
    );
    assert!(!gstlivetune::open_metrics().contains("stage=\"fakesrc"));
}

#[test]
fn frames_older_than_the_latency_of_the_pipeline_are_late() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap scope=pipeline ! queue ! identity name=slow sleep-time=60000 \
         ! fakesink name=end sync=true qos=false"
    ));
    pipeline.play();
    eventually("late frames", LIMIT, || {
        path(&pipeline, "end").is_some_and(|end| {
            let slow = inner(&inner(&end, "stages"), "slow");
            let late = [&end, &slow].map(|place| place.get::<u64>("late").unwrap());
            late.into_iter().all(|late| late > 10)
        })
    });
    assert_eq!(stat(&pipeline.element("tap"), "late"), 0);
}
