//! What the tracer tells, and when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::time::MediaTime;

use super::LiveTuneTracer;
use super::attach::Traced;
use super::imp::CAT;
use super::pipelines::Pipelines;
use crate::latencytracer::ReportAt;
use crate::latencytracer::output::model::{Path, Snapshot};
use crate::latencytracer::output::{Over, Plan, Reported, Reporter};
use crate::latencytracer::pipeline::{Intervals, Survey};
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// Everything that is measured, for who asks and for the thread that reports.
#[derive(Default)]
pub(super) struct Reports {
    pub(super) pipelines: Pipelines,
    reporter: Mutex<Option<Arc<Reporter>>>,
    /// Somebody wants to know what each interval came to.
    periodic: AtomicBool,
    /// Somebody wants to know what it all came to.
    total: AtomicBool,
    intervals: Mutex<Intervals>,
    /// Of pipelines that ended: what is not told yet.
    ended: Mutex<Ended>,
}

#[derive(Default)]
struct Ended {
    interval: Vec<Path>,
    total: Vec<Path>,
}

impl Reports {
    /// The first pipeline is started: a thread reports from now on.
    pub(super) fn start(&self, tracer: &LiveTuneTracer, plan: Plan) {
        let periodic = !plan.interval.is_zero();
        self.periodic.store(periodic, Ordering::Relaxed);
        let total = plan.report == ReportAt::Eos;
        self.total.store(total, Ordering::Relaxed);
        let mut reporter = lock(&self.reporter);
        if reporter.is_none() {
            let reported = Tracer(tracer.downgrade());
            match Reporter::start(plan, reported) {
                Ok(started) => *reporter = started.map(Arc::new),
                Err(error) => gst::warning!(CAT, obj = tracer, "no thread to report: {error}"),
            }
        }
    }

    /// Frames stopped coming in `top`, which may be taken apart next.
    pub(super) fn on_end(&self, top: &gst::Bin, now: MediaTime) {
        if lock(&self.reporter).is_none() {
            // Nobody would fetch it.
            return;
        }
        let survey = Survey::of(&Traced, top, self.pipelines.name(top), true, now);
        let total = survey.total();
        if self.pipelines.is_told(top, buffers(&total)) {
            return;
        }
        let interval = match self.periodic.load(Ordering::Relaxed) {
            true => lock(&self.intervals).last(survey),
            false => Vec::new(),
        };
        // What nobody will take is not kept.
        let mut ended = lock(&self.ended);
        ended.interval.extend(interval);
        if self.total.load(Ordering::Relaxed) {
            ended.total.extend(total);
        }
    }

    /// Has told what ended, soon or before it answers.
    pub(super) fn tell(&self, waits: bool) {
        let reporter = lock(&self.reporter).clone();
        match reporter {
            Some(reporter) if waits => reporter.finish(),
            Some(reporter) => reporter.on_end(),
            None => (),
        }
    }

    /// All pipelines, and all that was measured in them.
    pub(super) fn snapshot(&self) -> Snapshot {
        let surveys = self.surveys();
        let paths = surveys.iter().flat_map(Survey::total).collect();
        Snapshot { paths }
    }

    fn surveys(&self) -> Vec<Survey> {
        let now = clock::monotonic();
        let pipelines = self.pipelines.all().into_iter();
        let surveys = pipelines.map(|(name, top)| Survey::of(&Traced, &top, name, false, now));
        surveys.collect()
    }

    /// What came since this was asked before.
    fn interval(&self) -> Snapshot {
        if !self.periodic.load(Ordering::Relaxed) {
            return Snapshot::default();
        }
        let surveys = self.surveys();
        let running = lock(&self.intervals).next(surveys);
        let running = running
            .into_iter()
            .filter(|path| buffers(std::slice::from_ref(path)) > 0);
        let mut paths = std::mem::take(&mut lock(&self.ended).interval);
        paths.extend(running);
        Snapshot { paths }
    }

    fn last(&self) -> Snapshot {
        let paths = std::mem::take(&mut lock(&self.ended).total);
        Snapshot { paths }
    }

    /// Everything begins anew.
    pub(super) fn reset(&self) {
        for (_, top) in self.pipelines.all() {
            super::attach::reset(&top);
        }
        let reporter = lock(&self.reporter).clone();
        if let Some(reporter) = reporter {
            reporter.on_reset();
        }
    }
}

/// Buffers that passed on `paths`.
fn buffers(paths: &[Path]) -> u64 {
    let stages = paths.iter().flat_map(|path| &path.stages);
    stages.map(|stage| stage.figures.counts.buffers).sum()
}

struct Tracer(glib::WeakRef<LiveTuneTracer>);

impl Reported for Tracer {
    fn snapshot(&mut self, over: Over) -> Option<Snapshot> {
        let tracer = self.0.upgrade()?;
        let reports = tracer.imp().reports();
        Some(match over {
            Over::Interval => reports.interval(),
            Over::Total => reports.last(),
        })
    }

    fn on_interval(&mut self, _snapshot: &Snapshot) {}

    fn on_trouble(&mut self, trouble: &str) {
        super::imp::warn(trouble);
    }
}
