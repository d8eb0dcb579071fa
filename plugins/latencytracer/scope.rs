//! `scope=pipeline`: every element of the pipeline measured, for as long as the element runs and the setting stands.

use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use super::Scope;
use super::imp::LatencyTracer;
use super::output::model::{Path, Snapshot};
use super::output::{self, Over};
use super::pipeline::{Intervals, Survey, Watch, top};
use crate::runtime::clock;
use crate::runtime::figures::Figure;
use crate::runtime::lock::lock;

/// All looks at the pipeline end with it.
pub(super) struct Watching {
    watch: Watch,
    top: glib::WeakRef<gst::Bin>,
    intervals: Mutex<Intervals>,
}

impl Watching {
    fn of(element: &gst::Element) -> Option<Self> {
        let top = top(element)?;
        Some(Self {
            watch: Watch::new(&top, element),
            top: top.downgrade(),
            intervals: Mutex::default(),
        })
    }

    /// What was measured in the pipeline.
    pub(super) fn snapshot(&self, over: Over) -> Snapshot {
        let Some(top) = self.top.upgrade() else {
            return Snapshot::default();
        };
        let name = top.name().to_string();
        let survey = Survey::of(&self.watch, &top, name, false, clock::monotonic());
        let paths = match over {
            Over::Total => survey.total(),
            Over::Interval => lock(&self.intervals).next(vec![survey]),
        };
        Snapshot { paths }
    }

    pub(super) fn reset(&self) {
        self.watch.reset();
    }
}

impl LatencyTracer {
    pub(super) fn set_scope(&self, scope: Scope) {
        self.change(|settings| settings.scope = scope);
    }

    /// What is looked at now; `None` with `scope=self`.
    pub(super) fn watching(&self) -> Option<Arc<Watching>> {
        lock(&self.watching).clone()
    }

    /// Begins to look at the pipeline, or leaves off, as the setting wants.
    pub(super) fn rescope(&self) {
        let wanted = self.wants_pipeline();
        if !wanted {
            let watching = lock(&self.watching).take();
            drop(watching);
            return;
        }
        if self.watching().is_some() {
            return;
        }
        let watching = Watching::of(self.obj().upcast_ref()).map(Arc::new);
        let before = std::mem::replace(&mut *lock(&self.watching), watching);
        drop(before);
        self.need_reporter();
        // It was stopped, or changed its mind, meanwhile.
        if !self.wants_pipeline() {
            let watching = lock(&self.watching).take();
            drop(watching);
        }
    }

    fn wants_pipeline(&self) -> bool {
        let runs = self.with_state(|_| ()).is_some();
        runs && lock(&self.settings).scope == Scope::Pipeline
    }

    /// With `scope=self` there may have been nothing to report.
    fn need_reporter(&self) {
        if self.with_state(|state| state.reporter.is_none()) == Some(true) {
            let settings = lock(&self.settings).clone();
            let mut reporter = self.start_reporter(&settings);
            self.with_state(|state| std::mem::swap(&mut state.reporter, &mut reporter));
        }
    }

    /// An interval is over: one message for each end of a path.
    pub(super) fn announce_paths(&self, paths: &[Path]) {
        let wanted = lock(&self.settings).post_messages;
        if wanted && self.watching().is_some() {
            for path in paths
                .iter()
                .filter(|path| path.end.figures.counts.buffers > 0)
            {
                self.post(output::message(path));
            }
        }
    }

    /// The figures of each stage of the pipeline, but of this element's own place.
    pub(super) fn stage_figures(&self) -> Vec<(String, Vec<Figure>)> {
        let Some(watching) = self.watching() else {
            return Vec::new();
        };
        let own = self.with_state(|state| state.stage.clone());
        let mut stages: Vec<(String, Vec<Figure>)> = Vec::new();
        for path in watching.snapshot(Over::Total).paths {
            for stage in path.stages.iter().chain([&path.end]) {
                let known = stages.iter().any(|(name, _)| *name == stage.name);
                if !known && own.as_ref() != Some(&stage.name) {
                    stages.push((stage.name.clone(), output::all_figures(stage)));
                }
            }
        }
        stages
    }
}
