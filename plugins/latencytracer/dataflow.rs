//! The way of buffers and events through the element.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::{Capture, Source};
use livetune_core::time::MediaTime;

use super::capture_meta;
use super::imp::LatencyTracer;
use super::network;
use super::place;
use super::state::Report;
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

    /// Takes in `buffer`: what to attach to it, and what there is to tell.
    fn measure(&self, buffer: &gst::BufferRef, now: MediaTime) -> (Marks, Option<Box<Report>>) {
        self.look_for_taps();
        let known = capture_meta::of(buffer);
        let came = match known {
            Some(_) => None,
            None => self.network.reading(buffer),
        };
        let running = known.is_none().then(|| self.running_time()).flatten();
        let taken = self.with_state(|state| {
            let (frame, reading) = match (known, came) {
                (Some(frame), _) => state.seen_before(frame, Source::Capture, now),
                (None, Some(reading)) => state.first_seen(reading, now),
                (None, None) => match state.guess(buffer) {
                    Some(frame) => state.seen_before(frame, Source::Inferred, now),
                    None => state.first_seen(state.age(buffer, running), now),
                },
            };
            let report = state.on_buffer(buffer, frame, reading, now);
            (frame, reading, report)
        });
        let Some((frame, reading, report)) = taken else {
            return (Marks::default(), None);
        };
        let marks = Marks {
            capture: known.is_none().then_some(frame),
            network: self.network.marks(buffer, reading.latency),
        };
        (marks, report)
    }

    /// Looks for the taps before this one, where they may have changed.
    fn look_for_taps(&self) {
        if self.relinked.load(Ordering::Relaxed) {
            self.relinked.store(false, Ordering::Relaxed);
            let before = place::before(&self.sinkpad);
            self.with_state(|state| state.before = before);
        }
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
                self.relinked.store(true, Ordering::Relaxed);
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
                let report = self.with_state(|state| state.on_end(now));
                self.announce(report.flatten());
            }
            gst::EventView::StreamStart(_) => {
                self.relinked.store(true, Ordering::Relaxed);
            }
            _ => (),
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    /// A latency event brings the one that the whole pipeline plays with: frames that are older come late.
    pub(super) fn src_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Latency(latency) => {
                let deadline = Duration::from(latency.latency());
                self.with_state(|state| state.point.set_deadline(Some(deadline)));
            }
            gst::EventView::Reconfigure(_) => self.network.on_reconfigure(),
            _ => (),
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }
}
