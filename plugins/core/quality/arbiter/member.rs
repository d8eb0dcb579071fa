//! One video of several, as the arbiter knows it.

use std::cmp::Ordering;
use std::time::Duration;

use crate::time::MediaTime;

use super::super::load::{Load, LoadState};
use super::{MemberId, Order};

/// A member that was not heard of for so long cannot do anything: it is paused, or its camera is gone.
pub(super) const LIVE: Duration = Duration::from_secs(2);

/// A member that has not recovered for so long, though it might have, no longer holds back those below: something other
/// than what they share is in its way.
const PATIENCE: Duration = Duration::from_secs(240);

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: MemberId,
    pub(super) priority: i32,
    pub(super) speeds: Vec<f64>,
    pub(super) at: usize,
    pub(super) load: Load,
    /// Whether the machine is full, as far as that is known.
    pub(super) crowded: Option<bool>,
    pub(super) busy: Option<f64>,
    pub(super) held: bool,
    pub(super) seen: Option<MediaTime>,
    pub(super) moved: Option<MediaTime>,
    /// When it last asked for a step up.
    pub(super) asked: Option<MediaTime>,
    pub(super) order: Option<(Order, MediaTime)>,
    /// The step that it has back for having given way in vain, and since when.
    pub(super) due: Option<(Order, MediaTime)>,
    /// The last step down was for a load that is nobody else's.
    pub(super) own: bool,
    /// When others gave way to it in vain, and how long they do not do so again.
    pub(super) tried: Option<(MediaTime, Duration)>,
}

impl Member {
    pub(super) const fn new(id: MemberId, priority: i32) -> Self {
        Self {
            id,
            priority,
            speeds: Vec::new(),
            at: 0,
            load: Load {
                state: LoadState::Optimal,
                value: 0.0,
                sensor: None,
            },
            crowded: None,
            busy: None,
            held: false,
            seen: None,
            moved: None,
            asked: None,
            order: None,
            due: None,
            own: false,
            tried: None,
        }
    }

    pub(super) fn speed(&self, step: usize) -> f64 {
        self.speeds.get(step).copied().unwrap_or_default()
    }

    /// What is left to it of its best.
    pub(super) fn part(&self) -> f64 {
        self.speed(self.at) / self.speed(0).max(1.0)
    }

    /// What it takes more than that part of its best.
    pub(super) fn above(&self, part: f64) -> f64 {
        (self.speed(self.at) - part * self.speed(0)).max(0.0)
    }

    pub(super) fn is_live(&self, now: MediaTime) -> bool {
        self.seen.is_some_and(|seen| now.since(seen) < LIVE)
    }

    pub(super) fn can_fall(&self) -> bool {
        self.at + 1 < self.speeds.len()
    }

    pub(super) fn is_overloaded(&self, now: MediaTime) -> bool {
        self.is_live(now) && self.load.state >= LoadState::High
    }

    /// What it was told to do for another, if it still can.
    pub(super) fn take_order(&mut self, now: MediaTime) -> Option<Order> {
        let (order, given) = self.order.take()?;
        let steps = self.at + 1..self.speeds.len();
        (now.since(given) < LIVE && steps.contains(&order.to)).then_some(order)
    }

    /// The lower priority, then who has most left, then who has not moved for longest.
    pub(super) fn goes_down_before(&self, other: &Self) -> Ordering {
        let by_priority = self.priority.cmp(&other.priority);
        let by_part = other.part().total_cmp(&self.part());
        by_priority.then(by_part).then(self.moved.cmp(&other.moved))
    }

    /// Whether `asker` has to wait for this one.
    pub(super) fn goes_up_before(&self, asker: &Self, now: MediaTime) -> bool {
        if self.at == 0 || self.held || self.own {
            return false;
        }
        if self.priority != asker.priority {
            let patient = self.moved.is_some_and(|moved| now.since(moved) < PATIENCE);
            return self.priority > asker.priority && patient;
        }
        let asks = self.asked.is_some_and(|asked| now.since(asked) < LIVE);
        let by_part = self.part().total_cmp(&asker.part());
        asks && by_part.then(self.moved.cmp(&asker.moved)) == Ordering::Less
    }
}
