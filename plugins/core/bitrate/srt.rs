//! Judges by what an SRT sender sees: the round trip ten and more times a second, and what had to be sent again.
//!
//! SRT says nothing of its send buffer, its bandwidth estimate follows after ten seconds, and its count of lost packets
//! counts a packet once for each complaint (measured with libsrt 1.5). What moves within a tenth of a second is the
//! round trip. While a queue stands, what the path carries is what was sent, less what the queue grew by. Loss is
//! repaired, so it counts only where it is heavy and no queue explains it.

mod meter;

#[cfg(test)]
mod scenarios;

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{ByteCount, Ratio};

use super::advice::{Advice, Situation};
use super::loss::{Loss, LossVerdict};
use super::report::Reason;
pub use meter::{SrtCounters, SrtMeter};

/// Below this there is no queue: acknowledgements come every 10 ms, a frame's packets wait for each other.
const EMPTY: Duration = Duration::from_millis(15);
/// Above this there may be one: do not rise.
const WAIT: Duration = Duration::from_millis(25);
/// A queue that grows and is this long is ours; at the second length it is, whether it grows or not.
const HIGH: Duration = Duration::from_millis(45);
const FULL: Duration = Duration::from_millis(90);
/// Parts of the latency that a queue may take: belacoder backs off at a fifth, and goes to its minimum at a third.
const HIGH_SHARE: f64 = 0.2;
const FULL_SHARE: f64 = 1.0 / 3.0;
/// A queue of this length would be drained in that time with nothing sent; a shorter one asks for its share.
const DRAIN: f64 = 0.4;
/// Whatever the queue, between these parts of what the path carries go on.
const DRAIN_LEAST: f64 = 0.5;
const DRAIN_MOST: f64 = 0.9;
/// What a path was found to carry, less what a measurement over a fifth of a second errs by.
const SNAP_BACK: f64 = 0.95;
/// SRT smooths the round trip over eight acknowledgements, and an encoder is half there after five frames.
const SHOWN: Duration = Duration::from_millis(250);
/// A shorter episode says nothing about a rate: a frame more or less is a sixth of it.
const MEASURABLE: Duration = Duration::from_millis(150);
/// After a queue, what was dropped from it is sent again for so long.
const REPAIR: Duration = Duration::from_secs(2);
/// Loss is judged over so many packets: one of three is no third.
const COUNTED: u64 = 50;
/// What is sent again leaves at least this part of the path to what is new.
const NEW_LEAST: f64 = 0.25;
/// Loss that no queue explains is smoothed over a second: the next step waits for most of it.
const AFTER_LOSS: Duration = Duration::from_millis(750);
/// The target rises only while that much of it is used.
const USED: f64 = 0.7;
/// Until the first queue the target doubles in a second (slow start, RFC 5681, at the pace of a video encoder).
const FAST: f64 = 1.0;
/// Far from the capacity, and near it (draft-ietf-rmcat-gcc-02, section 5.5: 8 % a second, halved).
const FAR: f64 = 0.4;
const NEAR: f64 = 0.04;
const NEAR_FROM: f64 = 0.85;
const NEAR_TO: f64 = 1.08;
/// One look never allows more than this.
const STEP: f64 = 1.1;

/// What happened since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SrtReport {
    /// The shortest round trip of the last 30 s, and what the last one was longer.
    pub base: Duration,
    /// See [`Self::base`].
    pub queue: Duration,
    /// What both ends agreed on: what is later is of no use.
    pub latency: Duration,
    /// Payload that was sent for the first time.
    pub sent: ByteCount,
    /// Payload that was sent again.
    pub sent_again: ByteCount,
    /// Time since the last look.
    pub passed: Duration,
    /// Packets sent, with those sent again.
    pub packets: u64,
    /// Packets sent again.
    pub again: u64,
    /// Packets given up, for they were too late.
    pub dropped: u64,
}

impl SrtReport {
    /// Of several connections the one with the most of this is the slowest.
    pub fn badness(&self) -> (u64, Duration) {
        (self.dropped, self.queue)
    }
}

/// A time in which the queue never was empty.
#[derive(Clone, Copy, Debug, Default)]
struct Episode {
    passed: Duration,
    /// Of what was sent, and of that the part that was sent again.
    bytes: u64,
    again: u64,
    began_with: Duration,
    queue: Duration,
}

impl Episode {
    /// What left the queue: what entered it, over the time that it takes now for it to leave.
    fn carried(&self) -> Option<f64> {
        let time = self.passed.as_secs_f64() + self.queue.as_secs_f64();
        let time = time - self.began_with.as_secs_f64();
        let measurable = self.passed >= MEASURABLE && time > MEASURABLE.as_secs_f64() / 2.0;
        (measurable && self.bytes > 0).then(|| self.bytes as f64 * 8.0 / time)
    }

    /// The rate at which was sent again.
    fn repair(&self) -> f64 {
        self.again as f64 * 8.0 / self.passed.as_secs_f64().max(MEASURABLE.as_secs_f64())
    }
}

/// Learns the path from one look after another.
#[derive(Clone, Debug)]
pub(super) struct Srt {
    loss: Loss,
    /// What the loss was not yet judged over.
    counted: SrtReport,
    base: Option<Duration>,
    rtt: Option<Duration>,
    queue: Option<Duration>,
    episode: Option<Episode>,
    capacity: Option<f64>,
    congested: Option<MediaTime>,
    congested_once: bool,
    draining: bool,
    hold_until: MediaTime,
}

impl Srt {
    pub(super) fn new() -> Self {
        Self {
            loss: Loss::new(),
            counted: SrtReport::default(),
            base: None,
            rtt: None,
            queue: None,
            episode: None,
            capacity: None,
            congested: None,
            congested_once: false,
            draining: false,
            hold_until: MediaTime::ZERO,
        }
    }

    /// The part of the packets that had to be sent again.
    pub(super) fn loss(&self) -> Ratio {
        self.loss.value()
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    pub(super) fn queue(&self) -> Option<Duration> {
        self.queue
    }

    pub(super) fn on_report(&mut self, report: &SrtReport, situation: Situation) -> Option<Advice> {
        let now = situation.now;
        if self.queue.is_none() {
            self.hold_until = now.after(SHOWN);
        }
        let before = self.queue.replace(report.queue).unwrap_or(report.queue);
        let rtt = report.base.saturating_add(report.queue);
        self.rtt = Some(rtt);
        self.follow_base(report.base);
        let loss = self.judge_loss(report, now);
        self.follow_queue(report, before);
        let grows = report.queue >= before;
        let high = within(HIGH, HIGH_SHARE, report.latency);
        let full = within(FULL, FULL_SHARE, report.latency);
        let long = report.queue > high && grows || report.queue > full;
        if long || report.dropped > 0 {
            return self.back_off(report, grows, situation);
        }
        if self.draining && report.queue <= EMPTY {
            return self.snap_back(situation);
        }
        if now < self.hold_until || self.draining {
            return None;
        }
        if loss == LossVerdict::TooMuch && report.queue <= high {
            return self.back_off_from_loss(situation);
        }
        let clear = report.queue <= WAIT && loss == LossVerdict::Clear;
        clear.then(|| self.rise(report.passed, situation)).flatten()
    }

    /// A shortest round trip that gets much shorter was that of a queue: it is gone, and so is what it lost.
    fn follow_base(&mut self, base: Duration) {
        let before = self.base.replace(base).unwrap_or(base);
        if base.saturating_add(WAIT) < before {
            self.loss = Loss::new();
            self.counted = SrtReport::default();
        }
    }

    /// Loss, except where a queue of ours was dropped from.
    fn judge_loss(&mut self, report: &SrtReport, now: MediaTime) -> LossVerdict {
        if self.congested.is_some_and(|at| now.since(at) < REPAIR) {
            self.counted = SrtReport::default();
            return LossVerdict::Clear;
        }
        let counted = &mut self.counted;
        counted.packets = counted.packets.saturating_add(report.packets);
        counted.again = counted.again.saturating_add(report.again);
        counted.passed = counted.passed.saturating_add(report.passed);
        if counted.packets < COUNTED {
            return LossVerdict::Clear;
        }
        let counted = std::mem::take(counted);
        let loss = Ratio::of(counted.again, counted.packets);
        let packets = u32::try_from(counted.packets).unwrap_or(u32::MAX);
        self.loss
            .on_report(loss, Some(packets), counted.passed, now)
    }

    fn follow_queue(&mut self, report: &SrtReport, before: Duration) {
        if report.queue <= EMPTY {
            self.episode = None;
            return;
        }
        let episode = self.episode.get_or_insert(Episode {
            began_with: before,
            ..Episode::default()
        });
        episode.passed = episode.passed.saturating_add(report.passed);
        let again = report.sent_again.as_u64();
        let bytes = report.sent.as_u64().saturating_add(again);
        episode.bytes = episode.bytes.saturating_add(bytes);
        episode.again = episode.again.saturating_add(again);
        episode.queue = report.queue;
        if self.draining {
            self.capacity = episode.carried().or(self.capacity);
        }
    }

    fn back_off(
        &mut self,
        report: &SrtReport,
        grows: bool,
        situation: Situation,
    ) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        self.congested = Some(now);
        self.congested_once = true;
        if now < self.hold_until || (self.draining && !grows) {
            return None;
        }
        let episode = self.episode.take().unwrap_or_default();
        let repair = episode.repair();
        let most = (situation.sent + repair).max(1.0);
        let carried = episode.carried().unwrap_or(most).min(most);
        self.capacity = Some(carried);
        self.draining = true;
        self.hold(report, now);
        let queue = report.queue.as_secs_f64();
        let share = (1.0 - queue / DRAIN).clamp(DRAIN_LEAST, DRAIN_MOST);
        let lower = (carried * share - repair).max(NEW_LEAST * carried);
        Some(Advice::new(lower.min(target), Reason::Delay))
    }

    fn back_off_from_loss(&mut self, situation: Situation) -> Option<Advice> {
        let arrives = situation.sent * (1.0 - self.loss.value().as_f64());
        // What is lost and sent again hides what the path carries.
        self.capacity = None;
        self.congested_once = true;
        self.hold_until = situation.now.after(AFTER_LOSS);
        let lower = (arrives * DRAIN_MOST).min(situation.target);
        Some(Advice::new(lower, Reason::Loss))
    }

    fn snap_back(&mut self, situation: Situation) -> Option<Advice> {
        self.draining = false;
        self.hold_until = situation.now.after(SHOWN);
        let known = self.capacity? * SNAP_BACK * (1.0 - self.loss.value().as_f64());
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
        self.capacity = self.capacity.filter(|c| target <= NEAR_TO * c);
        let near = self.capacity.is_some_and(|c| target > NEAR_FROM * c);
        if near { NEAR } else { FAR }
    }

    /// The next judgement waits until the round trip can show what this one changed.
    fn hold(&mut self, report: &SrtReport, now: MediaTime) {
        self.hold_until = now.after(
            report
                .base
                .saturating_add(report.queue)
                .saturating_add(SHOWN),
        );
    }
}

/// `limit`, or the `share` of the `latency` where that is less.
fn within(limit: Duration, share: f64, latency: Duration) -> Duration {
    if latency.is_zero() {
        return limit;
    }
    latency.mul_f64(share).clamp(EMPTY, limit)
}
