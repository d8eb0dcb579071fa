//! Loss, smoothed, and the part of it that no rate would avoid.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Ratio;

/// Loss is judged over a second and 100 packets: one lost packet of five is no 20 % (the defect that makes
/// rtpgccbwe collapse at 5 % random loss, measured).
const SECOND: f64 = 1.0;
const PACKETS: f64 = 100.0;
/// No floor is trusted before a third of them was seen.
const ENOUGH: f64 = 30.0;
/// Over this the loss is too much, wherever it comes from (draft-ietf-rmcat-gcc-02, section 6).
const HEAVY: f64 = 0.10;
/// Where the path is known to lose, this much more is too much ...
const HEAVY_ABOVE_FLOOR: f64 = 0.05;
/// ... up to here: more than this is not carried at all.
const HEAVIEST: f64 = 0.20;
/// Chance alone moves a loss that is counted over so many packets (those of the smoothing, old and new) ...
const COUNTED: f64 = 2.0 * PACKETS;
/// ... by a standard deviation; two of them are still chance.
const DEVIATIONS: f64 = 2.0;
/// Above the floor by this much (draft-ietf-rmcat-gcc-02, section 6: below 2 % the rate may rise), the rate waits.
const SUSPICIOUS: f64 = 0.02;
/// How long it waits before it finds out by a step down: ten reports of a quick receiver.
const SUSPICION: Duration = Duration::from_secs(3);
/// What the path loses anyhow is the mean loss of this time: it holds enough packets that chance is small. Less than
/// that by more than chance is the new mean at once.
const FLOOR_SECONDS: f64 = 30.0;
/// It begins as the mean of so many packets.
const FLOOR_BEGIN: f64 = 300.0;

/// What the loss asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LossVerdict {
    /// Nothing that a lower rate would cure.
    Clear,
    /// Maybe too much: do not rise.
    Wait,
    /// Too much, or time to find out.
    TooMuch,
}

#[derive(Clone, Debug)]
pub(super) struct Loss {
    smoothed: Option<f64>,
    packets: f64,
    floor: f64,
    suspicious_since: Option<MediaTime>,
}

impl Loss {
    pub(super) fn new() -> Self {
        Self {
            smoothed: None,
            packets: 0.0,
            floor: 0.0,
            suspicious_since: None,
        }
    }

    pub(super) fn value(&self) -> Ratio {
        Ratio::new(self.smoothed.unwrap_or(0.0))
    }

    pub(super) fn on_report(
        &mut self,
        loss: Ratio,
        expected: Option<u32>,
        interval: Duration,
        now: MediaTime,
    ) -> LossVerdict {
        let packets = expected.map_or(PACKETS, f64::from);
        self.packets += packets;
        let weight = 1.0 - (-interval.as_secs_f64() / SECOND).exp();
        let weight = weight.min(packets / PACKETS);
        // The first packets all count alike: one lost of the first four is no 25 %.
        let weight = weight
            .max(packets / self.packets.clamp(1.0, PACKETS))
            .min(1.0);
        let smoothed = self.smoothed.unwrap_or_else(|| loss.as_f64());
        let smoothed = smoothed + weight * (loss.as_f64() - smoothed);
        self.smoothed = Some(smoothed);
        let slowly = 1.0 - (-interval.as_secs_f64() / FLOOR_SECONDS).exp();
        let begin = if self.packets < FLOOR_BEGIN {
            packets / self.packets.max(1.0)
        } else {
            0.0
        };
        let weight = slowly.max(begin).min(1.0);
        self.floor += weight * (loss.as_f64() - self.floor);
        self.floor = self.floor.min(smoothed + self.chance());
        if self.packets < ENOUGH {
            return LossVerdict::Wait;
        }
        self.judge(smoothed, now)
    }

    fn judge(&mut self, smoothed: f64, now: MediaTime) -> LossVerdict {
        let (floor, chance) = (self.floor, self.chance());
        let heavy = (floor + HEAVY_ABOVE_FLOOR + chance).clamp(HEAVY, HEAVIEST);
        let suspicious = smoothed > floor + SUSPICIOUS + chance;
        let since = *self.suspicious_since.get_or_insert(now);
        if !suspicious {
            self.suspicious_since = None;
        }
        if smoothed <= heavy && !suspicious {
            return LossVerdict::Clear;
        }
        if smoothed <= heavy && now.since(since) < SUSPICION {
            return LossVerdict::Wait;
        }
        // After the step down, what is still lost is the floor: loss that does not follow the rate is the path's.
        self.suspicious_since = None;
        self.floor = smoothed;
        LossVerdict::TooMuch
    }

    fn chance(&self) -> f64 {
        DEVIATIONS * (self.floor * (1.0 - self.floor) / COUNTED).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(200);

    fn feed(loss: &mut Loss, value: f64, from: u64, to: u64) -> Vec<LossVerdict> {
        let reports = (from..to).step_by(200);
        let feed = |ms| {
            let now = MediaTime::from_millis(ms);
            loss.on_report(Ratio::new(value), Some(50), INTERVAL, now)
        };
        reports.map(feed).collect()
    }

    #[test]
    fn one_lost_packet_of_five_is_not_a_fifth() {
        let mut loss = Loss::new();
        feed(&mut loss, 0.0, 0, 2_000);
        let now = MediaTime::from_millis(2_000);
        let verdict = loss.on_report(Ratio::new(0.2), Some(5), INTERVAL, now);
        assert_eq!(verdict, LossVerdict::Clear);
        assert!(loss.value().as_f64() < 0.02);
    }

    #[test]
    fn one_lost_packet_of_the_first_is_the_paths_own() {
        let mut loss = Loss::new();
        let step = |n: u64| {
            let now = MediaTime::from_millis(33 * n);
            let ratio = Ratio::new(if n.is_multiple_of(5) { 0.25 } else { 0.0 });
            loss.on_report(ratio, Some(4), Duration::from_millis(33), now)
        };
        let verdicts: Vec<LossVerdict> = (0..300).map(step).collect();
        assert!(!verdicts.contains(&LossVerdict::TooMuch), "{verdicts:?}");
    }

    #[test]
    fn loss_that_sets_in_costs_one_step_and_is_tolerated_then() {
        let mut loss = Loss::new();
        feed(&mut loss, 0.0, 0, 5_000);
        let verdicts = feed(&mut loss, 0.06, 5_000, 30_000);
        let steps = verdicts.iter().filter(|v| **v == LossVerdict::TooMuch);
        assert_eq!(steps.count(), 1);
        assert_eq!(verdicts.last(), Some(&LossVerdict::Clear));
    }

    #[test]
    fn heavy_loss_is_never_tolerated() {
        let mut loss = Loss::new();
        let verdicts = feed(&mut loss, 0.3, 0, 60_000);
        assert!(verdicts.iter().all(|v| *v == LossVerdict::TooMuch));
    }
}
