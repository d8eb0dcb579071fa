//! The element alone, on a clock that the test owns: what it takes for the age of a buffer.

use gst::prelude::*;

use super::{Bench, MS, buffer, captures, ntp_stamps, stat};
use crate::support::pipeline::Pipeline;

/// Seconds from 1900 to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

fn segment_event(start: gst::ClockTime) -> gst::Event {
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(start);
    gst::event::Segment::new(&segment)
}

#[test]
fn the_first_tap_measures_the_age() {
    let mut bench = Bench::new("");
    bench.harness.set_time(50 * MS).unwrap();
    bench.harness.push(buffer(20 * MS)).unwrap();
    assert_eq!(bench.stat("max"), 30_000_000);
    assert_eq!(bench.stat("unstamped"), 0);
    assert_eq!(captures(&bench.harness.pull().unwrap()), 1);
}

#[test]
fn the_age_follows_the_segment_and_not_the_pts() {
    let mut bench = Bench::new("");
    let hours = 1000 * gst::ClockTime::from_seconds(3600);
    assert!(bench.harness.push_event(segment_event(hours)));
    bench.harness.set_time(50 * MS).unwrap();
    bench.harness.push(buffer(hours + 20 * MS)).unwrap();
    assert_eq!(bench.stat("max"), 30_000_000);
}

#[test]
fn a_flush_forgets_the_segment() {
    let mut bench = Bench::new("");
    bench.push_aged(30 * MS);
    bench.harness.push_event(gst::event::FlushStart::new());
    bench.harness.push_event(gst::event::FlushStop::new(false));
    let start = gst::ClockTime::from_seconds(7);
    assert!(bench.harness.push_event(segment_event(start)));
    bench.harness.push(buffer(start + 960 * MS)).unwrap();
    assert_eq!((bench.stat("count"), bench.stat("max")), (2, 40_000_000));
}

#[test]
fn buffers_that_do_not_say_how_old_they_are_count_as_new() {
    let mut bench = Bench::new("");
    bench.harness.set_time(50 * MS).unwrap();
    bench.harness.push(buffer(None)).unwrap();
    let bytes = gst::FormattedSegment::<gst::format::Bytes>::new();
    assert!(bench.harness.push_event(gst::event::Segment::new(&bytes)));
    bench.harness.push(buffer(20 * MS)).unwrap();
    assert_eq!((bench.stat("unstamped"), bench.stat("max")), (2, 0));
    assert_eq!(captures(&bench.harness.pull().unwrap()), 1);
}

#[test]
fn buffers_ahead_of_the_clock_are_counted() {
    let mut bench = Bench::new("");
    bench.harness.set_time(50 * MS).unwrap();
    bench.harness.push(buffer(80 * MS)).unwrap();
    assert_eq!((bench.stat("negative"), bench.stat("max")), (1, 0));
}

#[test]
fn before_it_plays_no_age_is_made_up() {
    let pipeline = Pipeline::parse("videotestsrc ! latencytracer name=tap ! fakesink sync=true");
    pipeline.set_state(gst::State::Paused).unwrap();
    pipeline.wait_for(gst::MessageType::AsyncDone);
    let tap = pipeline.element("tap");
    assert_eq!((stat(&tap, "count"), stat(&tap, "unstamped")), (1, 1));
    pipeline.play();
    assert!(stat(&tap, "max") < 60_000_000_000, "an age of the clock's");
}

#[test]
fn for_the_network_the_capture_time_is_attached_as_ntp_time() {
    let mut bench = Bench::new("network=true");
    bench.push_aged(500 * MS);
    let stamps = ntp_stamps(&bench.harness.pull().unwrap());
    let unix = gst::glib::real_time() as u64 * 1_000;
    let expected = NTP_TO_UNIX * 1_000_000_000 + unix - 500_000_000;
    assert_eq!(stamps.len(), 1);
    let off = expected.abs_diff(stamps[0].nseconds());
    assert!(off < 200_000_000, "{off} ns off");
    bench.element.set_property("network", false);
    bench.push_aged(500 * MS);
    assert!(ntp_stamps(&bench.harness.pull().unwrap()).is_empty());
}

#[test]
fn a_capture_time_from_the_network_goes_before_the_age() {
    let mut bench = Bench::new("network=true");
    let caps = gst::Caps::new_empty_simple("timestamp/x-ntp");
    let unix = gst::glib::real_time() as u64 * 1_000;
    let now = gst::ClockTime::from_nseconds(NTP_TO_UNIX * 1_000_000_000 + unix);
    let mut push = |times: &[gst::ClockTime]| {
        let mut buffer = buffer(gst::ClockTime::ZERO);
        for time in times {
            let buffer = buffer.get_mut().unwrap();
            gst::ReferenceTimestampMeta::add(buffer, &caps, *time, None);
        }
        bench.harness.push(buffer).unwrap();
        ntp_stamps(&bench.harness.pull().unwrap()).len()
    };
    let second = gst::ClockTime::SECOND;
    assert_eq!(push(&[now - 2 * second, now - 3 * second]), 2, "none added");
    assert_eq!(push(&[now + 1000 * second]), 1);
    assert_eq!(bench.stat("network"), 2);
    assert_eq!(bench.stat("negative"), 1);
    let max = bench.stat("max");
    assert!((3_000_000_000..4_000_000_000).contains(&max), "{max} ns");
    let mut zero = buffer(gst::ClockTime::ZERO);
    let meta = zero.get_mut().unwrap();
    gst::ReferenceTimestampMeta::add(meta, &caps, gst::ClockTime::ZERO, None);
    bench.harness.push(zero).unwrap();
    assert_eq!(bench.stat("network"), 2, "zero is no time");
}
