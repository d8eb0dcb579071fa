//! What is done with a snapshot of figures: text for people, JSON lines, HdrHistogram logs, structures.

mod figures;
mod hlog;
mod json;
pub(crate) mod model;
mod reporter;
#[cfg(test)]
mod sample;
mod structure;
mod table;
mod verdict;
mod writer;

pub(crate) use reporter::{Plan, Reported, Reporter};
pub(crate) use structure::{message, structure};
pub(crate) use writer::Targets;

use livetune_core::time::MediaTime;
use std::time::Duration;

/// Which time figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Since the snapshot of an interval before.
    Interval,
    /// Since the start.
    Total,
}

/// When a report was made, and of which time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion {
    /// Since the Unix epoch.
    pub(crate) time: MediaTime,
    pub(crate) over: Over,
    /// How long that time was.
    pub(crate) length: Duration,
}
