//! Several videos that share a machine: who steps down first, and who recovers first.

mod giving;
mod member;
mod trial;

use std::time::Duration;

use crate::time::MediaTime;

use super::backoff::Backoff;
use super::load::{Load, LoadState};
use super::sensor::Sensor;
use giving::Whose;
use member::Member;
use trial::Trial;

/// How an arbiter paces its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArbiterConfig {
    /// From one switch to the next: each can cost a key frame, and they must not come together.
    pub gap: Duration,
    /// From a switch to the next upgrade: what it does to the load has to be seen first.
    pub settle: Duration,
    /// How soon after an upgrade an overload says that the upgrade was too much.
    pub probation: Duration,
    /// The wait before the load at which an upgrade was too much is tried again, doubled by each that is, and the longest
    /// that it grows to.
    pub retry: Duration,
    /// See `retry`.
    pub retry_max: Duration,
}

impl Default for ArbiterConfig {
    /// Twice 20 s and up to 240 s: libwebrtc's OveruseFrameDetector after an upgrade that failed.
    fn default() -> Self {
        Self {
            gap: Duration::from_millis(500),
            settle: Duration::from_secs(1),
            probation: Duration::from_secs(40),
            retry: Duration::from_secs(20),
            retry_max: Duration::from_secs(240),
        }
    }
}

/// As near to the load at which the machine was full, as a part of that, nobody goes without the wait.
const NEARLY_FULL: f64 = 0.95;

/// Chains that are less busy than this part of what they were: the machine has less to do besides. Threads that share
/// processors are busy in proportion to how many want one.
const RELIEVED: f64 = 0.6;

/// The load that members may come to after a step down at a critical load.
const BEARABLE: f64 = 0.85;

/// Names a member of an arbiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(u64);

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing<'a> {
    /// Pixels a second of its steps, the best first.
    pub speeds: &'a [f64],
    /// The step that holds.
    pub at: usize,
    /// The load that its own frames see on this machine.
    pub load: Load,
    /// Whether the machine has more to do than it can, where that is known.
    pub crowded: Option<bool>,
    /// How busy its chain is.
    pub busy: Option<f64>,
    /// Something that others do not share keeps it from going up: its network.
    pub held: bool,
}

/// What a member has to do for another, or has back for having done it in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The step to go to.
    pub to: usize,
    /// The other's sensor that asks for it.
    pub sensor: Sensor,
}

/// An upgrade was too much.
#[derive(Clone, Copy, Debug)]
struct Full {
    /// Pixels a second of all members together with it.
    total: f64,
    /// How busy the members' chains were without it, in the mean, once that was seen.
    busy: Option<f64>,
}

/// Decides among the members of a group: at an overload the lowest priority goes down first, afterwards the highest
/// goes up first; within a priority the one that has most left, or least.
///
/// Nobody gives way to a load that is a member's own: where the machine is not full and no other has too much, or where
/// others gave way and that did not help. Those have their steps back.
#[derive(Clone, Debug)]
pub struct Arbiter {
    config: ArbiterConfig,
    members: Vec<Member>,
    next: u64,
    switched: Option<MediaTime>,
    fell: Option<MediaTime>,
    full: Option<Full>,
    retry: Backoff,
    trial: Option<Trial>,
}

impl Default for Arbiter {
    fn default() -> Self {
        Self::new(ArbiterConfig::default())
    }
}

impl Arbiter {
    /// An arbiter without members.
    pub fn new(config: ArbiterConfig) -> Self {
        Self {
            retry: Backoff::new(
                config.retry,
                config.retry_max.max(config.retry),
                config.probation,
            ),
            config,
            members: Vec::new(),
            next: 0,
            switched: None,
            fell: None,
            full: None,
            trial: None,
        }
    }

    /// A new member; higher priorities keep their quality longer.
    pub fn join(&mut self, priority: i32) -> MemberId {
        let id = MemberId(self.next);
        self.next += 1;
        self.members.push(Member::new(id, priority));
        id
    }

    /// The member is no more.
    pub fn leave(&mut self, id: MemberId) {
        self.members.retain(|member| member.id != id);
        self.full = None;
        self.trial.take_if(|trial| trial.is_for(id));
    }

    /// The member has another priority from now on.
    pub fn set_priority(&mut self, id: MemberId, priority: i32) {
        if let Some(member) = self.member(id) {
            member.priority = priority;
        }
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// The member is there and stands like that. Answers what it has to do for another.
    pub fn on_member(
        &mut self,
        id: MemberId,
        standing: Standing<'_>,
        now: MediaTime,
    ) -> Option<Order> {
        let member = self.member(id)?;
        member.seen = Some(now);
        member.load = standing.load;
        member.crowded = standing.crowded;
        member.busy = standing.busy;
        member.held = standing.held;
        if member.speeds != standing.speeds {
            member.speeds.clear();
            member.speeds.extend_from_slice(standing.speeds);
            member.order = None;
            member.due = None;
        }
        member.at = standing.at;
        let order = member.take_order(now);
        self.on_askers_load(id, &standing.load, now);
        order.or_else(|| self.take_back(id, now))
    }

    /// The member went to step `at`, whoever wanted it.
    pub fn on_moved(&mut self, id: MemberId, at: usize, now: MediaTime) {
        self.switched = Some(now);
        if let Some(member) = self.member(id) {
            member.at = at;
            member.moved = Some(now);
            member.order = None;
            member.due = None;
            member.asked = None;
            if at == 0 {
                member.own = false;
                member.tried = None;
            }
        }
    }

    /// The member has too much load and would go down to `to`. Answers where it has to go now; or it was somebody
    /// else's turn, who was told, or it is too soon after the last switch.
    pub fn on_overload(
        &mut self,
        id: MemberId,
        load: &Load,
        to: usize,
        now: MediaTime,
    ) -> Option<usize> {
        if !self.gap_is_over(self.config.gap, now) {
            return None;
        }
        let victim = self.victim(id, now)?;
        let (victim, at, down) = (victim.id, victim.at, self.depth(victim, load, now));
        let total = self.total(now);
        match self.whose(id, (load.value, total, victim == id), now) {
            Whose::Shared => (),
            Whose::Waits => return None,
            Whose::Own => {
                self.on_own(id, load, now);
                return Some(to);
            }
        }
        if self.retry.on_fall(now) {
            self.full = Some(Full { total, busy: None });
        }
        self.switched = Some(now);
        self.fell = Some(now);
        if let Some(member) = self.member(victim) {
            member.own = false;
        }
        if victim == id {
            return Some(if self.is_alone(now) { to } else { down });
        }
        if !self.others_have_too_much(id, now) {
            let begun = self.trial.take();
            let mut trial = begun.unwrap_or_else(|| Trial::new(id, load.value, total, now));
            trial.on_told(victim, at, now);
            self.trial = Some(trial);
        }
        let sensor = load.sensor.unwrap_or(Sensor::Chain);
        if let Some(member) = self.member(victim) {
            member.order = Some((Order { to: down, sensor }, now));
            member.due = None;
        }
        None
    }

    /// The member has had room for a step up for long enough. Answers whether it is its turn.
    pub fn on_room(&mut self, id: MemberId, now: MediaTime) -> bool {
        self.forget(now);
        let alone = self.is_alone(now);
        let Some(member) = self.member(id) else {
            return false;
        };
        member.asked = Some(now);
        if !self.gap_is_over(self.config.settle.max(self.config.gap), now) {
            return false;
        }
        let Some(asker) = self.members.iter().find(|member| member.id == id) else {
            return false;
        };
        let others = self
            .members
            .iter()
            .filter(|other| other.id != id && other.is_live(now));
        let kept_back = others
            .into_iter()
            .any(|other| other.goes_up_before(asker, now));
        if kept_back || (!alone && !self.has_place_for(asker, now)) {
            return false;
        }
        self.retry.on_climb(now);
        self.switched = Some(now);
        true
    }

    /// Whose turn it is to go down for the member `id`.
    fn victim(&self, id: MemberId, now: MediaTime) -> Option<&Member> {
        let asker = self.members.iter().find(|member| member.id == id)?;
        let priority = asker.priority;
        let victims = self.members.iter().filter(|member| {
            let shares = member.priority < priority
                || (member.priority == priority && member.load.state > LoadState::Optimal);
            member.id == id || (shares && member.is_live(now))
        });
        victims
            .filter(|member| member.can_fall())
            .min_by(|a, b| a.goes_down_before(b))
    }

    fn member(&mut self, id: MemberId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    fn gap_is_over(&self, gap: Duration, now: MediaTime) -> bool {
        self.switched
            .is_none_or(|switched| now.since(switched) >= gap)
    }

    fn is_alone(&self, now: MediaTime) -> bool {
        let live = self.members.iter().filter(|member| member.is_live(now));
        live.count() <= 1
    }

    /// Pixels a second of all members that are there.
    fn total(&self, now: MediaTime) -> f64 {
        let live = self.members.iter().filter(|member| member.is_live(now));
        live.map(|member| member.speed(member.at)).sum()
    }

    /// How far `victim` goes: one step, or, at a critical load, to where it takes all of its priority to go.
    fn depth(&self, victim: &Member, load: &Load, now: MediaTime) -> usize {
        let (next, lowest) = (victim.at + 1, victim.speeds.len() - 1);
        if load.state < LoadState::Critical {
            return next;
        }
        let total = self.total(now).max(1.0);
        let borne = |step: &usize| {
            let part = victim.speed(*step) / victim.speed(0).max(1.0);
            let live = self.members.iter().filter(|member| member.is_live(now));
            let give = live.filter(|member| member.priority == victim.priority);
            let given: f64 = give.map(|member| member.above(part)).sum();
            load.value * (total - given) / total <= BEARABLE
        };
        (next..lowest).find(borne).unwrap_or(lowest)
    }

    /// Forgets what was too much, where it was not this time, or where the machine has clearly got less to do besides.
    fn forget(&mut self, now: MediaTime) {
        let succeeded = self.retry.on_time(now);
        let (total, busy) = (self.total(now), self.busy(now));
        let settled = self
            .switched
            .is_none_or(|switched| now.since(switched) >= self.config.settle * 2);
        let Some(full) = &mut self.full else {
            return;
        };
        if full.busy.is_none() && settled {
            full.busy = busy;
        }
        let relieved = full
            .busy
            .zip(busy)
            .is_some_and(|(then, now)| now < then * RELIEVED);
        if relieved {
            self.retry.start_over();
        }
        if relieved || (succeeded && total >= full.total) {
            self.full = None;
        }
    }

    /// How busy the members' chains are in the mean.
    fn busy(&self, now: MediaTime) -> Option<f64> {
        let live = self.members.iter().filter(|member| member.is_live(now));
        let (count, sum) = live
            .filter_map(|member| member.busy)
            .fold((0_u32, 0.0), |(count, sum), busy| (count + 1, sum + busy));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// Whether the machine would not be as full again as when it was too full, or it is time to see whether it still
    /// would.
    fn has_place_for(&self, asker: &Member, now: MediaTime) -> bool {
        let Some(full) = self.full else {
            return true;
        };
        let above = asker.at.saturating_sub(1);
        let total = self.total(now) - asker.speed(asker.at) + asker.speed(above);
        let waited = self
            .fell
            .is_none_or(|fell| now.since(fell) >= self.retry.wait());
        total < full.total * NEARLY_FULL || waited
    }
}

#[cfg(test)]
mod tests;
