//! A pad that pushes: measures what leaves its element, and tells the next element what comes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use livetune_core::latency::{Capture, Mark, Sample, Source};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::inlet::{End, guess};
use super::numbered::Numbered;
use super::origin::{self, Origin};
use super::route::{Route, begins};
use crate::latencytracer::capture_meta;
use crate::latencytracer::reading::Reading;
use crate::runtime::clock::media_time;
use crate::runtime::lock::lock;

/// Stays with its pad. One lock for each buffer, and that of the end where the way ends behind it.
#[derive(Debug)]
pub(in crate::latencytracer) struct Outlet {
    pad: glib::WeakRef<gst::Pad>,
    /// Who measures: ends of paths are apart for each.
    observer: u64,
    hot: Mutex<Hot>,
}

#[derive(Debug, Default)]
struct Hot {
    route: Route,
    point: Numbered,
    origin: Origin,
}

/// What the element did to a buffer without a mark.
struct Found {
    frame: Capture,
    reading: Reading,
}

impl Outlet {
    pub(in crate::latencytracer) fn new(pad: &gst::Pad, observer: u64) -> Self {
        Self {
            pad: pad.downgrade(),
            observer,
            hot: Mutex::default(),
        }
    }

    /// `buffer` is pushed at `now`. Answers with the frame to mark it with, where it is not marked.
    #[inline]
    pub(in crate::latencytracer) fn on_buffer(
        &self,
        buffer: &gst::BufferRef,
        now: MediaTime,
    ) -> Option<Capture> {
        match capture_meta::of(buffer) {
            Some(frame) => {
                let age = now.since(frame.captured);
                let reading = Reading {
                    latency: age,
                    source: Source::Capture,
                    negative: frame.captured > now,
                };
                self.pass(buffer, &Found { frame, reading }, now);
                None
            }
            None => self.on_unmarked(buffer, now),
        }
    }

    /// The frame of which `on_buffer` said that it wants a mark did not get it: somebody else holds its buffer too.
    pub(in crate::latencytracer) fn on_mark_refused(&self) {
        lock(&self.hot).point.point.on_unmarked();
    }

    fn pass(&self, buffer: &gst::BufferRef, found: &Found, now: MediaTime) {
        let sample = Sample {
            frame: found.frame,
            pts: buffer.pts().map(media_time),
            age: found.reading.latency,
            negative: found.reading.negative,
            source: found.reading.source,
            size: ByteCount::new(buffer.size() as u64),
        };
        let frame = &sample.frame;
        let asking = {
            let mut hot = lock(&self.hot);
            if !hot.route.is_current() {
                drop(hot);
                hot = self.look_around();
            }
            let Hot { route, point, .. } = &mut *hot;
            if route.aside {
                return;
            }
            point.point.on_buffer(&sample, || route.arrived(frame), now);
            if let Some(end) = &route.end {
                lock(end.point())
                    .point
                    .on_buffer(&sample, || Some(frame.entry), now);
            }
            match &route.ahead {
                Some(ahead) if ahead.is_asked() => Some(ahead.clone()),
                Some(ahead) => {
                    ahead.on_arrival(frame, || None, now);
                    None
                }
                None => None,
            }
        };
        if let Some(ahead) = asking {
            let running = || origin::running(&self.pad.upgrade()?, buffer.pts());
            ahead.on_arrival(frame, running, now);
        }
    }

    /// A buffer that begins here, or whose mark the element lost.
    #[cold]
    fn on_unmarked(&self, buffer: &gst::BufferRef, now: MediaTime) -> Option<Capture> {
        let pad = self.pad.upgrade()?;
        let inlets = {
            let mut hot = lock(&self.hot);
            if !hot.route.is_current() {
                drop(hot);
                hot = self.look_around();
            }
            if hot.route.aside {
                return None;
            }
            hot.route.inlets.clone()
        };
        let running = origin::running(&pad, buffer.pts());
        let known = match begins(&inlets) {
            true => None,
            false => guess(&inlets, running),
        };
        let found = match known {
            Some(frame) => Found {
                frame,
                reading: Reading::since_capture(frame.captured, Source::Inferred, now),
            },
            None => {
                let reading = origin::reading(pad.parent_element().as_ref(), running);
                let mut hot = lock(&self.hot);
                let frame = hot.origin.identify(reading, now);
                Found { frame, reading }
            }
        };
        self.pass(buffer, &found, now);
        Some(found.frame)
    }

    /// The pipeline plays with this latency: frames that are older come late.
    pub(in crate::latencytracer) fn on_latency(&self, latency: Duration) {
        let mut hot = lock(&self.hot);
        if !hot.route.is_current() {
            drop(hot);
            hot = self.look_around();
        }
        hot.point.point.set_deadline(Some(latency));
        if let Some(end) = &hot.route.end {
            lock(end.point()).point.set_deadline(Some(latency));
        }
    }

    /// Looks up the route anew, outside of the lock, and answers with the lock.
    #[cold]
    fn look_around(&self) -> std::sync::MutexGuard<'_, Hot> {
        let route = self.pad.upgrade().map(|pad| Route::of(&pad, self.observer));
        let mut hot = lock(&self.hot);
        if let Some(route) = route {
            hot.origin.on_base_time(route.base_time);
            hot.route = route;
        }
        hot
    }

    /// Whether a buffer was pushed.
    pub(super) fn is_used(&self) -> bool {
        lock(&self.hot).point.point.buffers() > 0
    }

    /// Whether frames begin here.
    pub(super) fn begins(&self) -> bool {
        let inlets = lock(&self.hot).route.inlets.clone();
        begins(&inlets)
    }

    /// Where the way of frames ends behind this pad.
    pub(super) fn end(&self) -> Option<Arc<End>> {
        lock(&self.hot).route.end.clone()
    }

    /// What was measured until `now`; where it is `over`, what has not come counts as lost.
    pub(super) fn mark(&self, over: bool, now: MediaTime) -> (u64, Mark) {
        lock(&self.hot).point.mark(over, now)
    }

    /// Forgets all that was measured.
    pub(in crate::latencytracer) fn reset(&self) {
        let end = {
            let mut hot = lock(&self.hot);
            hot.point.point.reset();
            hot.route.end.clone()
        };
        if let Some(end) = end {
            lock(end.point()).point.reset();
        }
    }
}
