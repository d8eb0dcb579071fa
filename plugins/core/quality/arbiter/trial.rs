//! Whether it helps a member with too much load that others give way to it.

use std::time::Duration;

use crate::time::MediaTime;

use super::MemberId;

/// So much of the pixels a second of all has to be given before it is seen whether that helps: what less does lies within
/// what one picture costs more than another.
const ENOUGH: f64 = 0.25;

/// The load of one that shares the machine falls by at least this part of what the others gave. Not by all of it: threads
/// of others run there, too.
const EFFECT: f64 = 0.25;

/// Members give way to one that is alone with its load.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    asker: MemberId,
    /// The most load that it saw before what was given could show.
    peak: f64,
    /// Pixels a second of all before.
    total: f64,
    /// When somebody was last told to give way.
    told: MediaTime,
    /// Who gave way, and the steps that they had.
    gave: Vec<(MemberId, usize)>,
}

/// What a trial has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// More can be given before it is judged.
    GoesOn,
    /// What was given is not seen yet.
    Waits,
    /// The others' giving way shows.
    Helped,
    /// It does not: what keeps the asker busy is not shared.
    Failed,
}

impl Trial {
    pub(super) const fn new(asker: MemberId, load: f64, total: f64, now: MediaTime) -> Self {
        Self {
            asker,
            peak: load,
            total,
            told: now,
            gave: Vec::new(),
        }
    }

    pub(super) fn is_for(&self, id: MemberId) -> bool {
        self.asker == id
    }

    /// The member `id`, which had the step `at`, was told to give way.
    pub(super) fn on_told(&mut self, id: MemberId, at: usize, now: MediaTime) {
        self.told = now;
        if self.gave.iter().all(|(known, _)| *known != id) {
            self.gave.push((id, at));
        }
    }

    /// The asker sees `load`. What it sees just after somebody gave way is from before.
    pub(super) fn on_load(&mut self, load: f64, settle: Duration, now: MediaTime) {
        if now.since(self.told) < settle / 2 {
            self.peak = self.peak.max(load);
        }
    }

    pub(super) fn is_settled(&self, settle: Duration, now: MediaTime) -> bool {
        now.since(self.told) >= settle
    }

    /// The asker still has too much, `load`, while all have pixels a second of `total`; `last` where nobody else is left
    /// who could give.
    pub(super) fn outcome(
        &self,
        (load, total, last): (f64, f64, bool),
        settle: Duration,
        now: MediaTime,
    ) -> Outcome {
        let given = (self.total - total) / self.total.max(1.0);
        if given < ENOUGH && !last {
            Outcome::GoesOn
        } else if !self.is_settled(settle, now) {
            Outcome::Waits
        } else if load <= self.peak * (1.0 - EFFECT * given) {
            Outcome::Helped
        } else {
            Outcome::Failed
        }
    }

    /// Who gave way, and the steps that they had.
    pub(super) fn into_gave(self) -> Vec<(MemberId, usize)> {
        self.gave
    }
}
