//! Frames and events of renditions on their way through.

use std::sync::PoisonError;
use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::quality::{Encoded, Rendition, Verdict};
use livetune_core::time::MediaTime;

use super::imp::{Inner, Input, Renditions};
use crate::qualityswitch::video;
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// One that knocks has to come in by then.
const PATIENCE: Duration = Duration::from_millis(100);

type Flow = Result<gst::FlowSuccess, gst::FlowError>;

impl Renditions {
    pub(super) fn on_frame(&self, id: Rendition, buffer: gst::Buffer) -> Flow {
        if let Some(owner) = self.owner() {
            owner.imp().on_rendition_frame();
        }
        self.ask_for_key_frame();
        let key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let time = lock(&self.inner).time_of(id, &buffer);
        let frame = Encoded { key, time };
        if !key && !lock(&self.inner).is_current(id, frame) {
            return Ok(gst::FlowSuccess::Ok);
        }
        loop {
            let stream = self.turn(id);
            let now = clock::monotonic();
            let (verdict, progress) = lock(&self.inner).judge(id, frame, now);
            match verdict {
                Verdict::Drop => {
                    self.on_moved();
                    return Ok(gst::FlowSuccess::Ok);
                }
                Verdict::Wait(deadline) => {
                    drop(stream);
                    self.wait(progress, deadline.since(now));
                }
                Verdict::Pass => return self.pass(id, buffer),
                Verdict::PassFrom(earliest) => {
                    let buffer = lock(&self.inner).put_off(id, buffer, earliest);
                    return self.pass(id, buffer);
                }
            }
        }
    }

    /// Frames and events of two renditions must not mix: their threads push one after the other. One that always has
    /// something to push lets in who knocks: the lock itself knows no order.
    fn turn(&self, id: Rendition) -> gst::StreamLock<'_> {
        let mut inner = lock(&self.inner);
        if inner.selector.current() == Some(id) {
            let knocked = |inner: &mut Inner| inner.knocking > 0;
            let waited = self.moved.wait_timeout_while(inner, PATIENCE, knocked);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            return self.src().stream_lock();
        }
        inner.knocking += 1;
        drop(inner);
        let stream = self.src().stream_lock();
        lock(&self.inner).knocking -= 1;
        self.moved.notify_all();
        stream
    }

    /// Until a frame of another rendition went on, or for so long.
    fn wait(&self, progress: u64, limit: Duration) {
        let inner = lock(&self.inner);
        let same = |inner: &mut Inner| inner.progress == progress;
        let waited = self.moved.wait_timeout_while(inner, limit, same);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn on_moved(&self) {
        lock(&self.inner).progress += 1;
        self.moved.notify_all();
    }

    fn pass(&self, id: Rendition, buffer: gst::Buffer) -> Flow {
        let another = lock(&self.inner).told.replace(id) != Some(id);
        if another {
            self.introduce(id);
        }
        let owner = self.owner();
        let flow = match &owner {
            Some(owner) => {
                let now = clock::monotonic();
                owner.imp().measured(now, || self.src().push(buffer))
            }
            None => self.src().push(buffer),
        };
        self.on_moved();
        if let Some(owner) = owner.filter(|_| another) {
            owner.imp().on_rendition_frame();
        }
        flow
    }

    /// Tells downstream what comes with this rendition.
    fn introduce(&self, id: Rendition) {
        let pad = lock(&self.inner).input(id).map(|input| input.pad.clone());
        let Some(pad) = pad else {
            return;
        };
        let mut events = Vec::new();
        pad.sticky_events_foreach(|event| {
            events.push(event.clone());
            std::ops::ControlFlow::Continue(gst::EventForeachAction::Keep)
        });
        let started = self.src().sticky_event::<gst::event::StreamStart>(0);
        for event in events {
            let kind = event.type_();
            let again = kind == gst::EventType::StreamStart && started.is_some();
            if !again && kind != gst::EventType::Eos {
                self.src().push_event(event);
            }
        }
    }

    pub(super) fn on_event(&self, pad: &gst::Pad, id: Rendition, event: gst::Event) -> bool {
        use gst::EventView as View;
        match event.view() {
            View::StreamStart(_) => {
                lock(&self.inner).with(id, |input| input.ended = false);
                return true;
            }
            View::Caps(caps) => {
                let video = video::rendition_of(caps.caps());
                lock(&self.inner).with(id, |input| input.video = video);
                if let Some(owner) = self.owner() {
                    owner.imp().on_renditions();
                }
            }
            View::Segment(segment) => {
                let segment = segment.segment().clone().downcast().unwrap_or_default();
                lock(&self.inner).with(id, |input| input.segment = segment);
            }
            View::Eos(_) => return self.on_end(id, event),
            View::FlushStop(_) => {
                let mut inner = lock(&self.inner);
                inner.selector.on_flush();
                inner.with(id, |input| input.segment = gst::FormattedSegment::new());
            }
            _ => (),
        }
        let passes = lock(&self.inner).selector.current() == Some(id);
        if !passes {
            // What is sticky stays at the pad, and goes on with the rendition.
            return true;
        }
        if !event.is_serialized() {
            return self.src().push_event(event);
        }
        let _stream = pad.parent_element().map(|_| self.src().stream_lock());
        self.src().push_event(event)
    }

    /// The last rendition that ends ends all.
    fn on_end(&self, id: Rendition, event: gst::Event) -> bool {
        let mut inner = lock(&self.inner);
        inner.with(id, |input| input.ended = true);
        let all = inner.inputs.iter().all(|input| input.ended);
        drop(inner);
        self.on_moved();
        !all || self.src().push_event(event)
    }

    pub(super) fn on_upstream_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.type_() {
            gst::EventType::Reconfigure | gst::EventType::Latency | gst::EventType::Seek => {
                gst::Pad::event_default(pad, Some(&*self.obj()), event)
            }
            _ => {
                let current = self.current_pad();
                current.is_some_and(|current| current.push_event(event))
            }
        }
    }
}

impl Inner {
    fn input(&mut self, id: Rendition) -> Option<&mut Input> {
        self.inputs.iter_mut().find(|input| input.id == id)
    }

    fn with(&mut self, id: Rendition, change: impl FnOnce(&mut Input)) {
        if let Some(input) = self.input(id) {
            change(input);
        }
    }

    /// Where `buffer` lies on the pipeline's time axis.
    fn time_of(&mut self, id: Rendition, buffer: &gst::BufferRef) -> Option<MediaTime> {
        let shown = self
            .input(id)?
            .segment
            .to_running_time(buffer.dts_or_pts()?)?;
        Some(clock::media_time(shown))
    }

    /// Whether frames of `id` go on; one that is no key frame and does not is only seen.
    fn is_current(&mut self, id: Rendition, frame: Encoded) -> bool {
        let current = self.selector.current() == Some(id);
        if !current {
            self.selector.on_frame(id, frame, clock::monotonic());
        }
        current
    }

    fn judge(&mut self, id: Rendition, frame: Encoded, now: MediaTime) -> (Verdict, u64) {
        (self.selector.on_frame(id, frame, now), self.progress)
    }

    /// `buffer` with a time that is not before `earliest`.
    fn put_off(
        &mut self,
        id: Rendition,
        mut buffer: gst::Buffer,
        earliest: MediaTime,
    ) -> gst::Buffer {
        let at = gst::ClockTime::from_nseconds(earliest.as_nanos());
        let at = self
            .input(id)
            .and_then(|input| input.segment.position_from_running_time(at));
        let timed = buffer.make_mut();
        if timed.dts().is_some() {
            timed.set_dts(at.max(timed.dts()));
        }
        if timed.pts().is_some() {
            timed.set_pts(at.max(timed.pts()));
        }
        buffer
    }
}
