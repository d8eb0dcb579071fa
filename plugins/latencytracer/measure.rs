//! What a tap measured up to one time, as a stage of a path.

use livetune_core::latency::{Figures, Histogram, Mark};
use livetune_core::units::Ratio;

use super::output::model::{Histograms, Stage};

/// All figures of a tap at one time.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    /// Name of the stage.
    pub(super) stage: String,
    pub(super) point: Mark,
    /// From the first tap to this one.
    pub(super) way: Histogram,
}

impl Measure {
    /// What came since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let continues = self.point.continues(&earlier.point);
        Self {
            stage: self.stage.clone(),
            point: self.point.since(&earlier.point),
            way: match continues {
                true => self.way.since(&earlier.way),
                false => self.way.clone(),
            },
        }
    }

    /// The stretch from the tap before.
    pub(super) fn to_stage(&self) -> Stage {
        self.stage(self.point.figures(), self.point.transits())
    }

    /// The way from the first tap.
    pub(super) fn to_end(&self) -> Stage {
        let figures = Figures {
            transit: self.way.summary(),
            ..self.point.figures()
        };
        self.stage(figures, &self.way)
    }

    fn stage(&self, figures: Figures, transits: &Histogram) -> Stage {
        Stage {
            name: self.stage.clone(),
            queue: false,
            fill: Ratio::ZERO,
            share: Ratio::ZERO,
            figures,
            gaps: self.point.gaps(),
            histograms: Some(Histograms {
                transit: transits.clone(),
                age: self.point.ages().clone(),
            }),
        }
    }
}
