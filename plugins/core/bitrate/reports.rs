//! Judges by interval reports: loss, round trip and what arrived since the last one.

mod delay;
mod delivery;
mod growth;

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Ratio;

use super::advice::{Advice, Situation};
use super::loss::{Loss, LossVerdict};
use super::report::{IntervalReport, Reason};
use delay::{Delay, DelayVerdict};
use delivery::Delivery;
use growth::Growth;

/// What is left of the delivered rate after over-use (beta of draft-ietf-rmcat-gcc-02, section 5.5).
const BACK_OFF: f64 = 0.85;
/// A queue of this length would be drained in a second with nothing sent; a shorter one asks for its share of that.
const DRAIN: f64 = 1.0;
/// However long the queue, this much of the delivered rate goes on.
const DRAIN_LEAST: f64 = 0.5;
/// A drained path gets this much of what it was measured to carry at once, rather than grow back to it.
const SNAP_BACK: f64 = 0.95;
/// After heavy loss: just below what arrives.
const AFTER_LOSS: f64 = 0.95;
/// A queue of ours of 0.3 s is gone a second after the rate fell below 0.7 of the capacity, and an encoder takes
/// a second to follow. What stands for twice that is somebody else's queue, or a longer route.
const PATIENCE: Duration = Duration::from_secs(4);
/// The target rises only while that much of it is used: a still picture says nothing about the path.
const USED: f64 = 0.7;
/// Nor above this much of what arrives (draft-ietf-rmcat-gcc-02, section 5.5).
const PROVEN: f64 = 1.5;
/// Nothing grows from zero: 1 kbit/s, the least that any encoder takes.
const SEED: f64 = 1_000.0;

/// Learns the path from one report after another.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    loss: Loss,
    delay: Delay,
    delivery: Delivery,
    growth: Growth,
    hold_until: MediaTime,
    /// Growth counts from here.
    clear_since: MediaTime,
    /// The rate was lowered for a queue, then.
    draining: Option<MediaTime>,
    jitter: Option<Duration>,
}

impl Reports {
    pub(super) fn new() -> Self {
        Self {
            loss: Loss::new(),
            delay: Delay::new(),
            delivery: Delivery::default(),
            growth: Growth::default(),
            hold_until: MediaTime::ZERO,
            clear_since: MediaTime::ZERO,
            draining: None,
            jitter: None,
        }
    }

    /// A stream starts.
    pub(super) fn on_start(&mut self, now: MediaTime) {
        self.hold_until = now;
        self.clear_since = now;
    }

    /// Nothing was sent for long.
    pub(super) fn on_pause(&mut self, now: MediaTime) {
        self.clear_since = self.clear_since.max(now);
    }

    /// The receiver reports on the time since its last report; that is unknown for the first.
    pub(super) fn on_report(
        &mut self,
        report: &IntervalReport,
        interval: Option<Duration>,
        situation: Situation,
    ) -> Option<Advice> {
        let now = situation.now;
        self.jitter = report.jitter.or(self.jitter);
        let delay = self.delay.on_report(report.rtt, now);
        let interval = interval?;
        let loss = self
            .loss
            .on_report(report.loss, report.expected, interval, now);
        self.delivery.on_report(report, situation.sent, interval);
        if now < self.hold_until {
            return None;
        }
        match (delay, loss) {
            (DelayVerdict::OverUse, _) => self.back_off_from_queue(situation),
            (_, LossVerdict::TooMuch) => self.back_off_from_loss(situation),
            (DelayVerdict::Clear, LossVerdict::Clear) => self.rise(situation),
            (DelayVerdict::NoNews, LossVerdict::Clear) => None,
            _ => {
                self.clear_since = now;
                None
            }
        }
    }

    pub(super) fn loss(&self) -> Ratio {
        self.loss.value()
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.delay.rtt()
    }

    pub(super) fn queue_delay(&self) -> Option<Duration> {
        self.delay.queue()
    }

    pub(super) fn jitter(&self) -> Option<Duration> {
        self.jitter
    }

    fn back_off_from_queue(&mut self, situation: Situation) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        let delivered = self.delivery.rate_behind_queue()?;
        self.growth.on_congestion(delivered);
        let queue = self.delay.queue().unwrap_or_default().as_secs_f64();
        let share = (1.0 - queue / DRAIN).clamp(DRAIN_LEAST, BACK_OFF);
        let wanted = delivered * share;
        let since = *self.draining.get_or_insert(now);
        let mut lower = target;
        if wanted < target {
            self.draining = Some(now);
            lower = wanted;
        } else if now.since(since) > PATIENCE {
            self.draining = None;
            self.delay.accept();
        } else if self.delay.is_standing() {
            lower = target * BACK_OFF;
        }
        self.hold(situation);
        Some(Advice::new(lower, Reason::Delay))
    }

    fn back_off_from_loss(&mut self, situation: Situation) -> Option<Advice> {
        let delivered = self.delivery.rate()?;
        self.growth.on_congestion(delivered);
        self.draining = None;
        self.hold(situation);
        let lower = AFTER_LOSS * delivered.min(situation.target);
        Some(Advice::new(lower, Reason::Loss))
    }

    fn rise(&mut self, situation: Situation) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        let clear = now.since(std::mem::replace(&mut self.clear_since, now));
        if self.draining.is_some() {
            return self.snap_back(target);
        }
        if situation.sent < USED * target {
            return None;
        }
        let wanted = target.max(SEED) * self.growth.factor(target, clear);
        let proven = PROVEN * self.delivery.rate()?;
        let higher = wanted.min(proven).max(target);
        Some(Advice::new(higher, Reason::Increase))
    }

    fn snap_back(&mut self, target: f64) -> Option<Advice> {
        if !self.delay.is_drained() {
            return None;
        }
        self.draining = None;
        let known = self.growth.capacity()? * SNAP_BACK;
        Some(Advice::new(known.max(target), Reason::Recover))
    }

    /// The next judgement waits until a report can show what this one changed.
    fn hold(&mut self, situation: Situation) {
        let rtt = self.delay.rtt().unwrap_or_default();
        let shown = rtt.saturating_add(situation.cadence);
        self.hold_until = situation.now.after(shown);
        self.clear_since = self.hold_until;
    }
}
