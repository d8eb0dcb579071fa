//! What the element does: takes settings over, sets the encoder, tells what changed.

use std::sync::atomic::Ordering;

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use super::encoder::{Encoder, Frame};
use super::imp::{AdaptiveBitrate, CAT};
use super::outbox::MESSAGE;
use super::settings::{Settings, Tuning};
use super::state::{Act, News, State};
use super::transport;
use crate::runtime::lock::lock;
use crate::runtime::{clock, figures, guard};

/// The signal: the new target in bit/s, and the reason.
pub(super) const BITRATE_CHANGED: &str = "bitrate-changed";

impl AdaptiveBitrate {
    /// Takes `change` over where the limits can be kept then, or where nothing runs yet.
    pub(super) fn change_limits(&self, change: impl FnOnce(&mut Settings)) {
        guard::guard("adaptivebitrate's limits", (), || {
            let mut wanted = lock(&self.settings).clone();
            change(&mut wanted);
            if let Err(text) = self.set_limits(&wanted) {
                gst::element_imp_warning!(
                    self,
                    gst::LibraryError::Settings,
                    ("{text}; nothing changed")
                );
                return;
            }
            let mut settings = lock(&self.settings);
            settings.min_bitrate = wanted.min_bitrate;
            settings.max_bitrate = wanted.max_bitrate;
        });
    }

    /// Takes `change` over at once.
    pub(super) fn tune(&self, change: impl FnOnce(&mut Tuning)) {
        guard::guard("adaptivebitrate's tuning", (), || {
            let tuning = {
                let mut settings = lock(&self.settings);
                change(&mut settings.tuning);
                settings.tuning.clone()
            };
            if let Some(state) = &mut *lock(&self.state) {
                state.set_tuning(&tuning);
            }
        });
    }

    pub(super) fn enable(&self, enabled: bool) {
        guard::guard("adaptivebitrate's switch", (), || {
            lock(&self.settings).enabled = enabled;
            let encoder = lock(&self.state)
                .as_ref()
                .and_then(|state| state.encoder().cloned());
            let current = encoder.as_ref().and_then(Encoder::bitrate);
            if let Some(state) = &mut *lock(&self.state) {
                state.set_enabled(enabled, current, clock::monotonic());
            }
        });
    }

    fn set_limits(&self, settings: &Settings) -> Result<(), String> {
        match &mut *lock(&self.state) {
            Some(state) => {
                let limits = settings.limits()?;
                state
                    .set_limits(limits, clock::monotonic())
                    .map_err(|error| error.to_string())
            }
            None => Ok(()),
        }
    }

    pub(super) fn on_buffer(&self, buffer: &gst::BufferRef) {
        let now = clock::monotonic();
        if self.is_search_due(now) {
            self.find_encoder(now);
            self.find_transports(now);
        }
        let frame = Frame::of(buffer);
        let media = transport::running_time(self.obj().sink_pad(), buffer);
        let observe = |state: &mut State| {
            let act = state.on_buffer(frame, media, now);
            (act, state.late_trouble(now))
        };
        let (act, trouble) = lock(&self.state).as_mut().map(observe).unwrap_or_default();
        if let Some(act) = act {
            self.act(&act);
        }
        self.show_estimate();
        self.mend(now);
        self.tell(trouble);
    }

    pub(super) fn act(&self, act: &Act) {
        let newest = |state: &State| state.is_newest(act);
        if !lock(&self.state).as_ref().is_some_and(newest) {
            return;
        }
        if let Some((encoder, setting)) = &act.encoder {
            gst::trace!(CAT, imp = self, "the encoder is set to {setting:?}");
            encoder.set(*setting);
        }
        if let Some(news) = &act.news {
            self.announce(news);
        }
    }

    fn announce(&self, news: &News) {
        let announcement = &news.announcement;
        gst::debug!(CAT, imp = self, "{announcement:?}");
        // Whether anybody upstream listens is not ours to know.
        let _ = self
            .obj()
            .sink_pad()
            .push_event(announcement.event(news.limits));
        self.target
            .store(announcement.bitrate.as_bps_u32(), Ordering::Relaxed);
        self.obj().notify_target_bitrate();
        let bitrate = announcement.bitrate.as_bps_u32();
        let reason = announcement.reason.as_str();
        self.obj()
            .emit_by_name::<()>(BITRATE_CHANGED, &[&bitrate, &reason]);
        if news.post && lock(&self.settings).post_messages {
            let structure = figures::structure(MESSAGE, &announcement.figures());
            let message = gst::message::Element::builder(structure)
                .src(&*self.obj())
                .build();
            let _ = self.obj().post_message(message);
        }
    }

    fn show_estimate(&self) {
        let estimate = lock(&self.state).as_ref().and_then(State::estimate);
        let bps = estimate.map_or(0, Bitrate::as_bps_u32);
        if self.estimate.swap(bps, Ordering::Relaxed) != bps {
            self.obj().notify_estimated_bitrate();
        }
    }

    /// Asks the encoder for a key frame where the receiver's pictures want mending.
    fn mend(&self, now: MediaTime) {
        let wants = |state: &mut State| state.wants_key_frame(now);
        if lock(&self.state).as_mut().is_some_and(wants) {
            gst::debug!(CAT, imp = self, "heavy loss is over: a key frame, please");
            let event = gst_video::UpstreamForceKeyUnitEvent::builder()
                .all_headers(true)
                .build();
            // An encoder that has none to give is nothing to complain of.
            let _ = self.obj().sink_pad().push_event(event);
        }
    }
}
