//! Watches whether latencies have got worse than a baseline: the stream's own beginning, or one that was recorded.

use std::path::PathBuf;

use livetune_core::latency::{
    Baseline, BaselineSource, Measured, RegressionChange, RegressionConfig, RegressionDetector,
};
use livetune_core::time::MediaTime;

use super::SlaOn;
use super::baseline_file;
use super::settings::Settings;

/// Born with the element's state.
#[derive(Debug)]
pub(super) struct Regression {
    on: SlaOn,
    detector: Option<RegressionDetector>,
    /// Where the baseline goes once it is complete.
    save: Option<PathBuf>,
}

impl Regression {
    /// With the baseline of the file where there is one, else with what the stream will show.
    pub(super) fn new(settings: &Settings) -> Result<Self, gst::ErrorMessage> {
        let file = settings.baseline_file();
        let recorded = match &file {
            Some(path) if path.exists() => Some(baseline_file::read(path)?),
            _ => None,
        };
        let save = file.filter(|_| recorded.is_none());
        let source = match recorded {
            Some(baseline) => Some(BaselineSource::Recorded(baseline)),
            None => settings.baseline().map(BaselineSource::First),
        };
        if save.is_some() && source.is_none() {
            return Err(gst::error_msg!(
                gst::ResourceError::NotFound,
                ("baseline-location names no file: set baseline to the length of the baseline to record")
            ));
        }
        let detector = source.map(|baseline| {
            RegressionDetector::new(RegressionConfig {
                baseline,
                ..RegressionConfig::default()
            })
        });
        let detector = detector
            .transpose()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))?;
        Ok(Self {
            on: settings.sla_on,
            detector,
            save,
        })
    }

    pub(super) fn on_frame(&mut self, frame: &Measured, now: MediaTime) {
        if let Some(detector) = &mut self.detector
            && let Some(value) = self.on.of(frame)
        {
            detector.on_value(value, now);
        }
    }

    pub(super) fn on_timer(&mut self, now: MediaTime) -> Option<RegressionChange> {
        self.detector.as_mut()?.on_timer(now)
    }

    /// The baseline and the file that it is to be saved to: once, when it is complete.
    pub(super) fn unsaved(&mut self) -> Option<(PathBuf, Baseline)> {
        let path = self.save.take_if(|_| {
            let detector = self.detector.as_ref();
            detector.is_some_and(|detector| detector.baseline().is_some())
        })?;
        Some((path, self.detector.as_ref()?.baseline()?.clone()))
    }

    /// Whether latencies are worse than the baseline now.
    pub(super) fn is_worse(&self) -> bool {
        let detector = self.detector.as_ref();
        detector.is_some_and(|detector| detector.regressed().is_some())
    }
}
