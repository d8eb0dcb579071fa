//! Looking around, on a thread that brings no frames.

use std::io;
use std::sync::Arc;

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::time::MediaTime;

use super::hearing::Seen;
use super::imp::{CAT, QualitySwitch};
use super::sensors::{Around, Found, Hear, Look, Sensors, Wants, Watch, watch};
use crate::runtime::lock::lock;

impl QualitySwitch {
    /// Has a thread look around for as long as the answer lives.
    pub(super) fn watch(&self) -> io::Result<Watch> {
        let weak = self.obj().downgrade();
        let hearing = weak.clone();
        let hear: Hear = Arc::new(move |stage, began: MediaTime, done| {
            if let Some(element) = hearing.upgrade() {
                let imp = element.imp();
                imp.with_state(|state| state.on_pushed(stage, began, done));
            }
        });
        let mut around = Around::new(self.push.clone());
        watch(move |look| match weak.upgrade() {
            Some(element) => element.imp().on_look(look, &mut around, &hear),
            None => Wants::default(),
        })
    }

    fn on_look(&self, look: &Look, around: &mut Around, hear: &Hear) -> Wants {
        if around.is_search_due(look.now)
            && let Some((_, src)) = self.ends()
        {
            let found = Found::search(src.upcast_ref(), &self.obj().sink_pads());
            gst::trace!(CAT, imp = self, "{found:?}");
            around.on_found(found, hear, look.now);
            self.look_for_encoder();
            self.look_ahead();
        }
        let seen = Seen {
            live: around.is_live(),
            fill: around.fill(),
            machine: look.machine,
            uses_gpu: around.uses_gpu(),
        };
        let blind = self.with_state(|state| state.on_look(&seen, look.now));
        if blind == Some(true) {
            self.tell_of_blindness();
        }
        let asks = lock(&self.settings).sensors.contains(Sensors::GPU);
        Wants {
            gpu: asks && around.uses_gpu(),
        }
    }

    fn tell_of_blindness(&self) {
        gst::element_imp_info!(
            self,
            gst::LibraryError::Settings,
            ("No sensor says anything of the load, so the level stays: frames come from nothing live (appsrc has \
                 is-live for that), nobody behind tells a latency or a bit rate, or the property sensors leaves out those \
                 that would speak")
        );
    }
}
