//! The level that the network chooses, and how the application hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gst::prelude::*;

use super::rig::{CAMERA, Rig, target};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

#[test]
fn a_real_encoder_gets_the_size_that_the_network_carries() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 \
         ! qualityswitch name=q ! x264enc name=encoder tune=zerolatency speed-preset=ultrafast \
         ! fakesink name=sink",
    );
    let sink = pipeline.element("sink").static_pad("sink").unwrap();
    pipeline.play();
    let sent = |width: i32| {
        let encoder = pipeline.element("encoder").static_pad("sink").unwrap();
        let caps = encoder.current_caps();
        caps.is_some_and(|caps| caps.structure(0).unwrap().get("width") == Ok(width))
    };
    eventually("video at full size", LIMIT, || sent(640));
    sink.push_event(target(200));
    let news = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(news.get("level"), Ok("ultra-low"));
    assert_eq!(news.get("previous"), Ok("high"));
    assert_eq!(news.get("reason"), Ok("network"));
    assert_eq!(news.get("width"), Ok(426_u64));
    assert_eq!(news.get("height"), Ok(240_u64));
    assert_eq!(news.get("framerate"), Ok(15.0));
    assert_eq!(news.get("target-bitrate"), Ok(200_000_u32));
    eventually("small video", LIMIT, || sent(426));
    // More than 1.15 times what low needs, less than that of medium: up one rung after the hold, no further.
    sink.push_event(target(450));
    let news = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(news.get("level"), Ok("low"));
    eventually("full size again", LIMIT, || sent(640));
    assert_eq!(stats(&pipeline.element("q")).get("switches"), Ok(2_u64));
}

#[test]
fn the_target_goes_on_upstream() {
    let mut rig = Rig::new(CAMERA, &[]);
    rig.push(0);
    assert!(rig.harness.push_upstream_event(target(5_000)));
    let names = std::iter::from_fn(|| rig.harness.try_pull_upstream_event())
        .filter_map(|event| event.structure().map(|s| s.name().to_string()));
    let heard: Vec<String> = names.collect();
    assert!(
        heard.iter().any(|name| name == "livetune-target-bitrate"),
        "{heard:?}"
    );
    assert_eq!(rig.level().as_deref(), Some("high"));
}

#[test]
fn by_hand_the_target_is_noted_and_nothing_else() {
    let mut rig = Rig::at_level(CAMERA, "high");
    rig.push(0);
    rig.harness.push_upstream_event(target(100));
    rig.push(1);
    assert_eq!(rig.level().as_deref(), Some("high"));
    assert_eq!(rig.size(), (1280, 720));
    assert_eq!(stats(&rig.element).get("target-bitrate"), Ok(100_000_u32));
    assert_eq!(rig.news(), None);
    rig.element.set_property("auto", true);
    rig.push(2);
    assert_eq!(rig.level().as_deref(), Some("ultra-low"));
}

#[test]
fn each_change_of_level_is_posted_and_notified_once() {
    let mut rig = Rig::new(CAMERA, &[]);
    let notified = Arc::new(AtomicU32::new(0));
    let counter = notified.clone();
    rig.element.connect_notify(Some("level"), move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    rig.push(0);
    assert_eq!(rig.news(), None);
    let before = notified.load(Ordering::Relaxed);
    rig.harness.push_upstream_event(target(400));
    rig.harness.push_upstream_event(target(390));
    rig.push(1);
    rig.push(2);
    let news = rig.news().unwrap();
    assert_eq!(news.get("level"), Ok("low"));
    assert_eq!(news.get("previous"), Ok("high"));
    assert_eq!(rig.news(), None);
    assert_eq!(notified.load(Ordering::Relaxed) - before, 1);
    rig.element.set_property("auto", false);
    rig.set_level("high");
    rig.push(60);
    let news = rig.news().unwrap();
    assert_eq!(news.get("reason"), Ok("manual"));
    assert_eq!(notified.load(Ordering::Relaxed) - before, 2);
}

#[test]
fn messages_can_be_switched_off() {
    let mut rig = Rig::new(CAMERA, &[("post-messages", "false")]);
    rig.push(0);
    rig.harness.push_upstream_event(target(400));
    rig.push(1);
    assert_eq!(rig.level().as_deref(), Some("low"));
    assert_eq!(rig.news(), None);
}

#[test]
fn an_input_that_leaves_the_rung_behind_moves_the_level() {
    let mut rig = Rig::new(
        "video/x-raw,format=I420,width=1920,height=1080,framerate=30/1",
        &[],
    );
    rig.push(0);
    assert_eq!(rig.level().as_deref(), Some("high"));
    rig.set_caps("video/x-raw,format=I420,width=640,height=360,framerate=20/1");
    rig.push(30);
    assert_eq!(rig.level().as_deref(), Some("low"));
    let news = rig.news().unwrap();
    assert_eq!(news.get("reason"), Ok("input"));
}

#[test]
fn stats_and_telemetry_say_the_same() {
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=60 ! video/x-raw,width=640,height=360,framerate=30/1 \
         ! qualityswitch name=measured auto=false level=ultra-low ! fakesink",
    );
    pipeline.run_to_eos();
    let stats = stats(&pipeline.element("measured"));
    assert_eq!(stats.name(), "application/x-livetune-qualityswitch-stats");
    assert_eq!(stats.get("level"), Ok("ultra-low"));
    assert_eq!(stats.get("frames-in"), Ok(60_u64));
    assert_eq!(stats.get("frames-out"), Ok(30_u64));
    assert_eq!(stats.get("frames-dropped"), Ok(30_u64));
    assert_eq!(stats.get("switches"), Ok(0_u64));
    assert_eq!(stats.get("width"), Ok(426_u64));
    let text = gstlivetune::open_metrics();
    let line = text.lines().find(|line| {
        line.starts_with("livetune_qualityswitch_frames_dropped_total") && line.contains("measured")
    });
    assert!(line.is_some_and(|line| line.ends_with(" 30")), "{text}");
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(!gstlivetune::open_metrics().contains("element=\"measured\""));
}

#[test]
fn a_size_that_downstream_refuses_is_replaced_with_a_warning() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,width=1920,height=1080,framerate=30/1 \
         ! qualityswitch name=q ! video/x-raw,width=1280,height=720 ! fakesink name=sink",
    );
    let element = pipeline.element("q");
    pipeline.play();
    let warning = pipeline.wait_for(gst::MessageType::Warning);
    let gst::MessageView::Warning(warning) = warning.view() else {
        panic!("waited for a warning")
    };
    assert!(warning.error().to_string().contains("\"medium\""));
    assert_eq!(element.property::<String>("level"), "medium");
    element.set_property("auto", false);
    element.set_property("level", "low");
    pipeline.wait_for(gst::MessageType::Warning);
    assert_eq!(element.property::<String>("level"), "medium");
    let sent: u64 = stats(&element).get("frames-out").unwrap();
    eventually("frames going on", Duration::from_secs(10), || {
        stats(&element).get::<u64>("frames-out").unwrap() > sent + 5
    });
}
