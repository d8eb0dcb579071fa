//! What was promised about the latency: the limit, and on what.

use std::time::Duration;

use livetune_core::latency::{Measured, SlaChange, SlaConfigError, SlaMonitor};
use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::SlaOn;
use super::settings::Settings;

/// So often upstream is told how late frames are: a qualityswitch acts on what lasts half a second.
const TELL: Duration = Duration::from_millis(250);

/// Watches the limit that the user set.
#[derive(Debug)]
pub(super) struct Service {
    on: SlaOn,
    monitor: SlaMonitor,
    /// Of the frames since upstream was told last.
    sum: Duration,
    count: u32,
    told: Option<MediaTime>,
}

/// How late frames were over the last quarter of a second, and how late they may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lateness {
    pub(super) mean: Duration,
    pub(super) limit: Duration,
}

impl Service {
    pub(super) fn new(settings: &Settings) -> Result<Self, SlaConfigError> {
        Ok(Self {
            on: settings.sla_on,
            monitor: SlaMonitor::new(settings.sla())?,
            sum: Duration::ZERO,
            count: 0,
            told: None,
        })
    }

    /// Goes on with other settings; where they cannot work, with the ones before.
    pub(super) fn retune(&mut self, settings: &Settings) -> Result<(), SlaConfigError> {
        self.monitor.set_config(settings.sla())?;
        self.on = settings.sla_on;
        Ok(())
    }

    pub(super) fn on_frame(&mut self, frame: &Measured, now: MediaTime) {
        if let Some(value) = self.on.of(frame) {
            self.monitor.on_value(value, now);
            self.sum = self.sum.saturating_add(value);
            self.count += 1;
        }
    }

    /// What to tell upstream now, where there is a limit.
    pub(super) fn lateness(&mut self, now: MediaTime) -> Option<Lateness> {
        let limit = self.limit();
        let since = *self.told.get_or_insert(now);
        if limit.is_zero() || now.since(since) < TELL {
            return None;
        }
        let mean = self.sum.checked_div(self.count);
        (self.sum, self.count, self.told) = (Duration::ZERO, 0, Some(now));
        Some(Lateness { mean: mean?, limit })
    }

    pub(super) fn on_timer(&mut self, now: MediaTime) -> Option<SlaChange> {
        self.monitor.on_timer(now)
    }

    pub(super) fn on_end(&mut self, now: MediaTime) -> Option<SlaChange> {
        self.monitor.on_end(now)
    }

    /// Counts violations from zero on.
    pub(super) fn reset(&mut self) {
        self.monitor.reset();
    }

    /// Zero where there is none.
    pub(super) fn limit(&self) -> Duration {
        self.monitor.config().limit
    }

    /// Frames over the limit since the start.
    pub(super) fn violations(&self) -> u64 {
        self.monitor.violations()
    }

    /// Part of all frames since the start that were over the limit.
    pub(super) fn total_ratio(&self) -> Ratio {
        self.monitor.total_ratio()
    }

    /// Part of the frames of the window that were over the limit.
    pub(super) fn window_ratio(&self) -> Ratio {
        self.monitor.window_ratio()
    }
}
