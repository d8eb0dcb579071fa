//! Receiver reports out of an RTP session, pushed when they come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use gst::glib;
use gst::prelude::*;
use livetune_core::bitrate::IntervalReport;
use livetune_core::time::MediaTime;

use super::report_block::{Reporters, Snapshot};
use super::walk::RtpPath;
use crate::runtime::lock::lock;
use crate::runtime::{clock, guard};

/// Reports that may wait for the next buffer; with more, the oldest goes.
const MOST_WAITING: usize = 16;

/// The connection to one session. Weak: it keeps no session alive. Ends when dropped.
#[derive(Debug)]
pub(super) struct Feedback {
    session: glib::WeakRef<gst::Element>,
    name: String,
    handler: Option<glib::SignalHandlerId>,
    inbox: Arc<Inbox>,
}

impl Feedback {
    /// Listens to the session of `path`.
    pub(super) fn connect(path: &RtpPath) -> Self {
        let inbox = Arc::new(Inbox::default());
        let (to, rtp) = (inbox.clone(), path.rtp.downgrade());
        // The session notifies right after it has taken in a report, with its lock released.
        let handler = path
            .session
            .connect_notify(Some("stats"), move |session, _| {
                guard::guard("adaptivebitrate's report handler", (), || {
                    let ssrc = rtp.upgrade().and_then(|pad| ssrc(&pad));
                    to.take_in(session, ssrc);
                });
            });
        Self {
            session: path.session.downgrade(),
            name: path.session.name().to_string(),
            handler: Some(handler),
            inbox,
        }
    }

    /// The session's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// This listens to `session`.
    pub(super) fn is(&self, session: &gst::Element) -> bool {
        self.session.upgrade().as_ref() == Some(session)
    }

    /// The session is still part of a pipeline.
    pub(super) fn is_there(&self) -> bool {
        self.session
            .upgrade()
            .is_some_and(|session| session.parent().is_some())
    }

    /// The oldest report that was not taken yet, and when it came.
    pub(super) fn take(&self) -> Option<(IntervalReport, MediaTime)> {
        lock(&self.inbox.0).waiting.pop_front()
    }
}

impl Drop for Feedback {
    fn drop(&mut self) {
        if let (Some(session), Some(handler)) = (self.session.upgrade(), self.handler.take()) {
            session.disconnect(handler);
        }
    }
}

#[derive(Debug, Default)]
struct Inbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    reporters: Reporters,
    waiting: VecDeque<(IntervalReport, MediaTime)>,
}

impl Inbox {
    fn take_in(&self, session: &gst::Element, ssrc: Option<u32>) {
        let now = clock::monotonic();
        let Ok(stats) = session.property_value("stats").get::<gst::Structure>() else {
            return;
        };
        let Some(snapshot) = Snapshot::read(&stats, ssrc) else {
            return;
        };
        let mut inbox = lock(&self.0);
        for report in inbox.reporters.on_snapshot(&snapshot, now) {
            if inbox.waiting.len() >= MOST_WAITING {
                inbox.waiting.pop_front();
            }
            inbox.waiting.push_back((report, now));
        }
    }
}

fn ssrc(pad: &gst::Pad) -> Option<u32> {
    pad.current_caps()?.structure(0)?.get("ssrc").ok()
}
