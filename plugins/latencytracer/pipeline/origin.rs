//! The times of a buffer that nobody marked, from its pad and the clock of its element.

use gst::prelude::*;
use livetune_core::latency::Capture;
use livetune_core::time::MediaTime;

use crate::latencytracer::reading::Reading;
use crate::latencytracer::running_time::running_time;
use crate::runtime::clock;

/// Gives the frames of one source their numbers.
#[derive(Debug)]
pub(super) struct Origin {
    id: u64,
    sequence: u64,
    base_time: Option<gst::ClockTime>,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            id: fresh(),
            sequence: 0,
            base_time: None,
        }
    }
}

impl Origin {
    /// The source may have been started anew, with another base time: what comes is no sequel to what came.
    pub(super) fn on_base_time(&mut self, base_time: Option<gst::ClockTime>) {
        if self.base_time != base_time {
            *self = Self {
                base_time,
                ..Self::default()
            };
        }
    }

    /// The frame of a buffer that is as old as `reading` says.
    pub(super) fn identify(&mut self, reading: Reading, now: MediaTime) -> Capture {
        let sequence = self.sequence;
        self.sequence += 1;
        Capture {
            origin: self.id,
            sequence,
            entry: now,
            captured: now.before(reading.latency),
        }
    }
}

/// A number that no other source is likely to have, in this process or another.
fn fresh() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

/// The running time of a buffer with this `pts` that leaves `pad`.
pub(super) fn running(pad: &gst::Pad, pts: Option<gst::ClockTime>) -> Option<i64> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    running_time(pts, event.segment())
}

/// How old a buffer with this running time is that leaves `element` now.
pub(super) fn reading(element: Option<&gst::Element>, running: Option<i64>) -> Reading {
    let playing = element.filter(|element| plays(element));
    Reading::age(running, playing.and_then(clock::running_time))
}

/// Before PLAYING the base time is not that of the clock, and a running time would be nonsense.
fn plays(element: &gst::Element) -> bool {
    // SAFETY: two numbers of a valid element. They are read as GStreamer itself reads them, while they may change.
    let (current, next) = unsafe {
        let raw = element.as_ptr();
        (
            (&raw const (*raw).current_state).read_volatile(),
            (&raw const (*raw).next_state).read_volatile(),
        )
    };
    [current, next].contains(&gst::ffi::GST_STATE_PLAYING)
}
