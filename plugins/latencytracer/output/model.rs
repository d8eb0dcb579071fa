//! What is reported: the stages of each way that frames take, and what they come to together.

use std::fmt;

use livetune_core::latency::{Figures, Histogram, Summary};
use livetune_core::units::Ratio;

/// All that was measured at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) paths: Vec<Path>,
}

/// A way that frames take: from a source to where they end, in stream order.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// Name of the pipeline.
    pub(crate) pipeline: String,
    /// Names of its first and its last element.
    pub(crate) source: String,
    pub(crate) sink: String,
    pub(crate) stages: Vec<Stage>,
    /// At the end: `age`, and as `transit` the way from the source to there.
    pub(crate) end: Stage,
    /// Part of the mean transit to the end that no stage accounts for, in nanoseconds; below zero where stages overlap.
    pub(crate) remainder: i64,
    pub(crate) bottleneck: Option<Bottleneck>,
}

/// One element on the way, or the stretch from one tap to the next.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// One stage of this name is in a pipeline; it may be on several paths.
    pub(crate) name: String,
    /// A queue: its transit is the time that frames wait.
    pub(crate) queue: bool,
    /// How full the queue is.
    pub(crate) fill: Ratio,
    /// Part of the stages' mean transits together.
    pub(crate) share: Ratio,
    /// Of the interval, or since the start.
    pub(crate) figures: Figures,
    /// Times between successive frames, of the interval or since the start.
    pub(crate) gaps: Summary,
    /// Of the interval or since the start, as `figures`.
    pub(crate) histograms: Option<Histograms>,
}

/// For outputs that keep whole distributions.
#[derive(Clone, Debug)]
pub(crate) struct Histograms {
    pub(crate) transit: Histogram,
    pub(crate) age: Histogram,
}

/// The stage that holds frames up most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bottleneck {
    pub(crate) stage: String,
    /// For a person to read.
    pub(crate) reason: String,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.source, self.sink)
    }
}
