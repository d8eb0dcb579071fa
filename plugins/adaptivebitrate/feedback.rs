//! Brings the transports' feedback to where it is judged.

use std::ops::ControlFlow;
use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use livetune_core::time::MediaTime;

use super::imp::{AdaptiveBitrate, CAT};
use super::outbox::Trouble;
use super::transport::{self, Found, Kind, Push, Rounds, Transport};
use crate::runtime::clock;
use crate::runtime::lock::lock;
use crate::runtime::walk::by_name;

/// Parts of bins that appear when they are negotiated (webrtcbin) are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

impl AdaptiveBitrate {
    /// Looks for what carries the stream, and listens to it.
    pub(super) fn find_transports(&self, now: MediaTime) {
        let wanted = lock(&self.settings).transport.clone();
        let found = self.transports(wanted.as_deref());
        let (known, before) = match &*lock(&self.state) {
            Some(state) => (state.network.is(&found), state.network.names()),
            None => return,
        };
        if !known {
            self.listen_to(&found, now);
        }
        let first = found.first().map(|found| found.element.name().to_string());
        let trouble = match (wanted, first) {
            (Some(wanted), None) => Some(Trouble::NoTransportCalled(wanted)),
            (None, None) if !known => Some(Trouble::TransportGone(before)),
            (None, None) => self.is_impatient(now).then_some(Trouble::NoTransport),
            (_, Some(name)) => self.is_deaf(now).then_some(Trouble::Deaf(name)),
        };
        self.tell(trouble);
    }

    fn transports(&self, wanted: Option<&str>) -> Vec<Found> {
        let behind = transport::behind(self.obj().src_pad());
        let Some(wanted) = wanted else {
            return behind;
        };
        let named = by_name(self.obj().upcast_ref(), wanted);
        named.map_or_else(Vec::new, |named| transport::in_element(&named, behind))
    }

    fn listen_to(&self, found: &[Found], now: MediaTime) {
        let Some(inbox) = lock(&self.state)
            .as_ref()
            .map(|state| state.network.inbox())
        else {
            return;
        };
        let connect = |found| Transport::connect(found, &inbox);
        let transports: Vec<_> = found.iter().map(connect).collect();
        gst::debug!(CAT, imp = self, "transports {transports:?}");
        let asked = transports.iter().any(Transport::is_asked);
        let rounds = asked.then(|| self.start_rounds()).flatten();
        let before = lock(&self.state)
            .as_mut()
            .map(|state| state.on_transports(transports, rounds, now));
        drop(before);
    }

    fn start_rounds(&self) -> Option<Rounds> {
        let weak = self.obj().downgrade();
        let rounds = Rounds::start(move || {
            let Some(element) = weak.upgrade() else {
                return ControlFlow::Break(());
            };
            element.imp().look_round();
            ControlFlow::Continue(())
        });
        let rounds = rounds.inspect_err(|error| {
            gst::error!(CAT, imp = self, "no thread for the transports: {error}");
        });
        rounds.ok()
    }

    /// Asks the transports that have to be asked; judges, too, where no buffer passes.
    fn look_round(&self) {
        if self.obj().current_state() != gst::State::Playing {
            return;
        }
        let asked = lock(&self.state)
            .as_ref()
            .map(|state| state.network.asked());
        let Some((transports, push)) = asked else {
            return;
        };
        let running = clock::running_time(&*self.obj());
        let now = clock::monotonic();
        let inputs = transport::ask(&transports, push, running, now);
        drop(transports);
        let act = match &mut *lock(&self.state) {
            Some(state) => {
                let inbox = state.network.inbox();
                inputs.for_each(|input| inbox.put(input, now));
                let stalled = state.network.is_stalled(now);
                stalled.then(|| state.judge(now)).flatten()
            }
            None => None,
        };
        if let Some(act) = act {
            self.act(&act);
        }
    }

    pub(super) fn on_push(&self, buffer: &gst::BufferRef) {
        if !self.times_pushes() {
            return;
        }
        let media = transport::running_time(self.obj().sink_pad(), buffer);
        let Some(began) = clock::running_time(&*self.obj()) else {
            return;
        };
        if let Some(state) = &mut *lock(&self.state) {
            let push = Push { began, media };
            state.network.on_push(push, clock::monotonic());
        }
    }

    pub(super) fn on_push_returned(&self) {
        if !self.times_pushes() {
            return;
        }
        let running = clock::running_time(&*self.obj());
        if let Some(state) = &mut *lock(&self.state) {
            state.network.on_returned(running, clock::monotonic());
        }
    }

    fn times_pushes(&self) -> bool {
        lock(&self.state)
            .as_ref()
            .is_some_and(|state| state.network.times_pushes())
    }

    fn is_impatient(&self, now: MediaTime) -> bool {
        let state = lock(&self.state);
        state
            .as_ref()
            .is_some_and(|state| now.since(state.began()) > PATIENCE)
    }

    fn is_deaf(&self, now: MediaTime) -> bool {
        let state = lock(&self.state);
        state
            .as_ref()
            .is_some_and(|state| state.network.kind(now) == Kind::None)
    }
}
