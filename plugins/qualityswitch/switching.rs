//! Going to another rung, between two frames, on the thread that brings them; and telling of it.

use std::thread;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::{CAT, LEVEL_CHANGED, QualitySwitch};
use super::scaler::Scaler;
use super::state::{Carried, Order, State};
use super::video;
use crate::runtime::figures;
use crate::runtime::lock::lock;

impl QualitySwitch {
    /// Sets the scaler as `order` says, or as near to that as downstream takes.
    pub(super) fn carry_out(&self, order: Order) {
        let first = order.rung;
        let mut order = order;
        while order.scalable && !self.downstream_takes(&order) {
            match self.on_refused(&order) {
                Some(next) => order = next,
                // Nothing else is left: let negotiation say what is wrong.
                None => break,
            }
        }
        let caps = if order.scalable {
            video::of_rung(&order.fitted, &order.input)
        } else {
            video::any()
        };
        self.lower_encoder(&order);
        self.set_output(&caps, order.reallocates);
        gst::info!(CAT, imp = self, "rung {} from now on: {caps}", order.rung);
        self.on_applied(&order);
        if order.rung != first {
            self.warn_of_refusal();
        }
    }

    /// Frames are sent as `order` says.
    pub(super) fn on_applied(&self, order: &Order) {
        if let Some(carried) = self.with_state(|state| state.on_carried_out(order)) {
            self.report(carried);
        }
    }

    /// Has `action` done to the state, where there is one.
    pub(super) fn with_state<R>(&self, action: impl FnOnce(&mut State) -> R) -> Option<R> {
        lock(&self.state).as_mut().map(action)
    }

    /// Nothing is asked of the scaler.
    pub(super) fn open_output(&self) {
        self.set_output(&video::any(), false);
    }

    /// Whether the event comes from a `set_output` on this very thread that upstream need not hear of.
    pub(super) fn is_own_doing(&self, event: &gst::EventRef) -> bool {
        let own = || *lock(&self.quiet) == Some(thread::current().id());
        event.type_() == gst::EventType::Reconfigure && own()
    }

    /// The scaler is told to negotiate, and upstream only where it should: it may send any size on every rung, and some
    /// cameras stop to negotiate.
    fn set_output(&self, caps: &gst::Caps, tell_upstream: bool) {
        let scaler = lock(&self.scaler).clone();
        if let Some(scaler) = scaler {
            *lock(&self.quiet) = (!tell_upstream).then(|| thread::current().id());
            scaler.set_output(caps);
            *lock(&self.quiet) = None;
        }
    }

    fn downstream_takes(&self, order: &Order) -> bool {
        let Some((_, pad)) = self.ends() else {
            return true;
        };
        let offered = video::offered(&order.fitted, &order.input);
        !pad.peer_query_caps(Some(&offered)).is_empty()
    }

    fn on_refused(&self, order: &Order) -> Option<Order> {
        self.with_state(|state| state.on_refused(order)).flatten()
    }

    fn warn_of_refusal(&self) {
        let level = self.with_state(|state| state.level()).flatten();
        gst::element_imp_warning!(
            self,
            gst::StreamError::Format,
            (
                "The elements behind do not take the size of a level: \"{}\" is sent instead. Remove the caps that fix \
                 the size behind qualityswitch, or take the level out of the ladder",
                level.unwrap_or_default()
            )
        );
    }

    fn report(&self, carried: Carried) {
        let wanted = lock(&self.settings).post_messages;
        if let Some(news) = &carried.news
            && wanted
        {
            let structure = figures::structure("livetune-quality", &news.figures);
            let message = gst::message::Element::builder(structure)
                .src(&*self.obj())
                .build();
            let _ = self.obj().post_message(message);
        }
        if carried.notify {
            self.obj().notify_level();
        }
        if let Some(news) = carried.news {
            self.obj()
                .emit_by_name::<()>(LEVEL_CHANGED, &[&news.previous, &news.level, &news.reason]);
        }
    }

    /// The video passes at its own size.
    pub(super) fn warn_of_unscaled(&self, caps: &gst::Caps) {
        let scaler = lock(&self.scaler).as_ref().map(Scaler::name);
        let scaler = scaler.unwrap_or("none");
        gst::element_imp_warning!(
            self,
            gst::StreamError::Format,
            ("This video passes at its own size: it is in memory that the scaler ({scaler}) does not take, or its \
                 fields come in buffers of their own. Set the property scaler, or bring it to system memory before \
                 qualityswitch"),
            ["{caps}"]
        );
    }
}
