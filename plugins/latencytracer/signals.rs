//! The action signals: what an application asks of a tap.

use gst::glib;
use gst::glib::subclass::Signal;
use gst::prelude::*;
use gst::subclass::prelude::*;

use super::LatencyTracer;
use super::output::structure;
use super::snapshot;
use super::state::State;
use crate::runtime::guard::guard;

/// `snapshot` and `reset`.
pub(super) fn all() -> Vec<Signal> {
    let flags = glib::SignalFlags::RUN_LAST | glib::SignalFlags::ACTION;
    let snapshot = Signal::builder("snapshot")
        .flags(flags)
        .return_type::<gst::Structure>()
        .class_handler(|values| {
            let snapshot = guard("the signal snapshot", None, || {
                tap(values).map(|tap| snapshot::of(&tap))
            });
            Some(structure(&snapshot.unwrap_or_default()).to_value())
        });
    let reset = Signal::builder("reset")
        .flags(flags)
        .class_handler(|values| {
            guard("the signal reset", (), || {
                if let Some(tap) = tap(values) {
                    tap.imp().with_state(State::reset);
                    if let Some(watching) = tap.imp().watching() {
                        watching.reset();
                    }
                }
            });
            None
        });
    vec![snapshot.build(), reset.build()]
}

fn tap(values: &[glib::Value]) -> Option<LatencyTracer> {
    values.first()?.get().ok()
}
