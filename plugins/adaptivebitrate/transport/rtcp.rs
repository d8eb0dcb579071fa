//! Receiver reports out of an RTP session, pushed when they come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use livetune_core::time::MediaTime;

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
    /// When the last report came, in nanoseconds of the monotonic clock.
    heard: Arc<AtomicU64>,
}

impl Session {
    /// Listens to `session`, which sends what leaves `rtp`; its reports go into the `inbox`.
    pub(super) fn listen(session: &gst::Element, rtp: &gst::Pad, inbox: Arc<Inbox>) -> Self {
        let weak = rtp.downgrade();
        let reporters = Mutex::new(Reporters::default());
        let heard = Arc::new(AtomicU64::new(0));
        let hears = heard.clone();
        // The session notifies right after it has taken in a report, with its lock released.
        let handler = session.connect_notify(Some("stats"), move |session, _| {
            guard::guard("adaptivebitrate's report handler", (), || {
                let ssrc = weak.upgrade().and_then(|pad| ssrc(&pad));
                if let Some(at) = take_in(session, ssrc, &reporters, &inbox) {
                    hears.store(at.as_nanos(), Ordering::Relaxed);
                }
            });
        });
        Self {
            session: session.downgrade(),
            rtp: rtp.downgrade(),
            handler: Some(handler),
            heard,
        }
    }

    /// That of our packets.
    pub(super) fn payload_type(&self) -> Option<u8> {
        let caps = self.rtp.upgrade()?.current_caps()?;
        let number = caps.structure(0)?.get::<i32>("payload").ok()?;
        u8::try_from(number).ok()
    }

    /// Reports came in the last `time` before `now`.
    pub(super) fn reported_within(&self, time: Duration, now: MediaTime) -> bool {
        let heard = MediaTime::from_nanos(self.heard.load(Ordering::Relaxed));
        now.since(heard) < time
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (Some(session), Some(handler)) = (self.session.upgrade(), self.handler.take()) {
            session.disconnect(handler);
        }
    }
}

/// Puts what is new in the session's statistics into the `inbox`; answers when, where there was something.
fn take_in(
    session: &gst::Element,
    ssrc: Option<u32>,
    reporters: &Mutex<Reporters>,
    inbox: &Inbox,
) -> Option<MediaTime> {
    let now = clock::monotonic();
    let stats = session.property_value("stats");
    let stats = stats.get::<&gst::StructureRef>().ok()?;
    let snapshot = Snapshot::read(stats, ssrc)?;
    let reports = lock(reporters).on_snapshot(&snapshot, now);
    let heard = !reports.is_empty();
    for report in reports {
        inbox.put(Input::Report(report), now);
    }
    heard.then_some(now)
}

fn ssrc(pad: &gst::Pad) -> Option<u32> {
    pad.current_caps()?.structure(0)?.get("ssrc").ok()
}
