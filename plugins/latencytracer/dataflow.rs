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

/// What to attach to a buffer.
#[derive(Default)]
struct Marks {
    capture: Option<Capture>,
    ntp: Option<gst::ClockTime>,
}

impl Marks {
    fn are_none(&self) -> bool {
        self.capture.is_none() && self.ntp.is_none()
    }

    fn attach(self, buffer: &mut gst::BufferRef) {
        if let Some(capture) = self.capture {
            capture_meta::add(buffer, capture);
        }
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
        if !marks.are_none() {
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
            if !marks.are_none()
                && let Some(buffer) = list.make_mut().get_mut(index)
            {
                marks.attach(buffer);
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
            (capture, state.network, state.on_buffer(reading, size, now))
        });
        let Some((capture, network, report)) = taken else {
            return (Marks::default(), None);
        };
        let unstamped = network && ntp_stamp::oldest(buffer).is_none();
        let ntp = unstamped.then(|| ntp_stamp::before(clock::ntp(), reading.latency));
        (Marks { capture, ntp }, report)
    }

    /// How late a frame is that no tap of this process saw before.
    fn first_reading(&self, buffer: &gst::BufferRef) -> Reading {
        if let Some(stamp) = ntp_stamp::oldest(buffer) {
            return Reading::since_stamp(stamp, clock::ntp());
        }
        let running = self.running_time();
        self.with_state(|state| Reading::age(buffer.pts(), &state.segment, running))
            .unwrap_or(Reading::UNKNOWN)
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
