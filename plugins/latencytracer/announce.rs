//! What the element says: messages, warnings, `stats` and telemetry.

use std::path::PathBuf;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::Baseline;

use super::imp::{CAT, LatencyTracer};
use super::network::Trouble;
use super::output::Over;
use super::service::Lateness;
use super::settings::Settings;
use super::state::{Report, State};
use super::{baseline_file, report};
use crate::runtime::figures::{Figure, Value, structure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::Observed;
use crate::runtime::wire::Load;

impl LatencyTracer {
    pub(super) fn announce(&self, report: Option<Box<Report>>) {
        let Some(report) = report else {
            return;
        };
        gst::debug!(CAT, imp = self, "{report:?}");
        if let Some((path, baseline)) = &report.baseline {
            self.save(path.clone(), baseline.clone());
        }
        if let Some(lateness) = report.lateness {
            self.tell_upstream(lateness);
        }
        if !lock(&self.settings).post_messages {
            return;
        }
        let messages = self.with_state(|state| {
            let figures = report.figures.as_ref();
            let latency = figures.map(|f| report::latency(&state.stage, f, &state.service));
            let sla = report.sla.as_ref();
            let regression = report.regression.as_ref();
            [
                latency,
                sla.map(|change| report::sla(&state.stage, change)),
                regression.map(|change| report::regression(&state.stage, change)),
            ]
        });
        for message in messages.into_iter().flatten().flatten() {
            self.post(message);
        }
    }

    /// For a qualityswitch, which can do something about it.
    fn tell_upstream(&self, lateness: Lateness) {
        let load = Load {
            latency: lateness.mean,
            target: lateness.limit,
            source: self.obj().name().into(),
        };
        // Whether anybody upstream listens is not ours to know.
        let _ = self.sinkpad.push_event(load.to_event());
    }

    /// Writes the baseline on a thread that carries no frames.
    fn save(&self, path: PathBuf, baseline: Baseline) {
        self.obj().call_async(move |element| {
            guard("writing the baseline", (), || {
                if let Err(error) = baseline_file::write(&path, &baseline) {
                    let path = path.display();
                    gst::element_warning!(
                        element,
                        gst::ResourceError::Write,
                        ("Cannot write the baseline to {path}: {error}")
                    );
                }
            });
        });
    }

    /// Tells the application of a trouble that does not stop the stream.
    pub(super) fn warn(&self, trouble: Option<Trouble>) {
        match trouble {
            Some(Trouble::NoExtension) => gst::element_imp_warning!(
                self,
                gst::CoreError::MissingPlugin,
                ("{}", Trouble::NoExtension)
            ),
            Some(trouble) => {
                gst::element_imp_warning!(self, gst::StreamError::WrongType, ("{trouble}"));
            }
            None => (),
        }
    }

    pub(super) fn post(&self, structure: gst::Structure) {
        let element = self.obj();
        let message = gst::message::Element::builder(structure).src(&*element);
        // Nobody may be listening.
        let _ = element.post_message(message.build());
    }

    pub(super) fn stats(&self) -> Stats {
        let name = report::STATS;
        let empty = Stats(gst::Structure::new_empty(name));
        guard("the stats of latencytracer", empty, || {
            let mut stats = structure(name, &self.figures());
            if let Some(watching) = self.watching() {
                let snapshot = watching.snapshot(Over::Total);
                stats.set("snapshot", super::output::structure(&snapshot));
            }
            Stats(stats)
        })
    }

    /// The figures of an element that does not run: all there, all zero.
    fn figures_at_rest(&self) -> Result<Vec<Figure>, gst::ErrorMessage> {
        let settings = Settings {
            baseline: 0,
            baseline_location: None,
            ..lock(&self.settings).clone()
        };
        let state = State::new(&settings, self.stage(&settings), self.place())?;
        Ok(figures(&state))
    }
}

impl Observed for LatencyTracer {
    fn figures(&self) -> Vec<Figure> {
        let mut figures = self
            .with_state(|state| figures(state))
            .unwrap_or_else(|| self.figures_at_rest().unwrap_or_default());
        figures.extend(self.network.figures());
        figures
    }

    fn stages(&self) -> Vec<(String, Vec<Figure>)> {
        self.stage_figures()
    }
}

fn figures(state: &State) -> Vec<Figure> {
    let mut figures = report::total(state);
    figures.push(Figure::new(
        "write-errors",
        Value::Count(state.write_errors()),
        "Reports and logs that could not be written",
    ));
    figures
}
