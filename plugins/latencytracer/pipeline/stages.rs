//! A way as it is reported: its stages, how they share the time, and which holds frames up.

use std::collections::HashMap;
use std::time::Duration;

use livetune_core::latency::{
    self, BottleneckReason, Figures, Kind, Mark, StageShare, Summary, breakdown,
};
use livetune_core::units::Ratio;

use super::survey::Seen;
use crate::latencytracer::output::model::{Bottleneck, Histograms, Path, Stage};

/// `way` in `pipeline`, with what its points `measured`.
pub(super) fn path(pipeline: &str, way: &Seen, measured: &HashMap<u64, Mark>) -> Path {
    let hops = way.hops.iter();
    let mut stages: Vec<Stage> = hops
        .map(|hop| stage(&hop.name, hop.fill, measured.get(&hop.point)))
        .collect();
    let end = stage(&way.sink, None, way.end.and_then(|end| measured.get(&end)));
    let shares: Vec<StageShare> = stages.iter().map(share).collect();
    let parts = breakdown(&shares, end.figures.transit.mean);
    for (stage, share) in stages.iter_mut().zip(parts.shares) {
        stage.share = share;
    }
    Path {
        pipeline: pipeline.to_owned(),
        source: way.source.clone(),
        sink: way.sink.clone(),
        // Of what never came to the end nothing remains.
        remainder: match end.figures.transit.count {
            0 => 0,
            _ => parts.remainder,
        },
        bottleneck: parts.bottleneck.map(|found| named(&found, &stages)),
        stages,
        end,
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

fn share(stage: &Stage) -> StageShare {
    StageShare {
        mean: stage.figures.transit.mean,
        kind: if stage.queue {
            Kind::Queue
        } else {
            Kind::Other
        },
        fill: stage.fill,
    }
}

fn named(found: &latency::Bottleneck, stages: &[Stage]) -> Bottleneck {
    let stage = &stages[found.index];
    let reason = match found.reason {
        BottleneckReason::LargestShare => {
            format!("{:.0} % of the time", stage.share.as_f64() * 100.0)
        }
        BottleneckReason::FullQueueBefore(queue) => {
            let queue = &stages[queue];
            let waiting = millis(queue.figures.transit.mean);
            format!("frames wait {waiting} ms for it in {}", queue.name)
        }
    };
    Bottleneck {
        stage: stage.name.clone(),
        reason,
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e3)
}
