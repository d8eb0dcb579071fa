//! Judges by what became of each packet: when it left, when it arrived, whether it did.

mod bursts;
mod ledger;
mod path;
mod result;

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, Ratio};

use super::advice::{Advice, Situation};
use super::loss::{Loss, LossVerdict};
use super::report::Reason;
use ledger::{Ledger, News};
use path::Path;
pub use result::PacketResult;

/// More results than this in one message are not looked at: two seconds of 10 Mbit/s.
const MOST_RESULTS: usize = 2048;
const STANDING: Duration = Duration::from_millis(130);
const QUEUE: Duration = Duration::from_millis(15);
const DRAIN: f64 = 0.4;
const SNAP_BACK: f64 = 0.95;
const USED: f64 = 0.7;

/// Learns the path from one packet after another.
#[derive(Clone, Debug)]
pub(super) struct Packets {
    ledger: Ledger,
    path: Path,
    loss: Loss,
    sorted: Vec<PacketResult>,
    last: Option<MediaTime>,
    capacity: Option<f64>,
    draining: bool,
    hold_until: MediaTime,
}

impl Packets {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(),
            path: Path::new(),
            loss: Loss::new(),
            sorted: Vec::new(),
            last: None,
            capacity: None,
            draining: false,
            hold_until: MediaTime::ZERO,
        }
    }

    pub(super) fn on_packets(
        &mut self,
        results: &[PacketResult],
        situation: Situation,
    ) -> Option<Advice> {
        let now = situation.now;
        self.sorted.clear();
        self.sorted.extend(results.iter().take(MOST_RESULTS));
        self.sorted.sort_unstable_by_key(|result| result.sequence);
        let (mut expected, mut lost) = (0_u32, 0_u32);
        for result in &self.sorted {
            match (self.ledger.on_result(result), result.arrived) {
                (Some(News::Arrived), Some(arrived)) => {
                    expected += 1;
                    self.path.on_arrival(result, arrived, now);
                }
                (Some(News::Late), _) => lost = lost.saturating_sub(1),
                (Some(News::Lost), _) => {
                    expected += 1;
                    lost += 1;
                }
                _ => {}
            }
        }
        if expected == 0 {
            return None;
        }
        let interval = now.since(self.last.replace(now)?);
        let ratio = Ratio::of(lost.into(), expected.into());
        let loss = self.loss.on_report(ratio, Some(expected), interval, now);
        self.judge(loss, interval, situation)
    }

    pub(super) fn loss(&self) -> Ratio {
        self.loss.value()
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.path.rtt()
    }

    pub(super) fn queue_delay(&self) -> Option<Duration> {
        self.path.standing(STANDING)
    }

    pub(super) fn delivered(&self) -> Option<Bitrate> {
        Some(Bitrate::from_bps(self.path.delivered()? as u64))
    }

    pub(super) fn capacity(&self) -> Option<Bitrate> {
        Some(Bitrate::from_bps(self.capacity? as u64))
    }

    fn judge(
        &mut self,
        loss: LossVerdict,
        interval: Duration,
        situation: Situation,
    ) -> Option<Advice> {
        let Situation { target, now, .. } = situation;
        let delivered = self.path.delivered()?;
        let queue = self.path.standing(STANDING)?;
        if queue > QUEUE {
            self.capacity = Some(delivered);
            self.draining = true;
            self.hold_until = now.after(self.path.rtt().unwrap_or_default());
            let lower = delivered * (1.0 - queue.as_secs_f64() / DRAIN).max(0.2);
            return Some(Advice::new(lower.min(target), Reason::Delay));
        }
        if now < self.hold_until {
            return None;
        }
        if loss == LossVerdict::TooMuch {
            return Some(Advice::new(SNAP_BACK * delivered, Reason::Loss));
        }
        if std::mem::take(&mut self.draining) {
            let known = SNAP_BACK * self.capacity?;
            return Some(Advice::new(known.max(target), Reason::Recover));
        }
        if situation.sent < USED * target {
            return None;
        }
        let pace: f64 = if self.capacity.is_some() { 1.05 } else { 2.0 };
        let higher = target * pace.powf(interval.as_secs_f64().min(0.5));
        Some(Advice::new(higher, Reason::Increase))
    }
}
