//! What all measured pads of a pipeline come to: its paths, and on each the stages in order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gst::glib;
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
    for end in ways.iter().filter_map(|way| way.end.as_ref()) {
        measured
            .entry(Arc::as_ptr(end).cast())
            .or_insert_with(|| measure(&mut lock(end.point()), span, now));
    }
    let names = names(&ways);
    let paths = ways.iter().map(|way| path(way, name, &names, &measured));
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

fn path(
    way: &Way,
    pipeline: &str,
    names: &HashMap<gst::Pad, String>,
    measured: &HashMap<*const (), Measured>,
) -> Path {
    let mut stages: Vec<Stage> = way
        .hops
        .iter()
        .filter_map(|hop| {
            let measured = measured.get(&Arc::as_ptr(&hop.outlet).cast())?;
            Some(stage(names.get(&hop.pad)?.clone(), Some(hop), measured))
        })
        .collect();
    let sum: u64 = stages.iter().map(mean).sum();
    for stage in &mut stages {
        stage.share = Ratio::of(mean(stage), sum);
    }
    let sink = way.sink.name().to_string();
    let end = way
        .end
        .as_ref()
        .and_then(|end| measured.get(&Arc::as_ptr(end).cast()));
    let end = end.map(|measured| stage(sink.clone(), None, measured));
    let remainder = end.as_ref().map_or(0, |end| {
        let whole = i64::try_from(mean(end)).unwrap_or(i64::MAX);
        whole.saturating_sub_unsigned(sum)
    });
    Path {
        pipeline: pipeline.to_owned(),
        source: way
            .hops
            .first()
            .map(|hop| hop.element.name().to_string())
            .unwrap_or_default(),
        end: end.unwrap_or_else(|| Stage::empty(sink.clone())),
        sink,
        remainder,
        bottleneck: bottleneck(&stages),
        stages,
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

/// What each stage is called, each otherwise: by its element, with those of the bins around it where elements are called
/// the same, and with its pad where frames leave it by several.
fn names(ways: &[Way]) -> HashMap<gst::Pad, String> {
    let mut stations: HashMap<gst::Element, HashSet<gst::Pad>> = HashMap::new();
    for hop in ways.iter().flat_map(|way| &way.hops) {
        let pads = stations.entry(hop.element.clone()).or_default();
        pads.insert(hop.pad.clone());
    }
    let mut called: HashMap<glib::GString, usize> = HashMap::new();
    for element in stations.keys() {
        *called.entry(element.name()).or_default() += 1;
    }
    let mut names = HashMap::new();
    for (element, pads) in &stations {
        let unique = called.get(&element.name()) == Some(&1);
        let name = match unique {
            true => element.name().to_string(),
            false => station::qualified_name(element),
        };
        names.extend(pads.iter().map(|pad| match pads.len() {
            1 => (pad.clone(), name.clone()),
            _ => (pad.clone(), format!("{name}:{}", pad.name())),
        }));
    }
    names
}

fn bottleneck(stages: &[Stage]) -> Option<Bottleneck> {
    let longest = stages.iter().max_by_key(|stage| mean(stage))?;
    (mean(longest) > 0).then(|| Bottleneck {
        stage: longest.name.clone(),
        reason: format!("{:.0} % of the way", longest.share.as_f64() * 100.0),
    })
}
