//! Messages, stats and telemetry.

use gst::prelude::*;

use super::{Bench, MS, buffer, stat};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const TIMES: [&str; 8] = ["min", "mean", "p50", "p90", "p95", "p99", "max", "sla"];

fn assert_has_the_common_fields(structure: &gst::StructureRef) {
    for field in TIMES.iter().chain(&["count", "violations"]) {
        assert!(
            structure.get::<u64>(*field).is_ok(),
            "{field} of {structure}"
        );
    }
    for field in ["fps", "violation-ratio"] {
        assert!(
            structure.get::<f64>(field).is_ok(),
            "{field} of {structure}"
        );
    }
    assert!(structure.get::<u32>("bitrate").is_ok(), "{structure}");
    assert!(structure.get::<String>("stage").is_ok(), "{structure}");
}

#[test]
fn reports_each_interval_and_the_rest_at_the_end() {
    let line = "videotestsrc is-live=true num-buffers=60 ! video/x-raw,framerate=100/1,format=GRAY8,width=16,height=16 \
                ! latencytracer name=tap stage=here interval=200 ! fakesink";
    let pipeline = Pipeline::parse(line);
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let mut counts = Vec::new();
    let wanted = [
        gst::MessageType::Element,
        gst::MessageType::Eos,
        gst::MessageType::Error,
    ];
    let limit = gst::ClockTime::try_from(LIMIT).unwrap();
    while let Some(message) = bus.timed_pop_filtered(limit, &wanted)
        && message.type_() == gst::MessageType::Element
    {
        let structure = message.structure().unwrap();
        assert_eq!(structure.name(), "livetune-latency");
        assert_eq!(structure.get("stage"), Ok("here"));
        assert_has_the_common_fields(structure);
        counts.push(structure.get::<u64>("count").unwrap());
    }
    assert!((3..=4).contains(&counts.len()), "{counts:?}");
    assert_eq!(counts.iter().sum::<u64>(), 60);
    let stats = stats(&pipeline.element("tap"));
    assert_has_the_common_fields(&stats);
    assert_eq!(stats.get("count"), Ok(60_u64));
    let fps = stats.get::<f64>("fps").unwrap();
    assert!((90.0..110.0).contains(&fps), "{fps} fps");
    let bitrate = f64::from(stats.get::<u32>("bitrate").unwrap());
    let expected = fps * 16.0 * 16.0 * 8.0;
    assert!(
        (bitrate - expected).abs() < 0.01 * expected,
        "{bitrate} bit/s"
    );
}

#[test]
fn without_an_interval_only_the_end_reports() {
    let mut bench = Bench::new("interval=0");
    for age in 1..=100 {
        bench.push_aged(age * MS);
    }
    assert!(bench.message("livetune-latency").is_none());
    bench.harness.push_event(gst::event::Eos::new());
    let report = bench.message("livetune-latency").unwrap();
    assert_eq!(report.get("stage"), Ok("tap"), "the element's name");
    assert_eq!(report.get("count"), Ok(100_u64));
    assert_eq!(report.get("min"), Ok(1_000_000_u64));
    assert_eq!(report.get("mean"), Ok(50_500_000_u64));
    for (field, millis) in [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)] {
        let value = report.get::<u64>(field).unwrap() as f64 / 1e6;
        let (low, high) = (0.99 * f64::from(millis), 1.01 * f64::from(millis));
        assert!((low..=high).contains(&value), "{field} is {value} ms");
    }
    assert_eq!(report.get("max"), Ok(100_000_000_u64));
}

#[test]
fn posts_nothing_where_nobody_wants_it() {
    let mut bench = Bench::new("interval=0 sla=1 post-messages=false");
    bench.push_aged(30 * MS);
    bench.harness.push_event(gst::event::Eos::new());
    assert!(
        bench
            .bus
            .pop_filtered(&[gst::MessageType::Element])
            .is_none()
    );
    assert_eq!(bench.stat("violations"), 1);
}

#[test]
fn says_when_the_limit_breaks_and_when_it_holds_again() {
    let mut bench = Bench::new("interval=1 sla=50");
    let mut wait = |age: gst::ClockTime, state: &str| {
        let mut found = None;
        eventually(state, LIMIT, || {
            bench.push_aged(age);
            found = bench.message("livetune-sla");
            found.is_some()
        });
        let change = found.unwrap();
        assert_eq!(change.get("state"), Ok(state));
        assert_eq!(change.get("stage"), Ok("tap"));
        assert_eq!(change.get("limit"), Ok(50_000_000_u64));
        change.get::<u64>("value").unwrap()
    };
    assert!(wait(60 * MS, "violated") > 50_000_000);
    assert!(wait(20 * MS, "restored") <= 45_000_000);
}

#[test]
fn the_limit_may_be_on_the_way_from_the_tap_before() {
    let line = "videotestsrc is-live=true num-buffers=40 ! video/x-raw,framerate=100/1,format=GRAY8,width=16,height=16 \
                ! identity sleep-time=9000 ! latencytracer sla=5 sla-on=transit \
                ! latencytracer name=quick sla=5 sla-on=transit \
                ! identity sleep-time=8000 ! latencytracer name=slow sla=5 sla-on=transit sla-percentile=50 ! fakesink";
    let pipeline = Pipeline::parse(line);
    pipeline.run_to_eos();
    let violations = ["quick", "slow"].map(|tap| stat(&pipeline.element(tap), "violations"));
    assert!(violations[0] < 10 && violations[1] == 40, "{violations:?}");
}

#[test]
fn settings_take_effect_while_it_plays() {
    let mut bench = Bench::new("");
    bench.push_aged(30 * MS);
    bench.element.set_property("sla", 10_u32);
    bench.push_aged(30 * MS);
    let stats = stats(&bench.element);
    assert_eq!(stats.get("violations"), Ok(1_u64));
    assert_eq!(stats.get("violation-ratio"), Ok(1.0), "since there is one");
    assert_eq!(stats.get("sla"), Ok(10_000_000_u64));
}

#[test]
fn a_restart_begins_anew() {
    let mut bench = Bench::new("");
    bench.push_aged(30 * MS);
    assert_eq!(bench.stat("count"), 1);
    bench.element.set_state(gst::State::Null).unwrap();
    assert_has_the_common_fields(&stats(&bench.element));
    assert_eq!((bench.stat("count"), bench.stat("max")), (0, 0));
    bench.harness.play();
    assert_eq!(bench.stat("count"), 0);
}

#[test]
fn telemetry_tells_the_same_while_it_runs() {
    let line =
        "videotestsrc is-live=true ! latencytracer name=told stage=telemetry sla=1 ! fakesink";
    let pipeline = Pipeline::parse(line);
    pipeline.set_property("name", "telemetry-pipeline");
    pipeline.play();
    let tap = pipeline.element("told");
    eventually("buffers", LIMIT, || stat(&tap, "count") > 2);
    let labels = r#"pipeline="telemetry-pipeline",element="told",stage="telemetry""#;
    let text = gstlivetune::open_metrics();
    for series in [
        r#"latency_seconds_bucket{le="0.02","#,
        "latency_seconds_sum{",
        "latency_seconds_count{",
        "count_total{",
        "violations_total{",
        "unstamped_total{",
        "p99_seconds{",
        "fps{",
        "bitrate_bits_per_second{",
        "violation_ratio{",
    ] {
        let line = format!("livetune_latencytracer_{series}{labels}");
        assert!(text.contains(&line), "{line} is missing in {text}");
    }
    assert!(!text.contains("livetune_latencytracer_stage{"), "a label");
    let ours = || text.lines().filter(|line| line.contains(labels));
    let bounds = ours().filter(|line| line.contains("_latency_seconds_bucket"));
    assert_eq!(bounds.count(), 14);
    let value = |series: &str| {
        let mut lines = ours().filter(|line| line.contains(series));
        lines.next().unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(
        value("latency_seconds_count"),
        value("_latency_seconds_bucket{le=\"+Inf\"")
    );
    assert_eq!(value("latency_seconds_count"), value("_count_total"));
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(!gstlivetune::open_metrics().contains(labels));
}

#[test]
fn a_second_stream_reports_apart_from_the_first() {
    let mut bench = Bench::new("interval=0");
    bench.push_aged(30 * MS);
    bench.harness.push_event(gst::event::Eos::new());
    assert!(bench.message("livetune-latency").is_some());
    bench.harness.push_event(gst::event::FlushStart::new());
    bench.harness.push_event(gst::event::FlushStop::new(true));
    let time = gst::FormattedSegment::<gst::ClockTime>::new();
    bench.harness.push_event(gst::event::Segment::new(&time));
    bench.harness.push(buffer(gst::ClockTime::SECOND)).unwrap();
    bench.harness.push_event(gst::event::Eos::new());
    let second = bench.message("livetune-latency").unwrap();
    assert_eq!(second.get("count"), Ok(1_u64));
    assert_eq!(second.get("max"), Ok(0_u64));
}
