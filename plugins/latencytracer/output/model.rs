//! What is reported: the stages of each way that frames take, and what they come to together.

use livetune_core::latency::{Figures, Histogram, Summary};
use livetune_core::units::Ratio;

/// All that was measured at one time.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Snapshot {
    pub(in super::super) paths: Vec<Path>,
}

/// A way that frames take: from a source to where they end, in stream order.
#[derive(Clone, Debug)]
pub(in super::super) struct Path {
    /// Name of the pipeline.
    pub(in super::super) pipeline: String,
    /// Names of its first and its last element.
    pub(in super::super) source: String,
    pub(in super::super) sink: String,
    pub(in super::super) stages: Vec<Stage>,
    /// At the end: `age`, and as `transit` the way from the source to there.
    pub(in super::super) end: Stage,
    /// Part of the mean transit to the end that no stage accounts for, in nanoseconds; below zero where stages overlap.
    pub(in super::super) remainder: i64,
    pub(in super::super) bottleneck: Option<Bottleneck>,
}

/// One element on the way, or the stretch from one tap to the next.
#[derive(Clone, Debug)]
pub(in super::super) struct Stage {
    pub(in super::super) name: String,
    /// A queue: its transit is the time that frames wait.
    pub(in super::super) queue: bool,
    /// How full the queue is.
    pub(in super::super) fill: Ratio,
    /// Part of the stages' mean transits together.
    pub(in super::super) share: Ratio,
    /// Of the interval, or since the start.
    pub(in super::super) figures: Figures,
    /// Times between successive frames since the start.
    pub(in super::super) gaps: Summary,
    /// Of the interval or since the start, as `figures`.
    pub(in super::super) histograms: Option<Histograms>,
}

/// For outputs that keep whole distributions.
#[derive(Clone, Debug)]
pub(in super::super) struct Histograms {
    pub(in super::super) transit: Histogram,
    pub(in super::super) age: Histogram,
}

/// The stage that holds frames up most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Bottleneck {
    pub(in super::super) stage: String,
    /// For a person to read.
    pub(in super::super) reason: String,
}

impl Stage {
    /// A stage that no frame came through.
    pub(in super::super) fn empty(name: String) -> Self {
        Self {
            name,
            queue: false,
            fill: Ratio::ZERO,
            share: Ratio::ZERO,
            figures: Figures::default(),
            gaps: Summary::default(),
            histograms: None,
        }
    }
}
