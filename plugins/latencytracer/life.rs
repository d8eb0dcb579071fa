//! Start and stop.

use std::sync::atomic::Ordering;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::FACTORY;
use super::imp::LatencyTracer;
use super::settings::Settings;
use super::state::State;
use crate::runtime::lock::lock;
use crate::runtime::telemetry;

impl LatencyTracer {
    pub(super) fn stage(&self, settings: &Settings) -> String {
        let stage = settings.stage.clone().filter(|stage| !stage.is_empty());
        stage.unwrap_or_else(|| self.obj().name().to_string())
    }

    pub(super) fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let stage = self.stage(&settings);
        let mut state = State::new(&settings, stage.clone(), self.place())?;
        state.registration = Some(telemetry::register(self, FACTORY, Some(stage)));
        state.reporter = self.start_reporter(&settings);
        *lock(&self.state) = Some(state);
        self.network.start();
        self.relinked.store(true, Ordering::Relaxed);
        // A setting that was changed meanwhile found no state to change.
        self.retune();
        self.warn(self.network.prepare(&self.srcpad));
        Ok(())
    }

    pub(super) fn stop(&self) {
        // Its last report asks for the state.
        let reporter = self.with_state(|state| state.reporter.take());
        drop(reporter);
        let state = lock(&self.state).take();
        drop(state);
        self.rescope();
    }
}
