//! What one tap remembers for the taps behind it: when each frame came, and which frame it was.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use livetune_core::latency::{Arrivals, Capture, Recent};
use livetune_core::time::MediaTime;

use super::LatencyTracer;
use crate::runtime::lock::lock;
use crate::runtime::walk::{Step, walk};

/// Where frames pass. Shared with whoever meets them further down.
#[derive(Debug, Default)]
pub(super) struct Place {
    arrivals: Arrivals,
    recent: Mutex<Recent>,
    /// Somebody behind this place met buffers that had lost their frame.
    asked: AtomicBool,
}

impl Place {
    /// `frame` came at `now`; `running` says its running time, where somebody wants to know.
    pub(super) fn on_arrival(
        &self,
        frame: &Capture,
        running: impl FnOnce() -> Option<i64>,
        now: MediaTime,
    ) {
        self.arrivals.on_arrival(frame, now);
        if self.is_asked() {
            let running = running();
            lock(&self.recent).on_arrival(*frame, running);
        }
    }

    /// Whether arrivals should say their running time.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// When `frame` came.
    pub(super) fn find(&self, frame: &Capture) -> Option<MediaTime> {
        self.arrivals.find(frame)
    }

    /// The frame of a buffer that lost it, by its running time, else by order. Nothing is known the first time.
    pub(super) fn guess(&self, running: Option<i64>) -> Option<Capture> {
        if !self.asked.swap(true, Ordering::Relaxed) {
            return None;
        }
        lock(&self.recent).find(running)
    }

    /// The frame whose running time is that of a buffer that lost its frame.
    pub(super) fn guess_by_time(&self, running: i64) -> Option<Capture> {
        self.asked.store(true, Ordering::Relaxed);
        lock(&self.recent).nearest(running)
    }

    /// The frame that came last since somebody asked.
    pub(super) fn newest(&self) -> Option<Capture> {
        self.asked.store(true, Ordering::Relaxed);
        lock(&self.recent).newest().copied()
    }
}

/// The places of the nearest taps that feed `pad`: one on each way.
pub(super) fn before(pad: &gst::Pad) -> Vec<Arc<Place>> {
    taps_before(pad).iter().map(LatencyTracer::place).collect()
}

/// The nearest taps that feed `pad`: one on each way.
pub(super) fn taps_before(pad: &gst::Pad) -> Vec<LatencyTracer> {
    let mut taps = Vec::new();
    walk::<()>(pad, |pad| {
        let element = pad.parent_element();
        match element.and_then(|element| element.downcast::<LatencyTracer>().ok()) {
            Some(tap) => {
                taps.push(tap);
                Step::Around
            }
            None => Step::On,
        }
    });
    taps
}
