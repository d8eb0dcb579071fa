//! What the element knows while it runs.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

use livetune_core::latency::{
    Baseline, Capture, Figures, Histogram, Point, RegressionChange, Sample, SlaChange,
    SlaConfigError, Source,
};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::measure::Measure;
use super::output::Reporter;
use super::place::Place;
use super::reading::Reading;
use super::regression::Regression;
use super::running_time::running_time;
use super::service::{Lateness, Service};
use super::settings::Settings;
use crate::runtime::clock::media_time;
use crate::runtime::telemetry::Registration;

/// What there is to tell after a buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// The interval is over: what it came to.
    pub(super) figures: Option<Figures>,
    pub(super) sla: Option<SlaChange>,
    pub(super) regression: Option<RegressionChange>,
    /// How late frames are, for those upstream who can do something about it.
    pub(super) lateness: Option<Lateness>,
    /// The baseline is complete: where it is to be saved.
    pub(super) baseline: Option<(PathBuf, Baseline)>,
}

impl Report {
    /// `None` where there is nothing to tell, as after most buffers: a report is large.
    #[inline]
    fn boxed(self) -> Option<Box<Self>> {
        let any = self.figures.is_some()
            || self.sla.is_some()
            || self.regression.is_some()
            || self.lateness.is_some()
            || self.baseline.is_some();
        any.then(|| Box::new(self))
    }
}

/// Born on the way to PAUSED, dropped on the way back.
pub(super) struct State {
    pub(super) point: Point,
    pub(super) service: Service,
    pub(super) regression: Regression,
    pub(super) segment: gst::Segment,
    pub(super) stage: String,
    /// From the first tap to here.
    way: Histogram,
    pub(super) reporter: Option<Reporter>,
    /// The nearest taps before this one.
    pub(super) before: Vec<Arc<Place>>,
    place: Arc<Place>,
    origin: u64,
    sequence: u64,
    pub(super) registration: Option<Registration>,
}

impl State {
    pub(super) fn new(
        settings: &Settings,
        stage: String,
        place: Arc<Place>,
    ) -> Result<Self, gst::ErrorMessage> {
        let service = Service::new(settings);
        Ok(Self {
            point: Point::new(settings.interval()),
            service: service
                .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?,
            regression: Regression::new(settings)?,
            segment: gst::Segment::new(),
            stage,
            way: Histogram::new(),
            reporter: None,
            before: Vec::new(),
            place,
            // Every new hasher has other keys: a number that no other element or process is likely to have.
            origin: RandomState::new().hash_one(()),
            sequence: 0,
            registration: None,
        })
    }

    /// Goes on with other settings; the stage keeps its name until the next start.
    pub(super) fn retune(&mut self, settings: &Settings) -> Result<(), SlaConfigError> {
        self.point.set_interval(settings.interval());
        if let Some(reporter) = &self.reporter {
            reporter.set_interval(settings.interval());
        }
        self.service.retune(settings)
    }

    /// The frame that `buffer` is likely to hold, though it does not say so: one that a tap before this one saw.
    pub(super) fn guess(&self, buffer: &gst::BufferRef) -> Option<Capture> {
        let running = running_time(buffer.pts(), &self.segment);
        self.before.iter().find_map(|place| place.guess(running))
    }

    /// A frame that an earlier tap saw.
    pub(super) fn seen_before(
        &self,
        frame: Capture,
        source: Source,
        now: MediaTime,
    ) -> (Capture, Reading) {
        (frame, Reading::since_capture(frame.captured, source, now))
    }

    /// A frame that no tap saw before.
    pub(super) fn first_seen(&mut self, reading: Reading, now: MediaTime) -> (Capture, Reading) {
        (self.identify(reading, now), reading)
    }

    /// How old `buffer` is at the running time `now`.
    pub(super) fn age(&self, buffer: &gst::BufferRef, now: Option<MediaTime>) -> Reading {
        Reading::age(running_time(buffer.pts(), &self.segment), now)
    }

    /// Takes in a buffer of `frame`, and says what there is to tell.
    pub(super) fn on_buffer(
        &mut self,
        buffer: &gst::BufferRef,
        frame: Capture,
        reading: Reading,
        now: MediaTime,
    ) -> Option<Box<Report>> {
        let segment = &self.segment;
        self.place
            .on_arrival(&frame, || running_time(buffer.pts(), segment), now);
        let sample = Sample {
            frame,
            pts: buffer.pts().map(media_time),
            age: reading.latency,
            negative: reading.negative,
            source: reading.source,
            size: ByteCount::new(buffer.size() as u64),
        };
        let arrived = || self.before.iter().find_map(|place| place.find(&frame));
        if let Some(measured) = self.point.on_buffer(&sample, arrived, now) {
            if frame.entry < now {
                self.way.record(now.since(frame.entry));
            }
            self.service.on_frame(&measured, now);
            self.regression.on_frame(&measured, now);
        }
        let report = Report {
            figures: self.point.on_timer(now),
            sla: self.service.on_timer(now),
            regression: self.regression.on_timer(now),
            lateness: self.service.lateness(now),
            baseline: self.regression.unsaved(),
        };
        report.boxed()
    }

    /// All that was measured until `now`.
    pub(super) fn measure(&self, now: MediaTime) -> Measure {
        Measure {
            stage: self.stage.clone(),
            point: self.point.mark(now),
            way: self.way.clone(),
        }
    }

    /// Forgets all figures.
    pub(super) fn reset(&mut self) {
        self.point.reset();
        self.way.clear();
        self.service.reset();
        if let Some(reporter) = &self.reporter {
            reporter.on_reset();
        }
    }

    /// Reports that could not be written.
    pub(super) fn write_errors(&self) -> u64 {
        self.reporter.as_ref().map_or(0, Reporter::write_errors)
    }

    /// The stream ended.
    pub(super) fn on_end(&mut self, now: MediaTime) -> Option<Box<Report>> {
        if let Some(reporter) = &self.reporter {
            reporter.on_end();
        }
        let report = Report {
            figures: self.point.on_end(now),
            sla: self.service.on_end(now),
            ..Report::default()
        };
        report.boxed()
    }

    /// The identity of a frame that came at `entry` for the first time.
    fn identify(&mut self, reading: Reading, entry: MediaTime) -> Capture {
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
