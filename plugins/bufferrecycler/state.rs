//! What the element knows while it runs.

use gst::glib;
use livetune_core::recycle::{
    Answer, CopyPolicy, Decision, Downstream, Reason, Request, Room, Sizing,
};
use livetune_core::time::MediaTime;

use super::memory;
use super::pool::RecyclingPool;
use super::say::Trouble;
use super::settings::Settings;
use super::upstream::Upstream;
use super::watch::Watch;
use crate::runtime::telemetry::Registration;

/// Between two messages about the same trouble.
const QUIET: std::time::Duration = std::time::Duration::from_secs(1);

/// Exists from READY→PAUSED to PAUSED→READY.
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) sizing: Sizing,
    pub(super) policy: CopyPolicy,
    pub(super) room: Room,
    pub(super) offered: Offered,
    /// Upstream owns the pools; the old ones live until their last buffer is home.
    pub(super) pools: Vec<glib::WeakRef<RecyclingPool>>,
    pub(super) upstream: Upstream,
    /// Page faults of the process when this run began.
    pub(super) faults_before: u64,
    /// When the application last heard of each trouble.
    told: [Option<MediaTime>; Trouble::COUNT],
    /// The application was warned that a pool is at its maximum.
    warned: bool,
    /// What the allocator shall keep to.
    pub(super) wish: memory::Wish,
    /// Frames that somebody wrote into after giving them back, as far as the application heard of them.
    pub(super) late_writes: u64,
    _watch: Watch,
    _registration: Registration,
}

/// What lives as long as a run does.
pub(super) struct Ties {
    pub(super) watch: Watch,
    pub(super) registration: Registration,
    pub(super) wish: memory::Wish,
}

impl State {
    pub(super) fn new(settings: Settings, sizing: Sizing, faults: u64, ties: Ties) -> Self {
        Self {
            settings,
            sizing,
            policy: settings.copy_policy(),
            room: settings.room(),
            offered: Offered::NOTHING_YET,
            pools: Vec::new(),
            upstream: Upstream::default(),
            faults_before: faults,
            told: [None; Trouble::COUNT],
            warned: false,
            wish: ties.wish,
            late_writes: memory::figures().written_after_return,
            _watch: ties.watch,
            _registration: ties.registration,
        }
    }

    /// Whether the application is to hear of `trouble` now, which it does once in a while.
    pub(super) fn may_tell(&mut self, trouble: Trouble, now: MediaTime) -> bool {
        let told = &mut self.told[trouble as usize];
        let may = told.is_none_or(|before| now.since(before) >= QUIET);
        if may {
            *told = Some(now);
        }
        may
    }

    /// Whether to warn of a full pool: once in a run.
    pub(super) fn may_warn(&mut self) -> bool {
        !std::mem::replace(&mut self.warned, true)
    }

    pub(super) fn live_pools(&self) -> Vec<RecyclingPool> {
        self.pools
            .iter()
            .filter_map(glib::WeakRef::upgrade)
            .collect()
    }
}

/// Whose pool upstream was last offered.
#[derive(Clone, Copy)]
pub(super) struct Offered {
    pub(super) whose: &'static str,
    pub(super) reason: Reason,
}

impl Offered {
    pub(super) const DOWNSTREAM: &'static str = "downstream";
    pub(super) const NOTHING_YET: Self = Self {
        whose: "none",
        reason: Reason::NotAsked,
    };

    pub(super) fn new(request: &Request, decision: &Decision) -> Self {
        let whose = match (decision.answer, request.downstream) {
            (Answer::OwnPool(_), _) => "own",
            (_, Downstream::Pool(_) | Downstream::PlainPool(_)) => Self::DOWNSTREAM,
            _ => "none",
        };
        Self {
            whose,
            reason: decision.reason,
        }
    }
}
