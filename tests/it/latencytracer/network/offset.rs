//! Clocks that do not agree.

use std::time::{SystemTime, UNIX_EPOCH};

use gst::prelude::*;

use super::super::{Bench, buffer};

/// A buffer that was captured `millis` ago at a sender whose clock is that of this machine.
#[expect(clippy::disallowed_methods, reason = "the truth to compare with")]
fn from_network(millis: u64) -> gst::Buffer {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // RFC 5905: NTP counts from 1900.
    let ntp = unix.as_nanos() as u64 + 2_208_988_800 * 1_000_000_000;
    let captured = gst::ClockTime::from_nseconds(ntp - millis * 1_000_000);
    let mut buffer = buffer(gst::ClockTime::ZERO);
    let caps = gst::Caps::new_empty_simple("timestamp/x-ntp");
    let writable = buffer.get_mut().unwrap();
    gst::ReferenceTimestampMeta::add(writable, &caps, captured, None);
    buffer
}

#[test]
fn the_offset_is_added_before_a_time_is_compared() {
    let mut bench = Bench::new("clock-offset=300000000");
    bench.harness.push(from_network(100)).unwrap();
    let late = bench.stat("network-max");
    assert!((400_000_000..420_000_000).contains(&late), "{late} ns");
    assert_eq!(bench.stat("max"), late);
    let stats = crate::support::pipeline::stats(&bench.element);
    assert_eq!(stats.get("clock-offset"), Ok(300_000_000_i64));
}

#[test]
fn a_time_ahead_of_the_clock_is_counted_and_the_offset_can_mend_it_while_playing() {
    let mut bench = Bench::new("clock-offset=-200000000");
    bench.harness.push(from_network(100)).unwrap();
    assert_eq!((bench.stat("negative"), bench.stat("network")), (1, 1));
    assert_eq!(bench.stat("network-max"), 0);
    bench.element.set_property("clock-offset", 0_i64);
    bench.harness.push(from_network(100)).unwrap();
    assert_eq!((bench.stat("negative"), bench.stat("network")), (1, 2));
    let late = bench.stat("network-max");
    assert!((100_000_000..120_000_000).contains(&late), "{late} ns");
}

#[test]
fn the_offset_is_added_before_a_time_is_sent() {
    let mut sender = Bench::new("network=true clock-offset=500000000");
    sender.push_aged(gst::ClockTime::ZERO);
    let sent = sender.harness.pull().unwrap();
    let time = super::super::ntp_stamps(&sent)[0];
    let ahead = i128::from(time.nseconds())
        - i128::from(super::super::ntp_stamps(&from_network(0))[0].nseconds());
    assert!((480_000_000..=500_000_000).contains(&ahead), "{ahead} ns");
}

#[test]
fn hostile_times_are_measured_and_counted() {
    let mut bench = Bench::new("");
    let caps = gst::Caps::new_empty_simple("timestamp/x-ntp");
    for nanos in [1, u64::MAX - 1] {
        let mut buffer = buffer(gst::ClockTime::ZERO);
        let time = gst::ClockTime::from_nseconds(nanos);
        gst::ReferenceTimestampMeta::add(buffer.get_mut().unwrap(), &caps, time, None);
        bench.harness.push(buffer).unwrap();
    }
    assert_eq!((bench.stat("network"), bench.stat("negative")), (2, 1));
}
