//! A way as it is reported: its stages, with what was measured at each.

use std::collections::HashMap;

use livetune_core::latency::{Figures, Mark, Summary};
use livetune_core::units::Ratio;

use super::survey::Seen;
use crate::latencytracer::output::model::{Histograms, Path, Stage};

/// `way` in `pipeline`, with what its points `measured`.
pub(super) fn path(pipeline: &str, way: &Seen, measured: &HashMap<u64, Mark>) -> Path {
    let hops = way.hops.iter();
    let end = stage(&way.sink, None, way.end.and_then(|end| measured.get(&end)));
    let came = end.figures.transit.count > 0;
    let path = Path {
        pipeline: pipeline.to_owned(),
        source: way.source.clone(),
        sink: way.sink.clone(),
        stages: hops
            .map(|hop| stage(&hop.name, hop.fill, measured.get(&hop.point)))
            .collect(),
        end,
        remainder: 0,
        bottleneck: None,
    };
    let path = path.broken_down();
    Path {
        // Of what never came to the end nothing remains.
        remainder: if came { path.remainder } else { 0 },
        ..path
    }
}

fn stage(name: &str, fill: Option<Ratio>, mark: Option<&Mark>) -> Stage {
    Stage {
        name: name.to_owned(),
        queue: fill.is_some(),
        fill: fill.unwrap_or(Ratio::ZERO),
        share: Ratio::ZERO,
        figures: mark.map_or_else(Figures::default, Mark::figures),
        gaps: mark.map_or_else(Summary::default, Mark::gaps),
        histograms: mark.map(|mark| Histograms {
            transit: mark.transits().clone(),
            age: mark.ages().clone(),
        }),
    }
}
