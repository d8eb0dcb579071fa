//! The element alone, between two pads and on a clock that the test owns.

use gst::prelude::*;

const MS: gst::ClockTime = gst::ClockTime::MSECOND;

/// A harness around a `latencytracer` that plays, and the bus that it posts on.
struct Bench {
    harness: gst_check::Harness,
    element: gst::Element,
    bus: gst::Bus,
}

impl Bench {
    fn new() -> Self {
        crate::support::init();
        let element = gst::ElementFactory::make("latencytracer")
            .name("tap")
            .build()
            .unwrap();
        let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        harness.use_testclock();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        harness.set_src_caps_str("video/x-raw");
        Self {
            harness,
            element,
            bus,
        }
    }

    fn stats(&self) -> gst::Structure {
        crate::support::pipeline::stats(&self.element)
    }
}

fn buffer(pts: impl Into<Option<gst::ClockTime>>) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(100).unwrap();
    buffer.get_mut().unwrap().set_pts(pts);
    buffer
}

#[test]
fn the_first_tap_reports_the_age_of_buffers() {
    let mut bench = Bench::new();
    bench.harness.set_time(50 * MS).unwrap();
    bench.harness.push(buffer(20 * MS)).unwrap();
    bench.harness.push_event(gst::event::Eos::new());
    let message = bench.bus.pop_filtered(&[gst::MessageType::Element]).unwrap();
    let structure = message.structure().unwrap();
    assert_eq!(structure.name(), "livetune-latency");
    assert_eq!(structure.get::<u64>("max"), Ok(30_000_000));
    assert_eq!(bench.stats().get::<u64>("unstamped"), Ok(0));
}
