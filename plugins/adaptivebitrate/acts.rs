//! Carries out what was decided: sets the encoder, tells upstream and the application.

use std::sync::atomic::Ordering;

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::imp::{AdaptiveBitrate, CAT};
use super::outbox::MESSAGE;
use super::state::{Act, News, State};
use crate::runtime::figures;
use crate::runtime::lock::lock;

impl AdaptiveBitrate {
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
        if news.post && lock(&self.settings).post_messages {
            let structure = figures::structure(MESSAGE, &announcement.figures());
            let message = gst::message::Element::builder(structure)
                .src(&*self.obj())
                .build();
            let _ = self.obj().post_message(message);
        }
    }
}
