//! What the element knows while it runs.

use std::hash::{BuildHasher, RandomState};

use livetune_core::latency::{ConfigError, Report, StageMeter};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::capture_meta::Capture;
use super::reading::{Reading, Source};
use super::settings::Settings;
use crate::runtime::telemetry::Registration;

/// Buffers that the histograms alone do not tell of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) unstamped: u64,
    pub(super) negative: u64,
    pub(super) network: u64,
}

/// Born on the way to PAUSED, dropped on the way back.
pub(super) struct State {
    pub(super) meter: StageMeter,
    pub(super) counts: Counts,
    pub(super) segment: gst::Segment,
    pub(super) stage: String,
    origin: u64,
    sequence: u64,
    pub(super) registration: Option<Registration>,
}

impl State {
    pub(super) fn new(settings: &Settings, stage: String) -> Result<Self, ConfigError> {
        Ok(Self {
            meter: StageMeter::new(settings.to_config())?,
            counts: Counts::default(),
            segment: gst::Segment::new(),
            stage,
            // Every new hasher has other keys: a number that no other element or process is likely to have.
            origin: RandomState::new().hash_one(()),
            sequence: 0,
            registration: None,
        })
    }

    /// Goes on with other settings; the stage keeps its name until the next start.
    pub(super) fn retune(&mut self, settings: &Settings) -> Result<(), ConfigError> {
        self.meter.set_config(settings.to_config())
    }

    /// Takes in a buffer of `size`; answers with a report where the interval is over.
    pub(super) fn on_buffer(
        &mut self,
        reading: Reading,
        size: ByteCount,
        now: MediaTime,
    ) -> Option<Report> {
        self.counts.unstamped += u64::from(reading.source == Source::Unknown);
        self.counts.network += u64::from(reading.source == Source::Network);
        self.counts.negative += u64::from(reading.negative);
        self.meter.on_buffer(reading.latency, size, now);
        self.meter.on_timer(now)
    }

    /// The identity of a frame that came at `entry` for the first time.
    pub(super) fn identify(&mut self, reading: Reading, entry: MediaTime) -> Capture {
        let sequence = self.sequence;
        self.sequence += 1;
        Capture {
            origin: self.origin,
            sequence,
            entry,
            captured: entry.before(reading.latency),
        }
    }
}
