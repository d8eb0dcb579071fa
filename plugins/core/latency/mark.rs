//! What a point measured up to one time.

use std::time::Duration;

use super::histogram::{Histogram, Summary};
use super::span::{Counts, Figures, Span};
use crate::time::MediaTime;

/// All figures of a point at one time. Of two, the later one says what came in between: so everybody who asks has
/// intervals of their own.
#[derive(Clone, Debug)]
pub struct Mark {
    pub(super) total: Span,
    pub(super) gaps: Histogram,
    pub(super) counts: Counts,
    pub(super) jitter: Duration,
    /// Until when rates count.
    pub(super) end: MediaTime,
    pub(super) at: MediaTime,
    /// How often the point had been reset.
    pub(super) era: u64,
}

impl Mark {
    /// What came since `earlier`, a mark of the same point; everything where the point was reset in between.
    pub fn since(&self, earlier: &Self) -> Self {
        let nothing_before = earlier.total.opened().is_none();
        if !self.continues(earlier) || nothing_before {
            return self.clone();
        }
        Self {
            total: self.total.since(&earlier.total, earlier.at),
            gaps: self.gaps.since(&earlier.gaps),
            counts: self.counts.since(&earlier.counts),
            end: self.at,
            ..*self
        }
    }

    /// Whether the point was not reset since `earlier`.
    pub const fn continues(&self, earlier: &Self) -> bool {
        self.era == earlier.era
    }

    /// What the buffers came to.
    pub fn figures(&self) -> Figures {
        self.total.figures(self.counts, self.jitter, self.end)
    }

    /// The times between successive frames.
    pub fn gaps(&self) -> Summary {
        self.gaps.summary()
    }

    /// All ages.
    pub const fn ages(&self) -> &Histogram {
        &self.total.age
    }

    /// All transits.
    pub const fn transits(&self) -> &Histogram {
        &self.total.transit
    }
}
