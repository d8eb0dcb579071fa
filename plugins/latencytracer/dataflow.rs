//! The way of buffers and events through the element.

use std::sync::atomic::Ordering;
use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::{Capture, Source};
use livetune_core::time::MediaTime;

use super::capture_meta;
use super::imp::LatencyTracer;
use super::ntp_stamp;
use super::place;
use super::reading::Reading;
use super::state::Report;
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

    /// Takes in `buffer`: what to attach to it, and what there is to tell.
    fn measure(&self, buffer: &gst::BufferRef, now: MediaTime) -> (Marks, Report) {
        self.look_for_taps();
        let known = capture_meta::oldest(buffer);
        let stamp = match known {
            Some(_) => None,
            None => ntp_stamp::oldest(buffer),
        };
        let running = known.is_none().then(|| self.running_time()).flatten();
        let taken = self.with_state(|state| {
            let (frame, reading) = match (known, stamp) {
                (Some(frame), _) => state.seen_before(frame, Source::Capture, now),
                (None, Some(stamp)) => {
                    state.first_seen(Reading::since_stamp(stamp, clock::ntp()), now)
                }
                (None, None) => match state.guess(buffer) {
                    Some(frame) => state.seen_before(frame, Source::Inferred, now),
                    None => state.first_seen(state.age(buffer, running), now),
                },
            };
            let report = state.on_buffer(buffer, frame, reading, now);
            (frame, reading, state.network, report)
        });
        let Some((frame, reading, network, report)) = taken else {
            return (Marks::default(), Report::default());
        };
        let unstamped = network && ntp_stamp::oldest(buffer).is_none();
        let marks = Marks {
            capture: known.is_none().then_some(frame),
            ntp: unstamped.then(|| ntp_stamp::before(clock::ntp(), reading.latency)),
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
            gst::EventView::FlushStop(_) => {
                self.with_state(|state| state.segment = gst::Segment::new());
            }
            gst::EventView::Eos(_) => {
                let now = clock::monotonic();
                let report = self.with_state(|state| state.on_end(now));
                self.announce(report.unwrap_or_default());
            }
            gst::EventView::StreamStart(_) => {
                self.relinked.store(true, Ordering::Relaxed);
            }
            _ => (),
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    /// The latency that the whole pipeline plays with: frames that are older come late.
    pub(super) fn src_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        if let gst::EventView::Latency(latency) = event.view() {
            let deadline = Duration::from(latency.latency());
            self.with_state(|state| state.point.set_deadline(Some(deadline)));
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }
}
