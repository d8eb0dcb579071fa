//! Which part of the ladder is gone, and in which order.

use gst::prelude::*;

use super::rig::{CAMERA, Rig, target};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

#[test]
fn no_rung_outside_the_bounds_is_gone_to() {
    let mut rig = Rig::new(CAMERA, &[("max-rung", "medium"), ("min-rung", "low")]);
    rig.push(0);
    assert_eq!(rig.level().as_deref(), Some("medium"));
    rig.harness.push_upstream_event(target(1));
    rig.push(1);
    assert_eq!(rig.level().as_deref(), Some("low"));
    let mut by_hand = Rig::new(CAMERA, &[("auto", "false"), ("min-rung", "low")]);
    by_hand.push(0);
    by_hand.set_level("ultra-low");
    assert!(by_hand.warning().unwrap().contains("\"ultra-low\""));
    assert_eq!(by_hand.level().as_deref(), Some("ultra-high"));
}

#[test]
fn bounds_that_are_none_are_an_error() {
    for (line, words) in [
        ("min-rung=least", "no rung is called \"least\""),
        ("max-rung=low min-rung=high", "lies below"),
        ("min-rung=medium level=low", "\"low\""),
    ] {
        let pipeline = Pipeline::parse(&format!("videotestsrc ! qualityswitch {line} ! fakesink"));
        let error = pipeline.error_on_the_way_to(gst::State::Ready);
        assert!(error.contains(words), "{line}: {error}");
    }
}

#[test]
fn only_the_rate_changes_where_the_size_cannot() {
    let mut rig = Rig::new(CAMERA, &[("step-mode", "rate")]);
    rig.push(0);
    let level = rig.level();
    rig.harness.push_upstream_event(target(1));
    (1..300).for_each(|number| rig.push(number));
    assert_ne!(rig.level(), level);
    assert_eq!(rig.size(), (1280, 720));
    assert!(rig.pulled().len() < 200);
    let caps = std::iter::from_fn(|| rig.harness.try_pull_event());
    let caps = caps.filter(|event| event.type_() == gst::EventType::Caps);
    assert_eq!(caps.count(), 1, "the encoder keeps its caps");
}

#[test]
fn only_the_size_changes_where_the_rate_shall_not() {
    let mut rig = Rig::new(CAMERA, &[("step-mode", "size")]);
    rig.push(0);
    rig.harness.push_upstream_event(target(1));
    (1..301).for_each(|number| rig.push(number));
    assert_eq!(rig.size(), (426, 240));
    assert_eq!(rig.pulled().len(), 301);
}

#[test]
fn a_preference_says_what_goes_first() {
    let ladder = "ladder=a=1280x720@30,b=640x360@15";
    for (preference, name, size, rate) in [
        ("balanced", "b", (640, 360), 15.0),
        ("smooth", "b", (640, 360), 30.0),
        ("sharp", "a@15", (1280, 720), 15.0),
    ] {
        let ladder = ladder.strip_prefix("ladder=").unwrap();
        let mut rig = Rig::new(CAMERA, &[("preference", preference), ("ladder", ladder)]);
        rig.push(0);
        // One step: enough for each of the second rungs, not for the first.
        rig.harness.push_upstream_event(target(1_300));
        rig.push(1);
        assert_eq!(rig.level().as_deref(), Some(name), "{preference}");
        assert_eq!(rig.size(), size, "{preference}");
        assert_eq!(
            stats(&rig.element).get("framerate"),
            Ok(rate),
            "{preference}"
        );
    }
}

#[test]
fn a_step_up_is_not_projected_above_what_is_too_busy() {
    let pipeline = Pipeline::parse(
        "videotestsrc ! qualityswitch up-projected-max=0.9 busy-high=0.5 ! fakesink",
    );
    let error = pipeline.error_on_the_way_to(gst::State::Ready);
    assert!(error.contains("up-projected-max"), "{error}");
    let rig = Rig::new(CAMERA, &[]);
    rig.element.set_property("busy-high", 0.5);
    assert!(rig.warning().unwrap().contains("up-projected-max"));
    assert_eq!(rig.element.property::<f64>("busy-high"), 0.85, "it stays");
}

/// Matroska cannot change the size of a video: only the rate may change.
#[test]
fn a_muxer_that_refuses_new_sizes_takes_new_rates() {
    let line = |mode: &str| {
        format!(
            "videotestsrc num-buffers=90 ! video/x-raw,width=320,height=180,framerate=30/1 \
             ! qualityswitch name=q auto=false step-mode={mode} ladder=a=320x180@30,b=160x90@10 \
             ! x264enc tune=zerolatency speed-preset=ultrafast ! matroskamux ! fakesink"
        )
    };
    let switch = |pipeline: &Pipeline| {
        let q = pipeline.element("q");
        let pad = q.static_pad("sink").unwrap();
        let names = ["a", "b", "a@10"];
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if info.buffer().unwrap().offset() == 30 {
                let q = pad.parent_element().unwrap();
                names.iter().for_each(|name| q.set_property("level", *name));
            }
            gst::PadProbeReturn::Ok
        });
    };
    let rate = Pipeline::parse(&line("rate"));
    switch(&rate);
    rate.run_to_eos();
    let sent: u64 = stats(&rate.element("q")).get("frames-out").unwrap();
    assert!((50..=51).contains(&sent), "30 and a third of 60: {sent}");
    let both = Pipeline::parse(&line("both"));
    switch(&both);
    both.set_state(gst::State::Playing).unwrap();
    both.wait_for(gst::MessageType::Error);
}

#[test]
fn paced_frames_are_as_many_as_their_time_allows() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true pattern=black ! video/x-raw,width=64,height=36,framerate=100/1 \
         ! qualityswitch name=q preference=paced latency-target=4 sensors=chain ladder=a=64x36@25 \
         ! identity name=work sleep-time=12000 ! fakesink",
    );
    pipeline.play();
    let q = pipeline.element("q");
    let news = pipeline.wait_for_element_message("livetune-quality");
    assert_eq!(
        news.get("framerate"),
        Ok(23.0),
        "two frames a second less: {news}"
    );
    assert_eq!(news.get("reason"), Ok("chain"));
    pipeline.element("work").set_property("sleep-time", 0_u32);
    eventually("one more", LIMIT, || {
        stats(&q).get::<f64>("framerate").unwrap() >= 24.0
    });
}
