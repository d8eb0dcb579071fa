//! Live pipelines that are too slow for their camera: the level goes down, and up again when they are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// A camera, and a ladder on which a frame of 45 ms is too much for the first rung only.
const CAMERA: &str = "videotestsrc is-live=true pattern=black \
     ! video/x-raw,format=I420,width=320,height=180,framerate=30/1 \
     ! qualityswitch name=q ladder=a=320x180@30,b=160x90@10 up-hold=1000 settle=500";

/// Longer than the 33 ms between two frames, and not than the 100 ms of the lower rung, in microseconds.
const SLOW: i32 = 45_000;

fn level(pipeline: &Pipeline) -> String {
    pipeline.element("q").property("level")
}

/// Makes the element `work` slow, and waits for the step down; then fast, and waits for the step up.
fn down_and_up(pipeline: &Pipeline) -> (gst::Structure, gst::Structure) {
    let work = pipeline.element("work");
    pipeline.play();
    eventually("the first rung", LIMIT, || level(pipeline) == "a");
    work.set_property("sleep-time", SLOW as u32);
    let down = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(down.get("level"), Ok("b"), "{down}");
    work.set_property("sleep-time", 0_u32);
    let up = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(up.get("level"), Ok("a"), "{up}");
    (down, up)
}

#[test]
fn elements_behind_that_are_too_slow_press_the_level_down_until_they_are_not() {
    let line = format!("{CAMERA} sensors=chain ! identity name=work ! fakesink");
    let pipeline = Pipeline::parse(&line);
    let (down, up) = down_and_up(&pipeline);
    assert_eq!(down.get("previous"), Ok("a"));
    assert_eq!(down.get("reason"), Ok("chain"));
    assert_eq!(down.get("sensor"), Ok("chain"));
    assert!(down.get::<u64>("held").unwrap() > 0);
    assert_eq!(up.get("reason"), Ok("chain"));
    assert!(
        up.get::<u64>("held").unwrap() >= 1_500_000_000,
        "settle and up-hold"
    );
    let stats = stats(&pipeline.element("q"));
    let times: gst::Structure = stats.get("time-at-level").unwrap();
    assert!(times.get::<u64>("a").unwrap() > 0 && times.get::<u64>("b").unwrap() > 0);
    let reasons: gst::Structure = stats.get("time-by-reason").unwrap();
    assert!(reasons.get::<u64>("chain").unwrap() >= 1_500_000_000);
    let switches: gst::Structure = stats.get("switches-by-reason").unwrap();
    assert_eq!(switches.get("chain"), Ok(2_u64));
}

#[test]
fn a_thread_behind_a_queue_is_seen_too() {
    let line = format!(
        "{CAMERA} sensors=chain ! queue leaky=downstream max-size-buffers=3 \
         ! identity name=work ! fakesink"
    );
    let pipeline = Pipeline::parse(&line);
    let (down, _) = down_and_up(&pipeline);
    assert_eq!(down.get("reason"), Ok("chain"));
}

#[test]
fn a_queue_that_fills_presses_the_level_down() {
    let line = format!(
        "{CAMERA} sensors=queue ! queue leaky=downstream max-size-buffers=5 \
         ! identity name=work ! fakesink"
    );
    let pipeline = Pipeline::parse(&line);
    let (down, up) = down_and_up(&pipeline);
    assert_eq!(down.get("reason"), Ok("queue"));
    assert_eq!(up.get("reason"), Ok("queue"));
}

#[test]
fn with_the_sensor_off_nothing_happens() {
    let line = format!("{CAMERA} sensors=network ! identity sleep-time={SLOW} ! fakesink");
    let pipeline = Pipeline::parse(&line);
    pipeline.play();
    let q = pipeline.element("q");
    eventually("a hundred frames", LIMIT, || {
        stats(&q).get::<u64>("frames-out").unwrap() > 100
    });
    assert_eq!(level(&pipeline), "a");
}

#[test]
fn a_sink_that_waits_for_the_clock_is_no_load() {
    let line = format!("{CAMERA} ! identity ! fakesink sync=true");
    let pipeline = Pipeline::parse(&line);
    // Each frame waits as long as there is room for before it.
    pipeline.set_latency(gst::ClockTime::from_mseconds(100));
    pipeline.play();
    let q = pipeline.element("q");
    eventually("a hundred frames", LIMIT, || {
        stats(&q).get::<u64>("frames-out").unwrap() > 100
    });
    let stats = stats(&q);
    assert_eq!(stats.get("level"), Ok("a"));
    assert_eq!(stats.get("switches"), Ok(0_u64));
    assert_eq!(stats.get("load-state"), Ok("optimal"), "{stats}");
}

#[test]
fn a_file_that_waits_for_its_sink_is_no_load_and_that_is_said() {
    let line = CAMERA.replace("is-live=true", "");
    let pipeline = Pipeline::parse(&format!("{line} ! queue ! fakesink sync=true"));
    pipeline.set_state(gst::State::Playing).unwrap();
    let message = pipeline.wait_for(gst::MessageType::Info);
    let gst::MessageView::Info(info) = message.view() else {
        panic!("waited for an info")
    };
    let text = info.error().to_string();
    assert!(
        text.contains("No sensor says anything of the load"),
        "{text}"
    );
    let stats = stats(&pipeline.element("q"));
    assert_eq!(stats.get("switches"), Ok(0_u64));
}

#[test]
fn a_latencytracer_behind_tells_of_frames_that_come_too_late() {
    let line = format!(
        "{CAMERA} sensors=latency ! queue max-size-buffers=3 leaky=downstream ! identity name=work \
         ! latencytracer sla=40 ! fakesink"
    );
    let pipeline = Pipeline::parse(&line);
    let (down, up) = down_and_up(&pipeline);
    assert_eq!(down.get("reason"), Ok("latency"));
    assert_eq!(up.get("reason"), Ok("latency"));
}

#[test]
fn frames_late_at_the_sink_press_the_level_down() {
    let line = format!(
        "{CAMERA} sensors=qos ! queue max-size-buffers=2 ! identity name=work \
         ! fakesink sync=true qos=true max-lateness=-1"
    );
    let pipeline = Pipeline::parse(&line);
    pipeline
        .element("work")
        .set_property("sleep-time", SLOW as u32);
    pipeline.play();
    let down = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(down.get("level"), Ok("b"), "{down}");
    assert_eq!(down.get("reason"), Ok("qos"));
}

/// Two cameras of a group, the second of less priority, of which the first is too slow by itself.
fn main_and_side() -> (Pipeline, Pipeline) {
    let camera = |name: &str, priority: i32| {
        let line = format!(
            "{CAMERA} sensors=chain group=street priority={priority} ! identity name=work ! fakesink"
        );
        Pipeline::parse(&line.replace("name=q", &format!("name={name}")))
    };
    let (main, side) = (camera("main", 10), camera("side", 0));
    side.play();
    main.play();
    let members = stats(&main.element("main")).get("group-members");
    assert_eq!(members, Ok(2_u64));
    (main, side)
}

/// The level, the reason and the sensor of the next change.
fn change(pipeline: &Pipeline) -> [String; 3] {
    let news = pipeline.wait_for_element_message("livetune-quality");
    ["level", "reason", "sensor"].map(|name| news.get::<String>(name).unwrap_or_default())
}

#[test]
fn a_camera_that_is_too_slow_by_itself_costs_a_less_important_one_nothing_for_long() {
    let (main, side) = main_and_side();
    main.element("work").set_property("sleep-time", SLOW as u32);
    assert_eq!(change(&main), ["b", "chain", "chain"]);
    // Where other tests kept the machine busy, the other one gave way first, and has its level back.
    let level = || side.element("side").property::<String>("level");
    eventually("the other one at its best", LIMIT, || level() == "a");
    main.element("work").set_property("sleep-time", 0_u32);
    assert_eq!(change(&main), ["a", "chain", "chain"]);
}

#[test]
fn on_a_full_machine_the_less_important_camera_gives_way_and_has_back_what_did_not_help() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let over = Arc::new(AtomicBool::new(false));
    let eaters = (0..processors).map(|_| {
        let over = over.clone();
        std::thread::spawn(move || while !over.load(Ordering::Relaxed) {})
    });
    let eaters: Vec<_> = eaters.collect();
    let (main, side) = main_and_side();
    // So long it takes to see that the machine is full.
    let out = || {
        stats(&side.element("side"))
            .get::<u64>("frames-out")
            .unwrap()
    };
    eventually("some frames", LIMIT, || out() > 60);
    main.element("work").set_property("sleep-time", SLOW as u32);
    assert_eq!(change(&side), ["b", "group", "chain"]);
    assert_eq!(change(&main), ["b", "chain", "chain"]);
    assert_eq!(change(&side), ["a", "group", "chain"]);
    over.store(true, Ordering::Relaxed);
    for eater in eaters {
        eater.join().unwrap();
    }
}

#[test]
fn renditions_follow_the_load_too() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true pattern=black ! video/x-raw,framerate=30/1,width=320,height=180 ! tee name=t \
         ! queue ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=2560 threads=1 ! q.sink_0 \
         t. ! queue ! videoscale ! video/x-raw,width=160,height=90 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=2560 threads=1 ! q.sink_1 \
         qualityswitch name=q ladder=a=320x180@30,b=160x90@30 up-hold=1000 settle=500 sensors=chain \
         ! identity name=work sleep-time={SLOW} ! fakesink"
    ));
    pipeline.play();
    let down = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(down.get("level"), Ok("b"), "{down}");
    pipeline.element("work").set_property("sleep-time", 0_u32);
    let up = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(up.get("level"), Ok("a"), "{up}");
}
