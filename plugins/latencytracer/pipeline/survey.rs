//! What all measured pads of a pipeline come to: its paths, and on each the stages in order.

use std::collections::HashMap;
use std::sync::Arc;

use gst::prelude::*;
use livetune_core::latency::{Figures, Point, Summary};
use livetune_core::time::{MediaTime, nanos};
use livetune_core::units::Ratio;

use super::paths::{self, Hop, Net, Way};
use super::station;
use crate::latencytracer::output::model::{Bottleneck, Histograms, Path, Stage};
use crate::runtime::lock::lock;

/// Which buffers are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::latencytracer) enum Span {
    /// Those since the last report of an interval.
    Interval,
    /// All so far.
    Total,
    /// All, and no more will come.
    End,
}

/// What one point came to.
#[derive(Clone)]
struct Measured {
    figures: Figures,
    gaps: Summary,
    histograms: Histograms,
}

/// The paths of `top`, which is called `name`, at `now`.
pub(in crate::latencytracer) fn survey(
    net: &impl Net,
    top: &gst::Bin,
    name: &str,
    span: Span,
    now: MediaTime,
) -> Vec<Path> {
    let ways = paths::find(net, top);
    // Paths share their stages: each is measured once.
    let mut measured = HashMap::new();
    for hop in ways.iter().flat_map(|way| &way.hops) {
        let outlet = &hop.outlet;
        measured
            .entry(Arc::as_ptr(outlet).cast::<()>())
            .or_insert_with(|| outlet.with_point(|point| measure(point, span, now)));
    }
    for way in &ways {
        measured
            .entry(Arc::as_ptr(&way.end).cast())
            .or_insert_with(|| measure(&mut lock(way.end.point()), span, now));
    }
    let paths = ways.iter().map(|way| path(way, name, &measured));
    paths.collect()
}

fn measure(point: &mut Point, span: Span, now: MediaTime) -> Measured {
    let (transit, age) = match span {
        Span::Interval => (point.interval_transits(), point.interval_ages()),
        Span::Total | Span::End => (point.transits(), point.ages()),
    };
    let histograms = Histograms {
        transit: transit.clone(),
        age: age.clone(),
    };
    let figures = match span {
        Span::Interval => point.close_now(now).unwrap_or_default(),
        Span::Total => point.total(),
        Span::End => {
            point.on_end(now);
            point.total()
        }
    };
    Measured {
        figures,
        gaps: point.gaps(),
        histograms,
    }
}

fn path(way: &Way, pipeline: &str, measured: &HashMap<*const (), Measured>) -> Path {
    let source = way.hops.first().map(|hop| hop.element.name().to_string());
    let sink = way.sink.name().to_string();
    let mut stages: Vec<Stage> = way
        .hops
        .iter()
        .filter_map(|hop| {
            let measured = measured.get(&Arc::as_ptr(&hop.outlet).cast())?;
            Some(stage(name(hop, way), Some(hop), measured))
        })
        .collect();
    let end = measured.get(&Arc::as_ptr(&way.end).cast());
    let end = end.map(|measured| stage(sink.clone(), None, measured));
    let end = end.unwrap_or_else(|| Stage::empty(sink.clone()));
    let sum: u64 = stages.iter().map(mean).sum();
    for stage in &mut stages {
        stage.share = Ratio::of(mean(stage), sum);
    }
    let whole = i64::try_from(mean(&end)).unwrap_or(i64::MAX);
    Path {
        pipeline: pipeline.to_owned(),
        source: source.unwrap_or_default(),
        sink,
        remainder: whole.saturating_sub_unsigned(sum),
        bottleneck: bottleneck(&stages),
        stages,
        end,
    }
}

fn stage(name: String, hop: Option<&Hop>, measured: &Measured) -> Stage {
    let fill = hop.and_then(|hop| station::fill(&hop.element, &hop.pad));
    Stage {
        queue: fill.is_some(),
        fill: fill.unwrap_or(Ratio::ZERO),
        figures: measured.figures,
        gaps: measured.gaps,
        histograms: Some(measured.histograms.clone()),
        ..Stage::empty(name)
    }
}

fn mean(stage: &Stage) -> u64 {
    nanos(stage.figures.transit.mean)
}

/// The name of the element, with those of the bins around it where another on the way is called the same.
fn name(hop: &Hop, way: &Way) -> String {
    let name = hop.element.name();
    let same = |other: &&Hop| other.element.name() == name && other.element != hop.element;
    if way.hops.iter().any(|other| same(&other)) {
        station::qualified_name(&hop.element)
    } else {
        name.to_string()
    }
}

fn bottleneck(stages: &[Stage]) -> Option<Bottleneck> {
    let longest = stages.iter().max_by_key(|stage| mean(stage))?;
    (mean(longest) > 0).then(|| Bottleneck {
        stage: longest.name.clone(),
        reason: format!("{:.0} % of the way", longest.share.as_f64() * 100.0),
    })
}
