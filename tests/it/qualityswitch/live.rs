//! Live pipelines that are too slow for their camera: the level goes down, and up again when they are not.

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

#[test]
fn the_less_important_camera_gives_way() {
    let camera = |name: &str, priority: i32| {
        let line = format!(
            "{CAMERA} sensors=chain group=street priority={priority} ! identity name=work ! fakesink"
        );
        Pipeline::parse(&line.replace("name=q", &format!("name={name}")))
    };
    let (main, side) = (camera("main", 10), camera("side", 0));
    side.play();
    main.play();
    main.element("work").set_property("sleep-time", SLOW as u32);
    let news = side.wait_for_element_message("livetune-quality");
    assert_eq!(news.get("reason"), Ok("group"), "{news}");
    assert_eq!(news.get("sensor"), Ok("chain"));
    let before = stats(&main.element("main"));
    assert_eq!(before.get("group-members"), Ok(2_u64));
    // The other one has nothing left to give: now it has to be its own.
    let news = main.wait_for_element_message("livetune-quality");
    assert_eq!(news.get("level"), Ok("b"), "{news}");
    main.element("work").set_property("sleep-time", 0_u32);
    let news = main.wait_for_element_message("livetune-quality");
    assert_eq!(
        news.get("level"),
        Ok("a"),
        "the important one recovers first"
    );
    assert_eq!(side.element("side").property::<String>("level"), "b");
    let news = side.wait_for_element_message("livetune-quality");
    assert_eq!(news.get("level"), Ok("a"), "{news}");
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
