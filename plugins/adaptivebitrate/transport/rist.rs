//! RIST: reports of the session inside the sink, and what had to be sent again where there are none.
//!
//! A receiver of GStreamer 1.22 stops reporting once packets get lost: its rtpsession waits for a report on the
//! repaired packets that it was told never to make (seen with ristsrc). It goes on asking for what it lacks.

use std::sync::Mutex;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use livetune_core::bitrate::IntervalReport;
use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::rtcp::Session;
use crate::runtime::lock::lock;

/// RIST's RTCP comes every 100 ms (VSF TR-06-1, 5.1); after ten of them it does not come.
const SILENT: Duration = Duration::from_secs(1);
/// What is lost is asked for until it is too late, after a second (ristsrc's receiver-buffer): only then does a lower
/// rate show.
const INTERVAL: Duration = Duration::from_secs(1);

/// One sink. Weak: it keeps no element alive.
#[derive(Debug)]
pub(super) struct Rist {
    sink: glib::WeakRef<gst::Element>,
    session: Session,
    last: Mutex<Option<Sent>>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    original: u64,
    again: u64,
    at: MediaTime,
}

impl Rist {
    pub(super) fn of(sink: &gst::Element, session: Session) -> Self {
        Self {
            sink: sink.downgrade(),
            session,
            last: Mutex::default(),
        }
    }

    /// What had to be sent again since the last look, where nobody reports.
    pub(super) fn read(&self, now: MediaTime) -> Option<IntervalReport> {
        let last = *lock(&self.last);
        if last.is_some_and(|last| now.since(last.at) < INTERVAL) {
            return None;
        }
        let stats = self.sink.upgrade()?.property_value("stats");
        let stats = stats.get::<&gst::StructureRef>().ok()?;
        let sent = Sent {
            original: stats.get("sent-original-packets").ok()?,
            again: stats.get("sent-retransmitted-packets").ok()?,
            at: now,
        };
        lock(&self.last).replace(sent);
        let last = last.filter(|_| !self.session.reported_within(SILENT, now))?;
        report(last, sent)
    }
}

fn report(last: Sent, sent: Sent) -> Option<IntervalReport> {
    let original = sent.original.checked_sub(last.original)?;
    let again = sent.again.checked_sub(last.again)?;
    (original > 0).then(|| IntervalReport {
        loss: Ratio::of(again, original.saturating_add(again)),
        expected: u32::try_from(original).ok(),
        ..IntervalReport::default()
    })
}
