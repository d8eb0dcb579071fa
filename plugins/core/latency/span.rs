//! The buffers of one span of time at one place, and what they come to.

use std::time::Duration;

use super::histogram::{Histogram, Summary};
use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

/// Buffers that the histograms alone do not tell of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Buffers, parts of frames among them.
    pub buffers: u64,
    /// Frames that did not come though later ones of their origin did.
    pub lost: u64,
    /// Frames that came again at another time.
    pub duplicated: u64,
    /// Frames that were over 20 ms older than the latency that the pipeline plays with.
    pub late: u64,
    /// Frames that came before their capture time, recorded as not late.
    pub negative: u64,
    /// Frames of unknown age, taken as new.
    pub unstamped: u64,
    /// Frames that lost their identity on the way and were matched by running time or order.
    pub inferred: u64,
    /// Frames whose capture time came over the network.
    pub network: u64,
}

impl Counts {
    /// What was counted since `earlier`.
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            buffers: self.buffers - earlier.buffers,
            lost: self.lost - earlier.lost,
            duplicated: self.duplicated - earlier.duplicated,
            late: self.late - earlier.late,
            negative: self.negative - earlier.negative,
            unstamped: self.unstamped - earlier.unstamped,
            inferred: self.inferred - earlier.inferred,
            network: self.network - earlier.network,
        }
    }
}

/// What the buffers of a span come to. All zero where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// From the capture of each frame to its coming here.
    pub age: Summary,
    /// From each frame's coming to the stage to its coming here; of no frame where the stage's begin is unknown.
    pub transit: Summary,
    /// How much the ages of successive frames differ (RFC 3550, 6.4.1).
    pub jitter: Duration,
    /// Frames per second.
    pub fps: f64,
    /// Data per second.
    pub bitrate: Bitrate,
    /// Buffers and frames by kind.
    pub counts: Counts,
}

/// Collects the buffers of one span.
#[derive(Clone, Debug, Default)]
pub(super) struct Span {
    pub(super) age: Histogram,
    pub(super) transit: Histogram,
    opened: Option<MediaTime>,
    last: MediaTime,
    /// Frames and bytes since the span was opened. The buffer that opens it is in neither: between n buffers lie
    /// n - 1 gaps.
    frames: u64,
    bytes: u64,
}

impl Span {
    /// Takes in a buffer; a `frame` where it is the first of one.
    pub(super) fn on_buffer(&mut self, size: ByteCount, frame: bool, now: MediaTime) {
        self.last = now;
        if self.opened.is_none() {
            self.opened = Some(now);
        } else {
            self.frames += u64::from(frame);
            self.bytes = self.bytes.saturating_add(size.as_u64());
        }
    }

    /// When the first buffer came, or the span before this one was closed.
    pub(super) const fn opened(&self) -> Option<MediaTime> {
        self.opened
    }

    /// When the last buffer came.
    pub(super) const fn last(&self) -> MediaTime {
        self.last
    }

    /// Forgets everything; the next span begins at `opened`, or with the next buffer where that is `None`.
    pub(super) fn restart(&mut self, opened: Option<MediaTime>) {
        self.age.clear();
        self.transit.clear();
        (self.opened, self.frames, self.bytes) = (opened, 0, 0);
    }

    /// The buffers that came after `earlier`, the same span when it was shorter, was looked at.
    pub(super) fn since(&self, earlier: &Self, opened: MediaTime) -> Self {
        Self {
            age: self.age.since(&earlier.age),
            transit: self.transit.since(&earlier.transit),
            opened: Some(opened),
            last: self.last,
            frames: self.frames - earlier.frames,
            bytes: self.bytes - earlier.bytes,
        }
    }

    /// What the buffers come to, with rates over the time until `end`.
    pub(super) fn figures(&self, counts: Counts, jitter: Duration, end: MediaTime) -> Figures {
        let elapsed = self.opened.map_or(Duration::ZERO, |start| end.since(start));
        let fps = match elapsed {
            Duration::ZERO => 0.0,
            elapsed => self.frames as f64 / elapsed.as_secs_f64(),
        };
        Figures {
            age: self.age.summary(),
            transit: self.transit.summary(),
            jitter,
            fps,
            bitrate: Bitrate::from_bytes_over(ByteCount::new(self.bytes), elapsed),
            counts,
        }
    }
}
