//! latencytracer: what it measures, what it reports, what it leaves alone.

mod accuracy;
mod bad_input;
mod cost;
mod element;
mod network;
mod output;
mod passthrough;
mod programs;
mod regression;
mod reports;
mod stages;
mod tracer;

use gst::prelude::*;

const MS: gst::ClockTime = gst::ClockTime::MSECOND;

/// A harness around a `latencytracer` that plays, and the bus that it posts on.
struct Bench {
    harness: gst_check::Harness,
    element: gst::Element,
    bus: gst::Bus,
}

impl Bench {
    /// With the `settings` of a gst-launch line.
    fn new(settings: &str) -> Self {
        crate::support::init();
        let line = format!("latencytracer name=tap {settings}");
        let bin = gst::parse::launch(&line).unwrap();
        let mut harness = gst_check::Harness::with_element(&bin, Some("sink"), Some("src"));
        harness.use_testclock();
        let bus = gst::Bus::new();
        bin.set_bus(Some(&bus));
        harness.set_src_caps_str("video/x-raw");
        Self {
            harness,
            element: bin,
            bus,
        }
    }

    /// Sends a buffer that was captured `age` ago.
    fn push_aged(&mut self, age: gst::ClockTime) {
        let now = gst::ClockTime::SECOND;
        self.harness.set_time(now).unwrap();
        self.harness.push(buffer(now - age)).unwrap();
    }

    /// A number of the element's `stats`.
    fn stat(&self, field: &str) -> u64 {
        stat(&self.element, field)
    }

    /// The next message called `name`, where there is one.
    fn message(&self, name: &str) -> Option<gst::Structure> {
        let messages = self.bus.iter_filtered(&[gst::MessageType::Element]);
        let mut structures = messages.filter_map(|m| m.structure().map(ToOwned::to_owned));
        structures.find(|structure| structure.name() == name)
    }
}

fn stat(element: &gst::Element, field: &str) -> u64 {
    crate::support::pipeline::stats(element).get(field).unwrap()
}

fn buffer(pts: impl Into<Option<gst::ClockTime>>) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(100).unwrap();
    buffer.get_mut().unwrap().set_pts(pts);
    buffer
}

/// How many capture metas are on `buffer`.
fn captures(buffer: &gst::BufferRef) -> usize {
    let metas = buffer.iter_meta::<gst::Meta>();
    let captures = metas.filter(|meta| meta.api().name() == "LiveTuneCaptureMetaAPI");
    captures.count()
}

/// The NTP times on `buffer`.
fn ntp_stamps(buffer: &gst::BufferRef) -> Vec<gst::ClockTime> {
    let stamps = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    let ntp = stamps.filter(|stamp| stamp.reference().to_string() == "timestamp/x-ntp");
    ntp.map(|stamp| stamp.timestamp()).collect()
}
