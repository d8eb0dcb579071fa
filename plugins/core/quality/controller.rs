//! Which rung holds: chosen by hand, or by the network, and what the input leaves of either.

use crate::time::MediaTime;
use crate::units::Bitrate;

use super::fit::{Fitted, InputVideo, usable};
use super::ladder::Ladder;
use super::policy::{Config, ConfigError, NetworkPolicy};

/// Why the rung changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The network carries less, or more, than before.
    Network,
    /// Somebody set the level.
    Manual,
    /// Another input came, or downstream does not take the size.
    Input,
}

impl Reason {
    /// The word that messages carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Manual => "manual",
            Self::Input => "input",
        }
    }
}

/// A change from one rung to another; rungs are places in the ladder, 0 for the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The rung until now, or `None` at the start.
    pub from: Option<usize>,
    /// The rung from now on.
    pub to: usize,
    /// Why.
    pub reason: Reason,
}

/// Keeps the rung.
#[derive(Clone, Debug)]
pub struct Controller {
    ladder: Ladder,
    auto: bool,
    rung: Option<usize>,
    /// Every rung as it comes out for the input; empty before there is one.
    fitted: Vec<Fitted>,
    /// Rungs whose size downstream does not take.
    refused: Vec<usize>,
    /// The rungs that the policy steps on.
    steps: Vec<usize>,
    policy: NetworkPolicy,
}

impl Controller {
    /// Starts on the rung `start`, or, without one, on the best that the input leaves.
    pub fn new(
        ladder: Ladder,
        start: Option<usize>,
        auto: bool,
        config: Config,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            ladder,
            auto,
            rung: start,
            fitted: Vec::new(),
            refused: Vec::new(),
            steps: Vec::new(),
            policy: NetworkPolicy::new(config)?,
        })
    }

    /// The ladder as it was given.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Whether the network chooses.
    pub fn auto(&self) -> bool {
        self.auto
    }

    /// The rung that holds, or `None` where that waits for the input.
    pub fn rung(&self) -> Option<usize> {
        self.rung
    }

    /// What rung `place` comes to for the input that is there.
    pub fn fitted(&self, place: usize) -> Option<Fitted> {
        self.fitted.get(place).copied()
    }

    /// The video that comes in is `input` from now on.
    pub fn on_input(&mut self, input: &InputVideo, now: MediaTime) -> Option<Switch> {
        self.fitted = self.ladder.fit(input);
        self.refused.clear();
        self.settle(Reason::Input).or_else(|| self.on_time(now))
    }

    /// Somebody chose the rung `place`. It is taken when nobody else chooses: not while the network does.
    pub fn on_level(&mut self, place: usize) -> Option<Switch> {
        if self.auto || place >= self.ladder.rungs().len() {
            return None;
        }
        self.refused.retain(|refused| *refused != place);
        self.go(place, Reason::Manual)
    }

    /// The network chooses from now on, or does no longer; the rung stays until it does, or until a level is set.
    pub fn on_auto(&mut self, auto: bool) -> Option<Switch> {
        self.auto = auto;
        self.settle(Reason::Input)
    }

    /// The network carries `target`.
    pub fn on_target(&mut self, target: Bitrate, now: MediaTime) -> Option<Switch> {
        let step = self.policy.on_target(target, now);
        self.step(step)
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: MediaTime) -> Option<Switch> {
        let step = self.policy.on_time(now);
        self.step(step)
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub fn next_wakeup(&self) -> Option<MediaTime> {
        self.policy.next_wakeup()
    }

    /// Downstream does not take the size of the rung that holds; `before` is the one that it came from. Goes to the
    /// next one below that is not refused, else above; where somebody chose the level, back to `before`.
    pub fn on_refused(&mut self, before: Option<usize>) -> Option<Switch> {
        let refused = self.rung?;
        self.refused.push(refused);
        if let Some(before) = before.filter(|_| !self.auto) {
            return self.go(before, Reason::Input);
        }
        let below = refused + 1..self.fitted.len();
        let next = below
            .chain((0..refused).rev())
            .find(|place| !self.refused.contains(place))?;
        self.go(next, Reason::Input)
    }

    /// Tells the policy on what it steps, after the rung moved there if it stood elsewhere.
    fn settle(&mut self, reason: Reason) -> Option<Switch> {
        let from = self.rung;
        self.steps = usable(&self.fitted);
        self.steps.retain(|place| !self.refused.contains(place));
        if !self.auto {
            self.policy.on_steps(Vec::new(), 0);
            self.rung = self.rung.or((!self.fitted.is_empty()).then_some(0));
        } else if !self.steps.is_empty() {
            let wanted = self.rung.unwrap_or(0);
            let at = self.steps.iter().position(|place| *place >= wanted);
            let at = at.unwrap_or(self.steps.len() - 1);
            self.rung = Some(self.steps[at]);
            let needs = self.steps.iter().map(|place| self.fitted[*place].need);
            self.policy.on_steps(needs.collect(), at);
        }
        let to = self.rung.filter(|to| from != Some(*to))?;
        Some(Switch { from, to, reason })
    }

    fn step(&mut self, step: Option<usize>) -> Option<Switch> {
        let to = *self.steps.get(step?)?;
        let from = self.rung.replace(to);
        let reason = Reason::Network;
        (from != Some(to)).then_some(Switch { from, to, reason })
    }

    fn go(&mut self, to: usize, reason: Reason) -> Option<Switch> {
        let from = self.rung.replace(to);
        self.settle(reason);
        let to = self.rung.filter(|to| from != Some(*to))?;
        Some(Switch { from, to, reason })
    }
}

#[cfg(test)]
mod tests;
