//! A pad that takes buffers: when each frame came to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use gst::glib;
use gst::prelude::*;
use livetune_core::latency::Capture;
use livetune_core::time::MediaTime;

use super::numbered::Numbered;
use crate::latencytracer::place::Place;
use crate::runtime::lock::lock;

/// Where frames come to an element. Belongs to those who push into it and those who push out behind it.
#[derive(Debug, Default)]
pub(super) struct Inlet {
    place: Place,
    used: AtomicBool,
    /// Who measures here what comes to an end.
    ends: Mutex<Vec<(u64, Weak<End>)>>,
}

/// Where a path ends: measures from each frame's entry to here.
#[derive(Debug, Default)]
pub(super) struct End(Mutex<Numbered>);

impl End {
    pub(super) fn point(&self) -> &Mutex<Numbered> {
        &self.0
    }
}

impl Inlet {
    /// That of `pad`.
    pub(super) fn of(pad: &gst::Pad) -> Arc<Self> {
        // Two threads may look for it at once.
        static MAKING: Mutex<()> = Mutex::new(());
        let _making = lock(&MAKING);
        // SAFETY: nobody else uses this quark, and the value is a `Weak<Inlet>` that lives as long as the pad.
        let there = unsafe {
            pad.qdata::<Weak<Self>>(quark())
                .map(|weak| weak.as_ref().upgrade())
        };
        if let Some(inlet) = there.flatten() {
            return inlet;
        }
        let inlet = Arc::new(Self::default());
        // SAFETY: as above; a value that was there points to nothing any more, and nobody reads it under our lock.
        unsafe { pad.set_qdata(quark(), Arc::downgrade(&inlet)) };
        inlet
    }

    /// `frame` came at `now`; `running` says its running time, where somebody wants to know.
    pub(super) fn on_arrival(
        &self,
        frame: &Capture,
        running: impl FnOnce() -> Option<i64>,
        now: MediaTime,
    ) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        self.place.on_arrival(frame, running, now);
    }

    /// Whether arrivals should say their running time.
    pub(super) fn is_asked(&self) -> bool {
        self.place.is_asked()
    }

    /// Whether a buffer ever came.
    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// When `frame` came.
    pub(super) fn find(&self, frame: &Capture) -> Option<MediaTime> {
        self.place.find(frame)
    }

    /// What `observer` measures here.
    pub(super) fn end(&self, observer: u64) -> Arc<End> {
        let mut ends = lock(&self.ends);
        ends.retain(|(_, end)| end.strong_count() > 0);
        let there = ends.iter().find(|(id, _)| *id == observer);
        if let Some(end) = there.and_then(|(_, end)| end.upgrade()) {
            return end;
        }
        let end = Arc::new(End::default());
        ends.push((observer, Arc::downgrade(&end)));
        end
    }
}

/// The frame that a buffer is likely to hold which came out of an element with these inlets and is not marked.
///
/// Of the frames with the buffer's running time the one captured first, as where metas are merged. Where there is
/// none, the one that came last.
pub(super) fn guess(inlets: &[Arc<Inlet>], running: Option<i64>) -> Option<Capture> {
    let places = inlets.iter().map(|inlet| &inlet.place);
    let by_time = running.and_then(|running| {
        let near = places
            .clone()
            .filter_map(|place| place.guess_by_time(running));
        near.min_by_key(|frame| frame.captured)
    });
    by_time.or_else(|| {
        let newest = places.filter_map(Place::newest);
        newest.max_by_key(|frame| frame.entry)
    })
}

fn quark() -> glib::Quark {
    static QUARK: std::sync::OnceLock<glib::Quark> = std::sync::OnceLock::new();
    *QUARK.get_or_init(|| glib::Quark::from_str("livetune-inlet"))
}
