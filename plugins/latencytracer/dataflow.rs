//! The way of buffers and events through the element.

use std::sync::atomic::Ordering;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::Report;
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::capture_meta::{self, Capture};
use super::imp::LatencyTracer;
use super::network;
use super::reading::Reading;
use crate::runtime::clock;

/// What to attach to a buffer.
#[derive(Default)]
struct Marks {
    capture: Option<Capture>,
    network: network::Marks,
}

impl Marks {
    fn are_none(&self) -> bool {
        self.capture.is_none() && self.network.are_none()
    }

    fn put_on(self, mut buffer: gst::Buffer) -> gst::Buffer {
        if let Some(capture) = self.capture {
            capture_meta::add(buffer.make_mut(), capture);
        }
        self.network.put_on(buffer)
    }
}

/// `list` with `marks` on the buffer at `index`.
fn with_marks(mut list: gst::BufferList, index: usize, marks: Marks) -> gst::BufferList {
    let buffers = list.make_mut();
    if let Some(buffer) = buffers.get_owned(index) {
        buffers.remove(index..index + 1);
        buffers.insert(index, marks.put_on(buffer));
    }
    list
}

impl LatencyTracer {
    pub(super) fn chain(
        &self,
        mut buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.warn(self.network.prepare(&self.srcpad));
        let (marks, report) = self.measure(&buffer, clock::monotonic());
        if !marks.are_none() {
            buffer = marks.put_on(buffer);
        }
        self.announce(report);
        self.srcpad.push(buffer)
    }

    pub(super) fn chain_list(
        &self,
        mut list: gst::BufferList,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.warn(self.network.prepare(&self.srcpad));
        let now = clock::monotonic();
        for index in 0..list.len() {
            let Some(buffer) = list.get(index) else {
                continue;
            };
            let (marks, report) = self.measure(buffer, now);
            if !marks.are_none() {
                list = with_marks(list, index, marks);
            }
            self.announce(report);
        }
        self.srcpad.push_list(list)
    }

    /// Takes in `buffer`: what to attach to it, and a report where the interval is over.
    fn measure(&self, buffer: &gst::BufferRef, now: MediaTime) -> (Marks, Option<Report>) {
        let size = ByteCount::new(buffer.size() as u64);
        let known = capture_meta::oldest(buffer);
        let reading = match known {
            Some(capture) => Reading::since_capture(capture.captured, now),
            None => self.first_reading(buffer),
        };
        let taken = self.with_state(|state| {
            let first = known.is_none();
            let capture = first.then(|| state.identify(reading, now));
            (capture, state.on_buffer(reading, size, now))
        });
        let Some((capture, report)) = taken else {
            return (Marks::default(), None);
        };
        let network = self.network.marks(buffer, reading.latency);
        (Marks { capture, network }, report)
    }

    /// How late a frame is that no tap of this process saw before.
    fn first_reading(&self, buffer: &gst::BufferRef) -> Reading {
        if let Some(reading) = self.network.reading(buffer) {
            return reading;
        }
        let running = self.running_time();
        self.with_state(|state| Reading::age(buffer.pts(), &state.segment, running))
            .unwrap_or(Reading::UNKNOWN)
    }

    fn running_time(&self) -> Option<MediaTime> {
        let plays = self.plays.load(Ordering::Acquire);
        plays.then(|| clock::running_time(&*self.obj())).flatten()
    }

    pub(super) fn src_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Reconfigure {
            self.network.on_reconfigure();
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    pub(super) fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Segment(segment) => {
                let segment = segment.segment().clone();
                self.with_state(|state| state.segment = segment);
            }
            gst::EventView::Caps(caps) => {
                self.warn(self.network.on_caps(caps.caps()));
                self.warn(self.network.prepare(&self.srcpad));
            }
            gst::EventView::FlushStop(_) => {
                self.with_state(|state| state.segment = gst::Segment::new());
            }
            gst::EventView::Eos(_) => {
                let now = clock::monotonic();
                let report = self.with_state(|state| state.meter.on_end(now));
                self.announce(report.flatten());
            }
            _ => (),
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }
}
