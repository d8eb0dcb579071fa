//! Events and queries on their way through.

use gst::prelude::*;

use super::rig::{CAMERA, Rig, SECOND, SIZES};
use crate::support::pipeline::Pipeline;

#[test]
fn a_flush_starts_the_rate_over_and_frames_go_on() {
    let mut rig = Rig::at_level(CAMERA, "ultra-low");
    rig.push(0);
    rig.push(1);
    assert_eq!(rig.pulled().len(), 1);
    assert!(rig.harness.push_event(gst::event::FlushStart::new()));
    assert!(rig.harness.push_event(gst::event::FlushStop::new(true)));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(rig.harness.push_event(gst::event::Segment::new(&segment)));
    rig.push(2);
    assert_eq!(rig.pulled(), [Some(2 * SECOND / 30)]);
    rig.push(3);
    assert_eq!(rig.pulled(), []);
    assert_eq!(rig.size(), (426, 240));
}

#[test]
fn a_segment_starts_the_rate_over() {
    let mut rig = Rig::at_level(CAMERA, "ultra-low");
    rig.push(0);
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_nseconds(SECOND / 30));
    segment.set_base(gst::ClockTime::from_nseconds(SECOND / 30));
    assert!(rig.harness.push_event(gst::event::Segment::new(&segment)));
    rig.push(1);
    rig.push(2);
    assert_eq!(rig.pulled(), [Some(0), Some(SECOND / 30)]);
}

#[test]
fn the_rate_is_that_of_the_time_in_which_frames_are_shown() {
    let mut rig = Rig::at_level(CAMERA, "ultra-low");
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_rate(0.5);
    assert!(rig.harness.push_event(gst::event::Segment::new(&segment)));
    (0..30).for_each(|number| rig.push(number));
    assert_eq!(rig.pulled().len(), 30);
}

#[test]
fn gaps_and_the_end_pass() {
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    let gap = gst::event::Gap::new(gst::ClockTime::from_nseconds(SECOND / 30), None);
    assert!(rig.harness.push_event(gap));
    assert!(rig.harness.push_event(gst::event::Eos::new()));
    let events = std::iter::from_fn(|| rig.harness.try_pull_event());
    let kinds: Vec<_> = events.map(|event| event.type_()).collect();
    let order = [
        gst::EventType::StreamStart,
        gst::EventType::Caps,
        gst::EventType::Segment,
        gst::EventType::Gap,
        gst::EventType::Eos,
    ];
    assert_eq!(kinds, order);
}

#[test]
fn no_latency_is_added() {
    let mut rig = Rig::at_level(CAMERA, "low");
    let camera = gst::ClockTime::from_mseconds(33);
    rig.harness.set_upstream_latency(camera);
    rig.push(0);
    assert_eq!(rig.harness.query_latency(), Some(camera));
}

#[test]
fn upstream_negotiates_only_where_copying_begins_or_ends() {
    let mut rig = Rig::new(CAMERA, &[("auto", "false"), ("ladder", SIZES)]);
    rig.push(0);
    let told = |rig: &mut Rig, level: &str| {
        while rig.harness.try_pull_upstream_event().is_some() {}
        rig.set_level(level);
        rig.push(1);
        let events = std::iter::from_fn(|| rig.harness.try_pull_upstream_event());
        events
            .filter(|event| event.type_() == gst::EventType::Reconfigure)
            .count()
    };
    assert!(told(&mut rig, "middle") > 0);
    assert_eq!(told(&mut rig, "small"), 0);
    assert_eq!(told(&mut rig, "middle"), 0);
    assert!(told(&mut rig, "large") > 0);
}

#[test]
fn a_free_source_keeps_its_size_over_all_levels() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! identity name=before ! qualityswitch name=q auto=false \
         ladder=a=320x240@30,b=160x120@30,c=80x60@30 ! fakesink",
    );
    pipeline.play();
    let before = pipeline.element("before").static_pad("src").unwrap();
    let width = |pad: &gst::Pad| {
        let caps = pad.current_caps()?;
        caps.structure(0)?.get::<i32>("width").ok()
    };
    let after = pipeline.element("q").static_pad("src").unwrap();
    for (level, expected) in [("b", 160), ("c", 80), ("a", 320), ("c", 80)] {
        pipeline.element("q").set_property("level", level);
        let limit = crate::support::pipeline::LIMIT;
        crate::support::wait::eventually(level, limit, || width(&after) == Some(expected));
        assert_eq!(width(&before), Some(320), "{level}");
    }
}

#[test]
fn upstream_may_send_any_size_that_can_be_scaled() {
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    let sink = rig.element.static_pad("sink").unwrap();
    let asked = "video/x-raw,format=I420,width=[1,4096],height=[1,4096]";
    let asked: gst::Caps = asked.parse().unwrap();
    assert_eq!(sink.query_caps(Some(&asked)), asked);
    let audio: gst::Caps = "audio/x-raw".parse().unwrap();
    assert!(sink.query_caps(Some(&audio)).is_empty());
    rig.harness
        .set_sink_caps_str("video/x-raw,format=NV12,width=640,height=360");
    let taken = sink.query_caps(None);
    let expected = "video/x-raw,format=NV12,width=640,height=360; video/x-raw,format=NV12";
    assert_eq!(taken, expected.parse::<gst::Caps>().unwrap());
    rig.harness
        .set_sink_caps_str("video/x-raw(ANY),format=NV12,width=640");
    assert!(
        sink.query_accept_caps(
            &"video/x-raw,format=NV12,width=1280,height=720,framerate=30/1"
                .parse::<gst::Caps>()
                .unwrap()
        )
    );
}
