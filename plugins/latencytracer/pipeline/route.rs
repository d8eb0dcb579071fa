//! What lies around a pad that pushes: looked up once, and again when a link anywhere changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;
use livetune_core::latency::Capture;
use livetune_core::time::MediaTime;

use super::inlet::{End, Inlet};
use super::topology;

/// How often links changed in this process. Zero is never the number of a route that was looked up.
static CHANGES: AtomicU64 = AtomicU64::new(1);

/// Reports between receivers and senders: not part of any stream.
const REPORTS: [&str; 2] = ["application/x-rtcp", "application/x-srtcp"];

/// Pads were linked or unlinked, or a pipeline began a new run: all routes are looked up again.
pub(in crate::latencytracer) fn links_changed() {
    CHANGES.fetch_add(1, Ordering::Relaxed);
}

/// How often links have changed.
pub(super) fn changes() -> u64 {
    CHANGES.load(Ordering::Relaxed)
}

#[derive(Debug, Default)]
pub(super) struct Route {
    changes: u64,
    /// Where frames came into the element.
    pub(super) inlets: Arc<[Arc<Inlet>]>,
    /// Where they come to next.
    pub(super) ahead: Option<Arc<Inlet>>,
    /// Where their way ends there.
    pub(super) end: Option<Arc<End>>,
    /// What passes is not to be measured.
    pub(super) aside: bool,
    pub(super) base_time: Option<gst::ClockTime>,
}

impl Route {
    /// Looks around `pad` for `observer`. Takes the locks of pads.
    pub(super) fn of(pad: &gst::Pad, observer: u64) -> Self {
        let changes = changes();
        let inputs = topology::across(pad);
        let peer = topology::peer(pad);
        let ahead = peer.as_ref().map(Inlet::of);
        let next = peer.and_then(|peer| peer.parent_element());
        let is_last = next.is_some_and(|element| element.num_src_pads() == 0);
        Self {
            changes,
            inlets: inputs.iter().map(Inlet::of).collect(),
            end: ahead
                .as_ref()
                .filter(|_| is_last)
                .map(|inlet| inlet.end(observer)),
            ahead,
            aside: carries_reports(pad),
            base_time: pad.parent_element().and_then(|element| element.base_time()),
        }
    }

    #[inline]
    pub(super) fn is_current(&self) -> bool {
        self.changes == changes()
    }

    /// When `frame` came into the element.
    #[inline]
    pub(super) fn arrived(&self, frame: &Capture) -> Option<MediaTime> {
        self.inlets.iter().find_map(|inlet| inlet.find(frame))
    }
}

/// Whether no buffer ever came into the element by its pads: it makes them, or reads them by itself.
pub(super) fn begins(inlets: &[Arc<Inlet>]) -> bool {
    !inlets.iter().any(|inlet| inlet.is_used())
}

fn carries_reports(pad: &gst::Pad) -> bool {
    let caps = pad.current_caps();
    caps.is_some_and(|caps| {
        let kinds = caps.structure(0).map(|structure| structure.name().as_str());
        kinds.is_some_and(|kind| REPORTS.contains(&kind))
    })
}
