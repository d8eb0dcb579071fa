//! Receiver reports out of an RTP session, pushed when they come.

use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;

use super::super::walk::RtpPath;
use super::inbox::{Inbox, Input};
use super::report_block::{Reporters, Snapshot};
use crate::runtime::lock::lock;
use crate::runtime::{clock, guard};

/// The connection to one session. Weak: it keeps no session alive. Ends when dropped.
#[derive(Debug)]
pub(in super::super) struct Feedback {
    session: glib::WeakRef<gst::Element>,
    name: String,
    handler: Option<glib::SignalHandlerId>,
}

impl Feedback {
    /// Listens to the session of `path`; its reports go into the `inbox`.
    pub(in super::super) fn connect(path: &RtpPath, inbox: Arc<Inbox>) -> Self {
        let rtp = path.rtp.downgrade();
        let reporters = Mutex::new(Reporters::default());
        // The session notifies right after it has taken in a report, with its lock released.
        let handler = path
            .session
            .connect_notify(Some("stats"), move |session, _| {
                guard::guard("adaptivebitrate's report handler", (), || {
                    let ssrc = rtp.upgrade().and_then(|pad| ssrc(&pad));
                    take_in(session, ssrc, &reporters, &inbox);
                });
            });
        Self {
            session: path.session.downgrade(),
            name: path.session.name().to_string(),
            handler: Some(handler),
        }
    }

    /// The session's name.
    pub(in super::super) fn name(&self) -> &str {
        &self.name
    }

    /// This listens to `session`.
    pub(in super::super) fn is(&self, session: &gst::Element) -> bool {
        self.session.upgrade().as_ref() == Some(session)
    }

    /// The session is still part of a pipeline.
    pub(in super::super) fn is_there(&self) -> bool {
        self.session
            .upgrade()
            .is_some_and(|session| session.parent().is_some())
    }
}

impl Drop for Feedback {
    fn drop(&mut self) {
        if let (Some(session), Some(handler)) = (self.session.upgrade(), self.handler.take()) {
            session.disconnect(handler);
        }
    }
}

fn take_in(session: &gst::Element, ssrc: Option<u32>, reporters: &Mutex<Reporters>, inbox: &Inbox) {
    let now = clock::monotonic();
    let Ok(stats) = session.property_value("stats").get::<gst::Structure>() else {
        return;
    };
    let Some(snapshot) = Snapshot::read(&stats, ssrc) else {
        return;
    };
    for report in lock(reporters).on_snapshot(&snapshot, now) {
        inbox.put(Input::Report(report), now);
    }
}

fn ssrc(pad: &gst::Pad) -> Option<u32> {
    pad.current_caps()?.structure(0)?.get("ssrc").ok()
}
