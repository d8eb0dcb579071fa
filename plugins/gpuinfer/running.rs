//! What the element knows from READY to PAUSED and back, and who may touch it when.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::infer::Stages;

use super::engine::Stopper;
use super::imp::GpuInfer;
use super::objects;
use super::report::Report;
use super::worker::Worker;
use crate::runtime::figures::structure;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::{Observed, Registration};

/// From READY to PAUSED and back.
pub(super) struct State {
    /// Not here while a frame is in it, so that nobody who asks for figures waits for the network.
    pub(super) worker: Option<Box<Worker>>,
    pub(super) report: Report,
    pub(super) active: String,
    pub(super) stopper: Stopper,
    pub(super) _registration: Registration,
}

impl GpuInfer {
    pub(super) fn stats(&self) -> Stats {
        let name = "application/x-livetune-gpuinfer-stats";
        guard(
            "the stats of gpuinfer",
            Stats(gst::Structure::new_empty(name)),
            || Stats(structure(name, &self.figures())),
        )
    }

    pub(super) fn active_backend(&self) -> Option<String> {
        let state = lock(&self.state);
        state.as_ref().map(|state| state.active.clone())
    }

    pub(super) fn take_worker(&self) -> Option<Box<Worker>> {
        lock(&self.state).as_mut()?.worker.take()
    }

    pub(super) fn put_back(&self, worker: Box<Worker>) {
        if let Some(state) = lock(&self.state).as_mut() {
            state.worker = Some(worker);
        }
    }

    pub(super) fn count_objects(&self, objects: usize, stages: Stages) {
        if let Some(state) = lock(&self.state).as_mut() {
            state.report.on_objects(objects, stages);
        }
    }

    pub(super) fn count_error(&self, why: &str) {
        let first = lock(&self.state).as_mut().is_some_and(|state| {
            // A run that was ended on the way to READY has not failed.
            !state.stopper.is_stopped() && state.report.on_error()
        });
        if first {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Failed,
                ("The network failed on a frame ({why}): frames go on without objects, see errors in the property stats")
            );
        }
    }

    pub(super) fn announce(&self, worker: &Worker, pts: Option<gst::ClockTime>) {
        let structure = objects::message(pts, &worker.objects, &worker.labels);
        let message = gst::message::Element::builder(structure)
            .src(&*self.obj())
            .build();
        // Without a bus nobody listens.
        let _ = self.obj().post_message(message);
    }
}
