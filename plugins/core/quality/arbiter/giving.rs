//! Whether others have to give way to a load, and what they have back where that was in vain.

use crate::time::MediaTime;

use super::super::load::{Load, LoadState};
use super::super::sensor::Sensor;
use super::trial::{Outcome, Trial};
use super::{Arbiter, MemberId, Order};

/// Whose a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// What the members share has too much to do.
    Shared,
    /// Only the one that has it can do something about it.
    Own,
    /// That is to be seen.
    Waits,
}

impl Arbiter {
    /// Whose the load of the member `id` is; `seen` is that load, pixels a second of all, and whether nobody but itself
    /// is left to go down.
    pub(super) fn whose(&mut self, id: MemberId, seen: (f64, f64, bool), now: MediaTime) -> Whose {
        let many = self.others_have_too_much(id, now);
        self.trial.take_if(|trial| many || !trial.is_for(id));
        if many {
            return Whose::Shared;
        }
        let settle = self.config.settle;
        let asker = self.members.iter().find(|member| member.id == id);
        let tried = asker.and_then(|asker| asker.tried);
        let in_vain = tried.is_some_and(|(tried, wait)| now.since(tried) < wait);
        let roomy = asker.is_some_and(|asker| asker.crowded == Some(false));
        let Some(trial) = &self.trial else {
            return match in_vain || roomy {
                true => Whose::Own,
                false => Whose::Shared,
            };
        };
        match trial.outcome(seen, settle, now) {
            Outcome::Failed => Whose::Own,
            Outcome::Waits => Whose::Waits,
            Outcome::GoesOn => Whose::Shared,
            Outcome::Helped => {
                self.trial = None;
                Whose::Shared
            }
        }
    }

    pub(super) fn others_have_too_much(&self, id: MemberId, now: MediaTime) -> bool {
        let mut others = self.members.iter().filter(|member| member.id != id);
        others.any(|other| other.is_overloaded(now) && !other.own)
    }

    /// The member goes down for a load of its own; those that gave way to it have their steps back.
    pub(super) fn on_own(&mut self, id: MemberId, load: &Load, now: MediaTime) {
        self.switched = Some(now);
        // That says nothing of what the members can take together.
        self.retry.forgive();
        let trial = self.trial.take();
        let (shortest, longest) = (self.config.probation, self.config.retry_max);
        if let Some(member) = self.member(id) {
            member.own = true;
            if trial.is_some() {
                let before = member.tried.map(|(_, wait)| wait * 2);
                let wait = before.map_or(shortest, |wait| wait.min(longest));
                member.tried = Some((now, wait));
            }
        }
        let sensor = load.sensor.unwrap_or(Sensor::Chain);
        for (gave, to) in trial.into_iter().flat_map(Trial::into_gave) {
            if let Some(member) = self.member(gave) {
                member.order = None;
                member.due = Some((Order { to, sensor }, now));
            }
        }
    }

    /// The member sees that load: whether those that gave way to it helped is seen by it.
    pub(super) fn on_askers_load(&mut self, id: MemberId, load: &Load, now: MediaTime) {
        let settle = self.config.settle;
        let Some(trial) = self.trial.as_mut().filter(|trial| trial.is_for(id)) else {
            return;
        };
        trial.on_load(load.value, settle, now);
        if load.state < LoadState::High && trial.is_settled(settle, now) {
            self.trial = None;
        }
    }

    /// The step that the member has back now, where it has one to get and nothing speaks against it.
    pub(super) fn take_back(&mut self, id: MemberId, now: MediaTime) -> Option<Order> {
        let member = self.members.iter().find(|member| member.id == id)?;
        let (order, since) = member.due?;
        if !self.gap_is_over(self.config.gap, now) {
            return None;
        }
        let borne = member.load.state == LoadState::Optimal && !member.held;
        let gives = order.to < member.at
            && borne
            && now.since(since) < self.config.retry
            && !self.others_have_too_much(id, now);
        if let Some(member) = self.member(id) {
            member.due = None;
        }
        self.switched = gives.then_some(now).or(self.switched);
        gives.then_some(order)
    }
}
