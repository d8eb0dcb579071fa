//! What the encoder is told, and when: the target, corrected by what comes out.

use livetune_core::bitrate::{Gain, Progress, QualityLoop, Thinning};
use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, ByteCount};

use super::pace::{Pace, Wish};
use super::{Encoder, Setting};
use crate::runtime::clock;
use crate::runtime::encoder::Change;

/// Drives one encoder, or nobody while there is none.
pub(in super::super) struct Drive {
    progress: Progress,
    /// How far the stream is.
    at: MediaTime,
    pace: Pace,
    change: Change,
    /// How many times the target the encoder is told because it goes by the caps' frame rate; 1 where it does not.
    by_caps: bool,
    thinned: f64,
    thinning: Thinning,
    gain: Gain,
    quality: Option<QualityLoop>,
    next_quality: Option<u32>,
}

/// A buffer that passes.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Frame {
    pub(in super::super) size: ByteCount,
    /// Its time.
    pub(in super::super) at: Option<MediaTime>,
    pub(in super::super) key: bool,
}

impl Frame {
    pub(in super::super) fn of(buffer: &gst::BufferRef) -> Self {
        Self {
            size: ByteCount::new(buffer.size() as u64),
            at: buffer.dts_or_pts().map(clock::media_time),
            key: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
        }
    }
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Next {
    /// The target is taken over.
    pub(in super::super) due: bool,
    /// What to set, where something is.
    pub(in super::super) setting: Option<Setting>,
}

impl Drive {
    pub(in super::super) fn new() -> Self {
        Self {
            progress: Progress::default(),
            at: MediaTime::ZERO,
            pace: Pace::default(),
            change: Change::Live,
            by_caps: false,
            thinned: 1.0,
            thinning: Thinning::new(),
            gain: Gain::new(),
            quality: None,
            next_quality: None,
        }
    }

    /// From now on it is `encoder`, which is told the target even where that did not change.
    pub(in super::super) fn on_encoder(&mut self, encoder: &Encoder) {
        self.pace = Pace::default();
        self.change = encoder.change();
        self.by_caps = encoder.by_caps();
        self.gain = match self.change {
            Change::Restart { .. } => Gain::of_one_that_restarts(),
            Change::Live | Change::Never => Gain::new(),
        };
        self.quality = encoder.quality().map(QualityLoop::new);
        self.next_quality = None;
    }

    /// Buffers of `rate` frames a second follow.
    pub(in super::super) fn on_caps(&mut self, rate: Option<f64>) {
        self.thinning.on_caps(rate);
    }

    /// A `frame` passes `now`, of a stream that is to have the rate `target`.
    pub(in super::super) fn on_buffer(&mut self, frame: Frame, target: Bitrate, now: MediaTime) {
        self.at = self.progress.on_buffer(frame.at, now);
        if let Some(at) = frame.at {
            self.thinning.on_frame(at);
        }
        match &mut self.quality {
            Some(quality) => {
                let target = (!self.pace.is_new()).then_some(target);
                let next = quality.on_output(frame.size, target, self.at);
                self.next_quality = next.or(self.next_quality);
            }
            None => self.gain.on_output(frame.size, frame.key, target, self.at),
        }
    }

    /// What an encoder that knows no rate sends by itself, once it is known.
    pub(in super::super) fn observed(&self) -> Option<Bitrate> {
        self.quality.as_ref()?.observed()
    }

    /// No target was taken over yet.
    pub(in super::super) fn is_new(&self) -> bool {
        self.pace.is_new()
    }

    /// The encoder does not follow what it is told.
    pub(in super::super) fn is_ignored(&self) -> bool {
        self.gain.ignores()
    }

    /// Asks what is to be done for the stream to have the rate `target`.
    pub(in super::super) fn next(&mut self, target: Bitrate, encoder: Option<&Encoder>) -> Next {
        if self.is_ignored() || encoder.is_some_and(Encoder::refuses) {
            return Next::default();
        }
        self.gain.on_target(target);
        let asked = target.scaled(self.share());
        let wish = Wish { target, asked };
        let due = self.pace.is_due(wish, self.change, self.at);
        if self.quality.is_some() {
            let setting = self.next_quality.take().map(Setting::Quality);
            return Next { due, setting };
        }
        if due {
            self.gain.on_told(target, self.gain.factor(), self.at);
        }
        let thinned = self.thinned();
        if due && thinned != self.thinned {
            self.thinned = thinned;
            self.gain.unsettle(self.at);
        }
        let setting = (due && encoder.is_some()).then_some(Setting::Rate(asked));
        Next { due, setting }
    }

    /// How many times the target the encoder is to be told, for it to send the target.
    pub(in super::super) fn share(&self) -> f64 {
        self.thinned() * self.gain.factor()
    }

    /// What the encoder was last told.
    pub(in super::super) fn asked(&self) -> Bitrate {
        self.pace.asked()
    }

    /// The part of that which is the encoder's own.
    pub(in super::super) fn gain(&self) -> f64 {
        self.gain.factor()
    }

    fn thinned(&self) -> f64 {
        if self.by_caps {
            self.thinning.factor()
        } else {
            1.0
        }
    }
}
