//! The taps on the way to one tap, seen as the paths of a report.

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::time::MediaTime;

use super::LatencyTracer;
use super::imp;
use super::measure::Measure;
use super::output::model::{Path, Snapshot};
use super::output::{Over, Reported, Reporter};
use super::place::taps_before;
use super::settings::Settings;
use crate::runtime::clock;

/// Ways that are told apart: more than anybody reads, and an end where many mixers multiply them.
const MOST_WAYS: usize = 64;

/// The paths to `tap`, or with `scope=pipeline` all of its pipeline, since the start.
pub(super) fn of(tap: &LatencyTracer) -> Snapshot {
    match tap.imp().watching() {
        Some(watching) => watching.snapshot(Over::Total),
        None => snapshot(&ways_to(tap), measure),
    }
}

impl imp::LatencyTracer {
    /// A thread that reports, where `settings` want reports.
    pub(super) fn start_reporter(&self, settings: &Settings) -> Option<Reporter> {
        let client = Client {
            tap: self.obj().downgrade(),
            before: Vec::new(),
        };
        Reporter::start(settings.plan(), client).unwrap_or_else(|error| {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Failed,
                ("No thread for reports: {error}. Measuring goes on without them")
            );
            None
        })
    }
}

/// What a reporter asks on behalf of a tap.
struct Client {
    tap: glib::WeakRef<LatencyTracer>,
    /// What each tap on the way had measured when the last interval ended.
    before: Vec<(glib::WeakRef<LatencyTracer>, Measure)>,
}

impl Client {
    fn interval(&mut self, tap: &LatencyTracer, now: MediaTime) -> Option<Measure> {
        let measure = measure(tap, now)?;
        let known = |(weak, _): &(glib::WeakRef<LatencyTracer>, Measure)| {
            weak.upgrade().is_some_and(|other| other == *tap)
        };
        let Some(at) = self.before.iter().position(known) else {
            self.before.push((tap.downgrade(), measure.clone()));
            return Some(measure);
        };
        let earlier = std::mem::replace(&mut self.before[at].1, measure.clone());
        Some(measure.since(&earlier))
    }
}

impl Reported for Client {
    fn snapshot(&mut self, over: Over) -> Option<Snapshot> {
        let tap = self.tap.upgrade()?;
        if let Some(watching) = tap.imp().watching() {
            return Some(watching.snapshot(over));
        }
        self.before.retain(|(weak, _)| weak.upgrade().is_some());
        Some(match over {
            Over::Total => of(&tap),
            Over::Interval => snapshot(&ways_to(&tap), |tap, now| self.interval(tap, now)),
        })
    }

    /// Taps post messages of their own place themselves.
    fn on_interval(&mut self, snapshot: &Snapshot) {
        if let Some(tap) = self.tap.upgrade() {
            tap.imp().announce_paths(&snapshot.paths);
        }
    }

    fn on_trouble(&mut self, trouble: &str) {
        if let Some(tap) = self.tap.upgrade() {
            gst::element_warning!(tap, gst::ResourceError::OpenWrite, ("{trouble}"));
        }
    }
}

fn measure(tap: &LatencyTracer, now: MediaTime) -> Option<Measure> {
    tap.imp().with_state(|state| state.measure(now))
}

/// Asks every tap once: ways share their taps. A way to a tap that does not run is no way.
fn snapshot(
    ways: &[Vec<LatencyTracer>],
    mut ask: impl FnMut(&LatencyTracer, MediaTime) -> Option<Measure>,
) -> Snapshot {
    let now = clock::monotonic();
    let mut asked: Vec<(&LatencyTracer, Measure)> = Vec::new();
    for tap in ways.iter().flatten() {
        if asked.iter().all(|(known, _)| *known != tap)
            && let Some(measure) = ask(tap, now)
        {
            asked.push((tap, measure));
        }
    }
    let measured = |tap| asked.iter().find(|(known, _)| *known == tap);
    let paths = ways.iter().filter_map(|way| {
        let measures: Vec<&Measure> = way
            .iter()
            .filter_map(|tap| Some(&measured(tap)?.1))
            .collect();
        path(pipeline(way.last()?), &measures)
    });
    Snapshot {
        paths: paths.collect(),
    }
}

fn path(pipeline: String, way: &[&Measure]) -> Option<Path> {
    let (first, last) = (way.first()?, way.last()?);
    let path = Path {
        pipeline,
        source: first.stage.clone(),
        sink: last.stage.clone(),
        stages: way.iter().map(|measure| measure.to_stage()).collect(),
        end: last.to_end(),
        remainder: 0,
        bottleneck: None,
    };
    Some(path.broken_down())
}

/// The taps on each way to `tap`, in stream order.
fn ways_to(tap: &LatencyTracer) -> Vec<Vec<LatencyTracer>> {
    let mut ways = Vec::new();
    follow(vec![tap.clone()], &mut ways);
    ways
}

/// Goes on from the first tap of `way` towards the sources.
fn follow(way: Vec<LatencyTracer>, ways: &mut Vec<Vec<LatencyTracer>>) {
    let before = way.first().map(|first| taps_before(&first.imp().sinkpad));
    let mut before = before.unwrap_or_default();
    before.retain(|tap| !way.contains(tap));
    if before.is_empty() && ways.len() < MOST_WAYS {
        ways.push(way);
        return;
    }
    for tap in before {
        if ways.len() < MOST_WAYS {
            follow([tap].into_iter().chain(way.iter().cloned()).collect(), ways);
        }
    }
}

/// Name of the pipeline that `element` is in.
fn pipeline(element: &LatencyTracer) -> String {
    let mut top = element.clone().upcast::<gst::Object>();
    while let Some(parent) = top.parent() {
        top = parent;
    }
    top.name().to_string()
}
