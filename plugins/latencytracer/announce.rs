//! What the element says: messages, `stats` and telemetry.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::SlaConfigError;

use super::imp::{CAT, LatencyTracer};
use super::report;
use super::state::{Report, State};
use crate::runtime::figures::{Figure, Value, structure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::Observed;

impl LatencyTracer {
    pub(super) fn announce(&self, report: Report) {
        if report.figures.is_none() && report.sla.is_none() {
            return;
        }
        gst::debug!(CAT, imp = self, "{report:?}");
        if !lock(&self.settings).post_messages {
            return;
        }
        let messages = self.with_state(|state| {
            let figures = report.figures.as_ref();
            let latency = figures.map(|f| report::latency(&state.stage, f, &state.service));
            let change = report.sla.as_ref();
            [
                latency,
                change.map(|change| report::sla(&state.stage, change)),
            ]
        });
        for message in messages.into_iter().flatten().flatten() {
            self.post(message);
        }
    }

    fn post(&self, structure: gst::Structure) {
        let element = self.obj();
        let message = gst::message::Element::builder(structure).src(&*element);
        // Nobody may be listening.
        let _ = element.post_message(message.build());
    }

    pub(super) fn stats(&self) -> Stats {
        let name = report::STATS;
        let empty = Stats(gst::Structure::new_empty(name));
        guard("the stats of latencytracer", empty, || {
            Stats(structure(name, &self.figures()))
        })
    }

    /// The figures of an element that does not run: all there, all zero.
    fn figures_at_rest(&self) -> Result<Vec<Figure>, SlaConfigError> {
        let settings = lock(&self.settings).clone();
        let state = State::new(&settings, self.stage(&settings), self.place())?;
        Ok(figures(&state))
    }
}

impl Observed for LatencyTracer {
    fn figures(&self) -> Vec<Figure> {
        self.with_state(|state| figures(state))
            .unwrap_or_else(|| self.figures_at_rest().unwrap_or_default())
    }
}

fn figures(state: &State) -> Vec<Figure> {
    let mut figures = report::total(&state.stage, &state.point, &state.service);
    figures.push(Figure::new(
        "write-errors",
        Value::Count(state.write_errors()),
        "Reports and logs that could not be written",
    ));
    figures
}
