//! Receiver reports out of an RTP session, pushed when they come.

use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;

use super::inbox::{Inbox, Input};
use super::report_block::{Reporters, Snapshot};
use crate::runtime::lock::lock;
use crate::runtime::{clock, guard};

/// The connection to one session. Weak: it keeps no session alive. Ends when dropped.
#[derive(Debug)]
pub(super) struct Session {
    session: glib::WeakRef<gst::Element>,
    rtp: glib::WeakRef<gst::Pad>,
    handler: Option<glib::SignalHandlerId>,
}

impl Session {
    /// Listens to `session`, which sends what leaves `rtp`; its reports go into the `inbox`.
    pub(super) fn listen(session: &gst::Element, rtp: &gst::Pad, inbox: Arc<Inbox>) -> Self {
        let weak = rtp.downgrade();
        let reporters = Mutex::new(Reporters::default());
        // The session notifies right after it has taken in a report, with its lock released.
        let handler = session.connect_notify(Some("stats"), move |session, _| {
            guard::guard("adaptivebitrate's report handler", (), || {
                let ssrc = weak.upgrade().and_then(|pad| ssrc(&pad));
                take_in(session, ssrc, &reporters, &inbox);
            });
        });
        Self {
            session: session.downgrade(),
            rtp: rtp.downgrade(),
            handler: Some(handler),
        }
    }

    /// That of our packets.
    pub(super) fn payload_type(&self) -> Option<u8> {
        let caps = self.rtp.upgrade()?.current_caps()?;
        let number = caps.structure(0)?.get::<i32>("payload").ok()?;
        u8::try_from(number).ok()
    }
}

impl Drop for Session {
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
