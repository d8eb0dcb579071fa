//! Judges by back-pressure: a sink that does not take what it is given (RTMP, TCP, HTTP).
//!
//! The rule is that of OBS Studio's dynamic bitrate (rtmp-stream.c: 200 ms of media that wait trigger, the new rate is
//! what went out over the last second), with what its users miss: the rate goes straight back to what the path carried
//! once nothing waits any more, and rises from there.

mod meter;

#[cfg(test)]
mod pipe;
#[cfg(test)]
mod scenarios;

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, Ratio};

use super::advice::{Advice, Situation};
use super::report::Reason;
pub use meter::Meter;

/// So much media waits in trouble (OBS Studio, rtmp-stream.c, DBR_TRIGGER_USEC).
const TRIGGER: Duration = Duration::from_millis(200);
/// The same of a second without a queue: for so much of it the sink held up the stream.
const BUSY: f64 = 0.2;
/// Less than two frames of 30 a second: nothing waits.
const CLEAR: Duration = Duration::from_millis(60);
const IDLE: f64 = 0.05;
/// A backlog of this length would be gone in two seconds with nothing sent: OBS too lets a second or two pass.
const DRAIN: f64 = 2.0;
/// Below what goes out, or the backlog never ends (beta of draft-ietf-rmcat-gcc-02, section 5.5) ...
const BACK_OFF: f64 = 0.85;
/// ... and however long it is, that much goes on ...
const DRAIN_LEAST: f64 = 0.5;
/// ... and of the target too: a sink that takes nothing for a moment says nothing about its rate.
const STEP_LEAST: f64 = 0.25;
/// An encoder is at its new rate by then (x264: half of the 26 frames that it takes at most).
const HOLD: Duration = Duration::from_millis(500);
/// What is less by a tenth is less.
const SHRINKS: f64 = 0.9;
/// A path that takes all again gets this much of what it was measured to carry.
const SNAP_BACK: f64 = 0.9;
/// The target rises only while that much of it is used.
const USED: f64 = 0.7;
/// Until the first trouble the target doubles in 1.7 s: the socket's buffer hides the trouble for about a second.
const FAST: f64 = 0.5;
/// Far from the capacity, and near it: its buffer hides for seconds what a socket does not get rid of.
const FAR: f64 = 0.25;
const NEAR: f64 = 0.05;
const NEAR_FROM: f64 = 0.85;
const NEAR_TO: f64 = 1.25;
/// One look never allows more than this.
const STEP: f64 = 1.2;

/// How far a sink is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Media that wait to be taken.
    pub behind: Duration,
    /// The part of the last second in which the sink held up the stream.
    pub held: Ratio,
    /// The rate at which the stream went out in the last second.
    pub drained: Bitrate,
}

/// Learns the path from one look at the backlog after another.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlogs {
    capacity: Option<f64>,
    congested_once: bool,
    draining: bool,
    /// At the last step down.
    before: Backlog,
    hold_until: MediaTime,
    /// Growth counts from here.
    clear_since: Option<MediaTime>,
    behind: Option<Duration>,
}

impl Backlogs {
    /// The media that waited at the last look.
    pub(super) fn behind(&self) -> Option<Duration> {
        self.behind
    }

    pub(super) fn on_backlog(&mut self, backlog: &Backlog, situation: Situation) -> Option<Advice> {
        let now = situation.now;
        let since = self.clear_since.replace(now).unwrap_or(now);
        self.behind = Some(backlog.behind);
        let busy = backlog.held.as_f64() > BUSY;
        if backlog.behind > TRIGGER || busy {
            return self.back_off(backlog, situation);
        }
        let clear = backlog.behind <= CLEAR && backlog.held.as_f64() <= IDLE;
        if !clear || now < self.hold_until {
            return None;
        }
        if self.draining {
            return self.snap_back(situation);
        }
        self.rise(now.since(since), situation)
    }

    fn back_off(&mut self, backlog: &Backlog, situation: Situation) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        if now < self.hold_until || (self.draining && self.shrinks(backlog)) {
            return None;
        }
        let drained = backlog.drained.as_bps() as f64;
        let behind = backlog.behind.as_secs_f64();
        let share = (1.0 - behind / DRAIN).clamp(DRAIN_LEAST, BACK_OFF);
        if drained > 0.0 {
            self.capacity = Some(drained);
        }
        self.congested_once = true;
        self.draining = true;
        self.before = *backlog;
        self.hold_until = now.after(HOLD);
        let lower = (drained * share).max(STEP_LEAST * target).min(target);
        Some(Advice::new(lower, Reason::Backlog))
    }

    /// The last step down shows.
    fn shrinks(&self, backlog: &Backlog) -> bool {
        if backlog.behind > TRIGGER {
            backlog.behind < self.before.behind.mul_f64(SHRINKS)
        } else {
            backlog.held.as_f64() < SHRINKS * self.before.held.as_f64()
        }
    }

    fn snap_back(&mut self, situation: Situation) -> Option<Advice> {
        self.draining = false;
        let known = self.capacity? * SNAP_BACK;
        Some(Advice::new(known.max(situation.target), Reason::Recover))
    }

    fn rise(&mut self, passed: Duration, situation: Situation) -> Option<Advice> {
        let Situation { target, sent, .. } = situation;
        if sent < USED * target {
            return None;
        }
        let pace: f64 = 1.0 + self.pace(target);
        let factor = pace.powf(passed.as_secs_f64()).min(STEP);
        Some(Advice::new(target * factor, Reason::Increase))
    }

    fn pace(&mut self, target: f64) -> f64 {
        if !self.congested_once {
            return FAST;
        }
        let Some(capacity) = self.capacity else {
            return FAR;
        };
        if target > NEAR_TO * capacity {
            self.capacity = None;
        }
        if target > NEAR_FROM * capacity {
            NEAR
        } else {
            FAR
        }
    }
}
