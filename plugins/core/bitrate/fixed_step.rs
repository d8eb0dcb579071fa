//! The controller of fixed steps: after each interval one step up or one down, by how many packets arrived.
//!
//! The rule of many camera systems (RotorDream's, for one): 500 kbit/s up after 5 s in which 95 % arrived, else 500
//! kbit/s down. Slow, and blind to queues, but easily foretold.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Bitrate;

use super::advice::{Advice, Situation};
use super::report::Reason;

/// What steps are taken, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// The size of one.
    pub step: Bitrate,
    /// The time between two.
    pub interval: Duration,
    /// The fraction of packets that must arrive for a step up.
    pub threshold: f64,
}

/// RotorDream's.
impl Default for Steps {
    fn default() -> Self {
        Self {
            step: Bitrate::from_kbps(500),
            interval: Duration::from_secs(5),
            threshold: 0.95,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct FixedStep {
    steps: Steps,
    since: Option<MediaTime>,
    expected: f64,
    lost: f64,
}

impl FixedStep {
    pub(super) fn new(steps: Steps) -> Self {
        Self {
            steps,
            since: None,
            expected: 0.0,
            lost: 0.0,
        }
    }

    pub(super) fn set_steps(&mut self, steps: Steps) {
        self.steps = steps;
    }

    /// `loss` of `expected` packets got lost since the last call.
    pub(super) fn on_loss(
        &mut self,
        loss: f64,
        expected: f64,
        situation: Situation,
    ) -> Option<Advice> {
        self.expected += expected;
        self.lost += loss.clamp(0.0, 1.0) * expected;
        let now = situation.now;
        let since = *self.since.get_or_insert(now);
        if now.since(since) < self.steps.interval || self.expected < 1.0 {
            return None;
        }
        let arrived = 1.0 - self.lost / self.expected;
        (self.since, self.expected, self.lost) = (Some(now), 0.0, 0.0);
        let step = self.steps.step.as_bps() as f64;
        Some(if arrived >= self.steps.threshold {
            Advice::new(situation.target + step, Reason::Increase)
        } else {
            Advice::new(situation.target - step, Reason::Loss)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(loss: f64, seconds: u64) -> Vec<Advice> {
        let mut fixed = FixedStep::new(Steps::default());
        let mut target = 4_000_000.0;
        let reports = (0..seconds * 5).map(|n| MediaTime::from_millis(n * 200));
        let mut feed = |now| {
            let situation = Situation {
                target,
                sent: target,
                cadence: Duration::from_millis(200),
                now,
            };
            let advice = fixed.on_loss(loss, 100.0, situation)?;
            target = advice.target;
            Some(advice)
        };
        reports.filter_map(&mut feed).collect()
    }

    #[test]
    fn one_step_after_each_interval_by_what_arrived() {
        let up = run(0.04, 16);
        let targets: Vec<f64> = up.iter().map(|advice| advice.target).collect();
        assert_eq!(targets, [4_500_000.0, 5_000_000.0, 5_500_000.0]);
        let down = run(0.06, 11);
        assert_eq!(down[1], Advice::new(3_000_000.0, Reason::Loss));
        assert_eq!(down.len(), 2);
    }
}
