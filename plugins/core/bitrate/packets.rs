//! Judges by what became of each packet: when it left, when it arrived, whether it did.

mod bursts;
mod capacity;
mod contest;
mod drain;
mod law;
mod ledger;
mod path;
mod result;
#[cfg(test)]
mod scenarios;

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, Ratio};

use super::advice::{Advice, Situation};
use super::loss::{Loss, LossVerdict};
use law::{Law, Signs};
use ledger::{Ledger, News};
use path::Path;
pub use result::PacketResult;

/// More results than this in one message are not looked at: two seconds of 10 Mbit/s.
const MOST_RESULTS: usize = 2048;

/// Beside TCP the queue may stay for minutes: the empty path is remembered for five, in which clocks that differ by
/// 100 ppm move it by 30 ms.
const CONTESTED: f64 = 0.1;

/// Learns the path from one packet after another.
#[derive(Clone, Debug)]
pub(super) struct Packets {
    ledger: Ledger,
    path: Path,
    loss: Loss,
    /// The results of one message, by number: kept so that no message needs memory of its own.
    sorted: Vec<PacketResult>,
    last: Option<MediaTime>,
    law: Law,
}

impl Packets {
    pub(super) fn new() -> Self {
        Self {
            ledger: Ledger::new(),
            path: Path::new(),
            loss: Loss::new(),
            sorted: Vec::with_capacity(MOST_RESULTS),
            last: None,
            law: Law::new(),
        }
    }

    pub(super) fn on_packets(
        &mut self,
        results: &[PacketResult],
        situation: Situation,
    ) -> Option<Advice> {
        let now = situation.now;
        let passed = self.last.map(|last| now.since(last));
        self.path
            .on_time(passed.unwrap_or_default().mul_f64(self.ageing()));
        let (expected, lost) = self.take_in(results, now);
        if expected == 0 {
            return None;
        }
        self.last = Some(now);
        let (interval, view) = (passed?, self.path.view()?);
        let ratio = Ratio::of(lost.into(), expected.into());
        let loss = if self.law.counts_loss(&view) {
            self.loss.on_report(ratio, Some(expected), interval, now)
        } else {
            LossVerdict::Clear
        };
        let signs = Signs {
            view,
            loss,
            loss_ratio: self.loss.value().as_f64(),
            lost: lost > 0,
            rtt: self.path.rtt().unwrap_or_default(),
            interval,
        };
        let advice = self.law.judge(&signs, situation);
        if self.law.take_new_way() {
            self.path.accept();
        }
        advice
    }

    /// Takes in the results that are new; answers of how many packets they speak, and how many of these are lost.
    fn take_in(&mut self, results: &[PacketResult], now: MediaTime) -> (u32, u32) {
        self.sorted.clear();
        self.sorted.extend(results.iter().take(MOST_RESULTS));
        self.sorted.sort_unstable_by_key(|result| result.sequence);
        let (mut expected, mut lost) = (0, 0_u32);
        for result in &self.sorted {
            match (self.ledger.on_result(result), result.arrived) {
                (Some(News::Arrived), Some(arrived)) => {
                    expected += 1;
                    self.path.on_arrival(result, arrived, now);
                }
                (Some(News::Lost), _) => {
                    expected += 1;
                    lost += 1;
                }
                (Some(News::Late), _) => lost = lost.saturating_sub(1),
                _ => {}
            }
        }
        (expected, lost)
    }

    /// How fast what was known of the empty path becomes void: slowly where it is never seen empty.
    fn ageing(&self) -> f64 {
        if self.law.contests() { CONTESTED } else { 1.0 }
    }

    pub(super) fn loss(&self) -> Ratio {
        self.loss.value()
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.path.rtt()
    }

    pub(super) fn queue_delay(&self) -> Option<Duration> {
        Some(self.path.view()?.standing)
    }

    pub(super) fn delivered(&self) -> Option<Bitrate> {
        Some(Bitrate::from_bps(self.path.delivered()? as u64))
    }

    pub(super) fn capacity(&self) -> Option<Bitrate> {
        Some(Bitrate::from_bps(self.law.capacity()? as u64))
    }
}
