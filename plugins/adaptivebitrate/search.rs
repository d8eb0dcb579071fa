//! Finds the encoder, and says what is missing.

use std::sync::atomic::Ordering;

use gst::glib::prelude::*;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use livetune_core::time::MediaTime;

use super::encoder::Encoder;
use super::imp::{AdaptiveBitrate, CAT};
use super::outbox::Trouble;
use super::state::Found;
use super::walk;
use crate::runtime::lock::lock;
use crate::runtime::walk::by_name;

impl AdaptiveBitrate {
    pub(super) fn is_search_due(&self, now: MediaTime) -> bool {
        let relinked = self.relinked.swap(false, Ordering::Relaxed);
        let mut state = lock(&self.state);
        state
            .as_mut()
            .is_some_and(|state| state.is_search_due(now) || relinked)
    }

    pub(super) fn find_encoder(&self, now: MediaTime) {
        let name = lock(&self.settings).encoder.clone();
        let element = self.look_for_encoder(name.as_deref());
        let known = lock(&self.state)
            .as_ref()
            .and_then(|state| state.encoder().cloned());
        if let (Some(known), Some(element)) = (&known, &element)
            && known.is(element)
        {
            return;
        }
        self.apply_profile();
        // A claim on the encoder before must not outlive its time.
        drop(known);
        let found = Found {
            name: element.as_ref().map(|element| element.name().to_string()),
            handle: element
                .as_ref()
                .ok_or(None)
                .and_then(|e| Encoder::drive(e).map_err(Some)),
        };
        let trouble = trouble_with(&found, name);
        let bitrate = found.handle.as_ref().ok().and_then(Encoder::bitrate);
        let hints = found.handle.as_ref().map(Encoder::hints);
        let hints = hints.unwrap_or_default();
        let called = found.name.clone().unwrap_or_default();
        gst::debug!(CAT, imp = self, "encoder {found:?} at {bitrate:?}");
        let before = lock(&self.state)
            .as_mut()
            .map(|state| state.on_encoder(found, bitrate, now));
        drop(before);
        self.tell(trouble);
        for hint in hints {
            self.tell(Some(Trouble::Misset(called.clone(), hint)));
        }
    }

    fn look_for_encoder(&self, name: Option<&str>) -> Option<gst::Element> {
        match name {
            Some(name) => by_name(self.obj().upcast_ref(), name),
            None => walk::encoder_before(self.obj().sink_pad()),
        }
    }

    /// Sets the encoder up for the profile, where it is linked already and has not started.
    pub(super) fn apply_profile(&self) {
        let settings = lock(&self.settings).clone();
        let element = self.look_for_encoder(settings.encoder.as_deref());
        let Some(element) = element else {
            return;
        };
        // Two threads may come here when an encoder is linked while data flow: one does it.
        if self.applying.swap(true, Ordering::Acquire) {
            return;
        }
        let mut applied = std::mem::take(&mut *lock(&self.applied));
        let before = applied.text();
        let result = applied.update(&element, settings.profile);
        let changed = applied.text() != before;
        gst::debug!(CAT, imp = self, "{applied:?}: {result:?}");
        *lock(&self.applied) = applied;
        self.applying.store(false, Ordering::Release);
        if changed {
            self.obj().notify_encoder_settings();
        }
        let name = || element.name().to_string();
        self.tell(result.err().map(|why| Trouble::NotSetUp(name(), why)));
    }

    /// Warns of `trouble`, the first time.
    pub(super) fn tell(&self, trouble: Option<Trouble>) {
        let Some(trouble) = trouble else {
            return;
        };
        let new = lock(&self.state)
            .as_mut()
            .is_some_and(|state| state.is_new(&trouble));
        if new {
            gst::element_imp_warning!(self, gst::ResourceError::NotFound, ("{}", trouble.text()));
        }
    }
}

fn trouble_with(found: &Found<Encoder>, wanted: Option<String>) -> Option<Trouble> {
    match (&found.handle, wanted) {
        (Ok(_), _) => None,
        (Err(Some(refusal)), _) => Some(Trouble::Refused(
            found.name.clone().unwrap_or_default(),
            *refusal,
        )),
        (Err(None), Some(name)) => Some(Trouble::NoEncoderCalled(name)),
        (Err(None), None) => Some(Trouble::NoEncoder),
    }
}
