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
/// A second holds about thirty frames.
const INTERVAL: Duration = Duration::from_secs(1);
/// What is lost is asked for until it is too late, after a second (ristsrc's receiver-buffer): only then does a lower
/// rate show.
const REPAIR: Duration = Duration::from_secs(1);
/// More than this is no chance (draft-ietf-rmcat-gcc-02, section 6).
const HEAVY: f64 = 0.1;

/// A packet is asked for again and again, so that more than this says no more than this.
const MOST: f64 = 0.5;

/// One sink. Weak: it keeps no element alive.
#[derive(Debug)]
pub(super) struct Rist {
    sink: glib::WeakRef<gst::Element>,
    session: Session,
    last: Mutex<Option<Sent>>,
    next: Mutex<MediaTime>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    original: u64,
    again: u64,
}

impl Rist {
    pub(super) fn of(sink: &gst::Element, session: Session) -> Self {
        Self {
            sink: sink.downgrade(),
            session,
            last: Mutex::default(),
            next: Mutex::default(),
        }
    }

    /// What had to be sent again since the last look, where nobody reports.
    pub(super) fn read(&self, now: MediaTime) -> Option<IntervalReport> {
        if now < *lock(&self.next) {
            return None;
        }
        *lock(&self.next) = now.after(INTERVAL);
        let sent = self.sent()?;
        let last = lock(&self.last).replace(sent);
        let last = last.filter(|_| !self.session.reported_within(SILENT, now))?;
        let report = report(last, sent)?;
        if report.loss.as_f64() > HEAVY {
            *lock(&self.last) = None;
            *lock(&self.next) = now.after(REPAIR);
        }
        Some(report)
    }

    fn sent(&self) -> Option<Sent> {
        let stats = self.sink.upgrade()?.property_value("stats");
        let stats = stats.get::<&gst::StructureRef>().ok()?;
        Some(Sent {
            original: stats.get("sent-original-packets").ok()?,
            again: stats.get("sent-retransmitted-packets").ok()?,
        })
    }
}

fn report(last: Sent, sent: Sent) -> Option<IntervalReport> {
    let original = sent.original.checked_sub(last.original)?;
    let again = sent.again.checked_sub(last.again)?;
    let loss = Ratio::of(again, original.saturating_add(again)).as_f64();
    (original > 0).then(|| IntervalReport {
        loss: Ratio::new(loss.min(MOST)),
        expected: u32::try_from(original).ok(),
        ..IntervalReport::default()
    })
}
