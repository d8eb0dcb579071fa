//! What the element knows while it runs.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use livetune_core::latency::{
    Capture, ConfigError, Figures, Point, Sample, SlaChange, SlaMonitor, Source,
};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::place::Place;
use super::reading::Reading;
use super::settings::Settings;
use crate::runtime::clock;
use crate::runtime::telemetry::Registration;

/// What an interval showed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) figures: Option<Figures>,
    pub(super) sla: Option<SlaChange>,
}

/// Born on the way to PAUSED, dropped on the way back.
pub(super) struct State {
    pub(super) point: Point,
    pub(super) sla: SlaMonitor,
    pub(super) segment: gst::Segment,
    pub(super) stage: String,
    /// Attach the capture time as NTP time, for receivers on the network.
    pub(super) network: bool,
    /// The taps before this one; `None`: to be looked for.
    pub(super) before: Option<Vec<Arc<Place>>>,
    origin: u64,
    sequence: u64,
    pub(super) registration: Option<Registration>,
}
