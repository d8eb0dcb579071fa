//! From what the path shows to how much to send.
//!
//! Three ways of sending: steadily, rising while no queue stands; below the capacity, until a queue of ours is gone;
//! and as TCP does, where somebody else keeps the queue full.

use std::time::Duration;

use crate::time::MediaTime;

use super::super::advice::{Advice, Situation};
use super::super::loss::LossVerdict;
use super::super::report::Reason;
use super::capacity::Capacity;
use super::contest::Contest;
use super::drain::{Cause, Drain};
use super::path::View;

/// The queue that a flow may keep: 5 ms (RFC 8289, section 4.3) ...
const QUEUE: f64 = 0.005;
/// ... and one packet and a quarter of its own: the less it sends, the longer, so that flows that share a path come to
/// share it equally (as in Copa, NSDI 2018), and so that a packet's own way through a thin path is no queue.
const QUEUE_PACKETS: f64 = 1.25;
const PACKET_BITS: f64 = 1_200.0 * 8.0;
/// Above one packet, a third of that is as far as the target rises.
const FILLED: f64 = 3.0;
/// A queue is gone when it is shorter than this part of what is allowed.
const GONE: f64 = 0.7;
/// A frame whose end comes that late is proof enough: two frames of 30 a second.
const JAM: Duration = Duration::from_millis(60);
/// Losses behind a queue longer than this are the queue's, not the path's.
const QUEUE_LOSES: Duration = Duration::from_millis(100);
/// The target moves up only while that much of it is used: a still picture says nothing of the path.
const USED: f64 = 0.7;
/// After a step down for losses: this much of what arrives, and a round trip and half a second to see it work.
const AFTER_LOSS: f64 = 0.95;
const AFTER_LOSS_WAIT: Duration = Duration::from_millis(500);
/// What a single message may raise the target for.
const LONGEST_STEP: f64 = 0.5;

/// What one feedback message says.
pub(super) struct Signs {
    pub(super) view: View,
    pub(super) loss: LossVerdict,
    /// Packets were lost.
    pub(super) lost: bool,
    pub(super) rtt: Duration,
    /// Since the message before.
    pub(super) interval: Duration,
}

impl Signs {
    fn seconds(&self) -> f64 {
        self.interval.as_secs_f64().min(LONGEST_STEP)
    }
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Steady,
    Drain(Drain),
    Contest(Contest),
}

#[derive(Clone, Debug)]
pub(super) struct Law {
    mode: Mode,
    capacity: Capacity,
    hold_until: MediaTime,
    new_way: bool,
}

impl Law {
    pub(super) fn new() -> Self {
        Self {
            mode: Mode::Steady,
            capacity: Capacity::default(),
            hold_until: MediaTime::ZERO,
            new_way: false,
        }
    }

    pub(super) fn capacity(&self) -> Option<f64> {
        self.capacity.known()
    }

    /// Whether a loss now speaks of the path, rather than of a queue that is full.
    pub(super) fn counts_loss(&self, view: &View) -> bool {
        matches!(self.mode, Mode::Steady) && view.standing < QUEUE_LOSES
    }

    /// Whether the queue is never seen empty, for others keep it filled.
    pub(super) fn contests(&self) -> bool {
        matches!(self.mode, Mode::Contest(_))
    }

    /// Answers once that the delay as it is now is the way's own.
    pub(super) fn take_new_way(&mut self) -> bool {
        std::mem::take(&mut self.new_way)
    }

    pub(super) fn judge(&mut self, signs: &Signs, situation: Situation) -> Option<Advice> {
        let view = &signs.view;
        let packet = PACKET_BITS / view.delivered;
        let allowed = QUEUE + QUEUE_PACKETS * packet;
        let standing = view.standing.as_secs_f64();
        let congested = standing > allowed || view.jam > JAM;
        match self.mode {
            Mode::Contest(_) if standing < allowed => {
                self.mode = Mode::Steady;
                self.capacity.forget();
                None
            }
            Mode::Contest(contest) => self.contest(contest, signs, situation),
            Mode::Drain(drain) if congested => self.drain(drain, signs, situation),
            Mode::Drain(drain) if view.head.as_secs_f64() < GONE * allowed => {
                self.recover(drain, situation)
            }
            Mode::Drain(_) => None,
            Mode::Steady if congested => {
                let drain = Drain::new(view, situation.target, situation.now);
                self.drain(drain, signs, situation)
            }
            Mode::Steady => {
                let filled = FILLED * (standing - packet).max(0.0) / (allowed - packet);
                self.steady(signs, situation, (1.0 - filled).max(0.0))
            }
        }
    }

    fn drain(&mut self, mut drain: Drain, signs: &Signs, situation: Situation) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        let view = &signs.view;
        match drain.cause(view, signs.lost, target, now) {
            Cause::Ours => {
                self.mode = Mode::Drain(drain);
                let used = situation.sent >= USED * target;
                if used {
                    self.capacity.on_congestion(view.capacity());
                }
                let lower = if used {
                    drain.rate(view, situation.sent, signs.rtt)
                } else {
                    drain.unused()
                };
                let lower = lower.min(target);
                return Some(Advice::new(lower, Reason::Delay));
            }
            Cause::Way => {
                self.mode = Mode::Steady;
                self.new_way = true;
            }
            Cause::Others => self.mode = Mode::Contest(Contest::new(now)),
        }
        let before = drain.before().max(target);
        Some(Advice::new(before, Reason::Recover))
    }

    fn recover(&mut self, drain: Drain, situation: Situation) -> Option<Advice> {
        self.mode = Mode::Steady;
        let used = situation.sent >= USED * situation.target;
        let known = self.capacity.snap_back().filter(|_| used);
        let back = known.unwrap_or(drain.before());
        Some(Advice::new(back.max(situation.target), Reason::Recover))
    }

    fn contest(
        &mut self,
        mut contest: Contest,
        signs: &Signs,
        situation: Situation,
    ) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        let lower = signs
            .lost
            .then(|| contest.after_loss(target, signs.rtt, now))
            .flatten();
        self.mode = Mode::Contest(contest);
        if let Some(lower) = lower {
            return Some(Advice::new(lower, Reason::Loss));
        }
        if situation.sent < USED * target {
            return None;
        }
        let higher = contest.raise(target, signs.rtt, signs.seconds());
        Some(Advice::new(higher, Reason::Increase))
    }

    fn steady(&mut self, signs: &Signs, situation: Situation, room: f64) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        let view = &signs.view;
        match signs.loss {
            LossVerdict::TooMuch if now > self.hold_until => {
                self.hold_until = now.after(signs.rtt.saturating_add(AFTER_LOSS_WAIT));
                self.capacity.on_congestion(view.delivered);
                let lower = AFTER_LOSS * view.delivered.min(target);
                return Some(Advice::new(lower, Reason::Loss));
            }
            LossVerdict::Clear => {}
            _ => return None,
        }
        let queue = view.standing.as_secs_f64();
        let seconds = signs.seconds();
        self.capacity.on_delivery(view.delivered, queue, seconds);
        if situation.sent < USED * target {
            return None;
        }
        let higher = self.capacity.raise(target, view.delivered, room, seconds);
        Some(Advice::new(higher, Reason::Increase))
    }
}
