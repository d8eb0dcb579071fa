//! Settings that change while the element runs.

use gst::subclass::prelude::*;

use super::SlaOn;
use super::imp::LatencyTracer;
use super::settings::Settings;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

impl LatencyTracer {
    pub(super) fn change(&self, change: impl FnOnce(&mut Settings)) {
        guard("a property of latencytracer", (), || {
            change(&mut lock(&self.settings));
            self.retune();
        });
    }

    /// Brings changed settings to the state.
    pub(super) fn retune(&self) {
        let settings = lock(&self.settings).clone();
        self.network.choose(settings.to_choice());
        if let Some(Err(error)) = self.with_state(|state| state.retune(&settings)) {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{error}"));
        }
        self.rescope();
    }

    pub(super) fn set_interval(&self, millis: u32) {
        self.change(|settings| settings.interval = millis);
    }

    pub(super) fn set_sla(&self, millis: u32) {
        self.change(|settings| settings.sla = millis);
    }

    pub(super) fn set_sla_on(&self, on: SlaOn) {
        self.change(|settings| settings.sla_on = on);
    }

    pub(super) fn set_sla_percentile(&self, percent: f64) {
        self.change(|settings| settings.sla_percentile = percent);
    }

    pub(super) fn set_window(&self, millis: u32) {
        self.change(|settings| settings.window = millis);
    }

    pub(super) fn set_network(&self, network: bool) {
        self.change(|settings| settings.network = network);
    }

    pub(super) fn set_sei(&self, sei: bool) {
        self.change(|settings| settings.sei = sei);
    }

    pub(super) fn set_clock_offset(&self, nanos: i64) {
        self.change(|settings| settings.clock_offset = nanos);
    }
}
