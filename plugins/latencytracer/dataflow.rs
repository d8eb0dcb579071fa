//! The way of buffers and events through the element.

use std::sync::atomic::Ordering;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::Report;
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::capture_meta::{self, Capture};
use super::imp::LatencyTracer;
use super::ntp_stamp;
use super::reading::Reading;
use crate::runtime::clock;

/// What a first tap attaches to a frame.
struct Marks {
    capture: Capture,
    ntp: Option<gst::ClockTime>,
}

impl Marks {
    fn attach(&self, buffer: &mut gst::BufferRef) {
        capture_meta::add(buffer, self.capture);
        if let Some(time) = self.ntp {
            ntp_stamp::add(buffer, time);
        }
    }
}

impl LatencyTracer {
    pub(super) fn chain(
        &self,
        mut buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let (marks, report) = self.measure(&buffer, clock::monotonic());
        if let Some(marks) = marks {
            marks.attach(buffer.make_mut());
        }
        self.announce(report);
        self.srcpad.push(buffer)
    }

    pub(super) fn chain_list(
        &self,
        mut list: gst::BufferList,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let now = clock::monotonic();
        for index in 0..list.len() {
            let Some(buffer) = list.get(index) else {
                continue;
            };
            let (marks, report) = self.measure(buffer, now);
            if let Some(marks) = marks
                && let Some(buffer) = list.make_mut().get_mut(index)
            {
                marks.attach(buffer);
            }
            self.announce(report);
        }
        self.srcpad.push_list(list)
    }

    /// Takes in `buffer`: what to attach to it, and a report where the interval is over.
    fn measure(&self, buffer: &gst::BufferRef, now: MediaTime) -> (Option<Marks>, Option<Report>) {
        let size = ByteCount::new(buffer.size() as u64);
        if let Some(capture) = capture_meta::oldest(buffer) {
            let reading = Reading::since_capture(capture.captured, now);
            let report = self.with_state(|state| state.on_buffer(reading, size, now));
            return (None, report.flatten());
        }
        let stamp = ntp_stamp::oldest(buffer);
        let (running, ntp) = (self.running_time(), clock::ntp());
        let first = self.with_state(|state| {
            let reading = match stamp {
                Some(stamp) => Reading::since_stamp(stamp, ntp),
                None => Reading::age(buffer.pts(), &state.segment, running),
            };
            let marks = Marks {
                capture: state.identify(reading, now),
                ntp: (state.network && stamp.is_none())
                    .then(|| ntp_stamp::before(ntp, reading.latency)),
            };
            (marks, state.on_buffer(reading, size, now))
        });
        first.map_or((None, None), |(marks, report)| (Some(marks), report))
    }

    fn running_time(&self) -> Option<MediaTime> {
        let plays = self.plays.load(Ordering::Acquire);
        plays.then(|| clock::running_time(&*self.obj())).flatten()
    }

    pub(super) fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Segment(segment) => {
                let segment = segment.segment().clone();
                self.with_state(|state| state.segment = segment);
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
