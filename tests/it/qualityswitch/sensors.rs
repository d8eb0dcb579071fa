//! What elements behind say, one word at a time: frames are pushed by the test, nothing depends on its speed.

use gst::prelude::*;

use super::rig::{CAMERA, Rig, load, target};
use crate::support::pipeline::{LIMIT, stats};

/// Nothing waits: one word is enough.
const AT_ONCE: [(&str, &str); 3] = [
    ("down-hold", "0"),
    ("settle", "0"),
    ("sensors", "latency+qos"),
];

fn rig(more: &[(&str, &str)]) -> Rig {
    let properties: Vec<_> = AT_ONCE.iter().chain(more).copied().collect();
    Rig::new(CAMERA, &properties)
}

#[test]
fn latency_over_its_target_presses_the_level_down() {
    let mut rig = rig(&[]);
    rig.push(0);
    assert_eq!(rig.level().as_deref(), Some("high"));
    rig.harness.push_upstream_event(load(90, 60));
    rig.harness.push_upstream_event(load(90, 60));
    rig.push(2);
    let news = rig.news().unwrap();
    assert_eq!(news.get("reason"), Ok("latency"));
    assert_eq!(news.get("previous"), Ok("high"));
    assert!(news.get::<f64>("load").is_ok() && news.get::<&str>("load-state").is_ok());
}

#[test]
fn latency_within_its_target_is_no_load() {
    let mut rig = rig(&[]);
    rig.push(0);
    rig.harness.push_upstream_event(load(50, 60));
    rig.harness.push_upstream_event(load(50, 60));
    rig.push(1);
    assert_eq!(rig.news(), None);
    assert_eq!(stats(&rig.element).get("load-state"), Ok("elevated"));
    assert_eq!(stats(&rig.element).get("load-sensor"), Ok("latency"));
}

#[test]
fn the_users_target_counts_before_that_of_the_event() {
    for (target, of_event, moves) in [("2000", 60, false), ("100", 0, true), ("100", 5_000, true)] {
        let mut rig = rig(&[("latency-target", target)]);
        rig.push(0);
        rig.harness.push_upstream_event(load(900, of_event));
        rig.harness.push_upstream_event(load(900, of_event));
        rig.push(1);
        assert_eq!(rig.news().is_some(), moves, "{target} and {of_event}");
    }
}

#[test]
fn each_sensor_can_be_switched_off() {
    for (sensors, moved) in [
        ("latency", true),
        ("network", false),
        ("chain+queue+gpu", false),
    ] {
        let mut rig = rig(&[("sensors", sensors)]);
        rig.push(0);
        rig.harness.push_upstream_event(load(500, 60));
        rig.harness.push_upstream_event(load(500, 60));
        rig.push(1);
        assert_eq!(rig.news().is_some(), moved, "{sensors}");
    }
    let mut rig = rig(&[("sensors", "latency")]);
    rig.push(0);
    rig.harness.push_upstream_event(target(100));
    rig.push(1);
    assert_eq!(rig.news(), None, "the network was switched off");
}

#[test]
fn qos_of_a_live_stream_presses_the_level_down() {
    let mut rig = rig(&[]);
    let start = gst::get_timestamp();
    let qos = gst::event::Qos::builder(gst::QOSType::Underflow, 1.8, 40_000_000)
        .timestamp(gst::ClockTime::ZERO)
        .build();
    // Whether the stream is live is known when somebody has looked around.
    for number in 0.. {
        rig.harness.push_upstream_event(qos.clone());
        rig.push(number);
        if let Some(news) = rig.news() {
            assert_eq!(news.get("reason"), Ok("qos"));
            return;
        }
        let waited = gst::get_timestamp() - start;
        assert!(waited.nseconds() < LIMIT.as_nanos() as u64, "no step down");
    }
}

#[test]
fn a_change_is_signalled_with_both_levels_and_the_reason() {
    let mut rig = rig(&[]);
    let (tell, told) = std::sync::mpsc::channel();
    rig.element.connect("level-changed", false, move |values| {
        let word = |at: usize| values[at].get::<String>().unwrap();
        tell.send([word(1), word(2), word(3)]).unwrap();
        None
    });
    rig.push(0);
    assert!(told.try_recv().is_err(), "the start is no change");
    rig.harness.push_upstream_event(load(70, 60));
    rig.harness.push_upstream_event(load(70, 60));
    rig.push(1);
    let [before, now, reason] = told.try_recv().unwrap();
    assert_eq!((before.as_str(), reason.as_str()), ("high", "latency"));
    assert_eq!(Some(now), rig.level());
}

#[test]
fn times_and_reasons_are_in_stats_and_telemetry() {
    let mut rig = Rig::at_level(CAMERA, "high");
    rig.push(0);
    rig.set_level("low");
    rig.push(1);
    rig.set_level("high");
    rig.push(2);
    let stats = stats(&rig.element);
    let switches: gst::Structure = stats.get("switches-by-reason").unwrap();
    assert_eq!(switches.get("manual"), Ok(2_u64));
    let times: gst::Structure = stats.get("time-at-level").unwrap();
    assert!(times.get::<u64>("low").unwrap() > 0 && !times.has_field("medium"));
    let reasons: gst::Structure = stats.get("time-by-reason").unwrap();
    assert!(reasons.get::<u64>("manual").unwrap() > 0 && reasons.get::<u64>("none").is_ok());
    let name = rig.element.name();
    let text = gstlivetune::open_metrics();
    let own = |metric: &str, value: &str| {
        text.lines().any(|line| {
            line.starts_with(metric)
                && line.contains(&format!("element=\"{name}\""))
                && line.contains(&format!("value=\"{value}\""))
        })
    };
    assert!(
        own("livetune_qualityswitch_time_at_level_seconds", "low"),
        "{text}"
    );
    assert!(
        own("livetune_qualityswitch_switches_by_reason_total", "manual"),
        "{text}"
    );
}
