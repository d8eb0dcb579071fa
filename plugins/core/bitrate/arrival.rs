//! The user's word on loss: the fraction of packets that must arrive, whatever the path would bear.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Ratio;

use super::advice::{Advice, Situation};
use super::report::Reason;

/// A step must show in the loss, which is smoothed over a second, before the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// What is taken off for each packet lost (draft-ietf-rmcat-gcc-02, section 6).
const PER_LOSS: f64 = 0.5;

/// Lowers the target while fewer packets arrive than the user wants.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrivalFloor {
    least: f64,
    next: MediaTime,
}

impl ArrivalFloor {
    pub(super) fn set(&mut self, least: Ratio) {
        self.least = least.as_f64();
    }

    /// Answers `advice`, or what is to be done where `loss` is more than the user bears.
    pub(super) fn judge(
        &mut self,
        advice: Option<Advice>,
        loss: Ratio,
        situation: Situation,
    ) -> Option<Advice> {
        let loss = loss.as_f64();
        if self.least <= 0.0 || 1.0 - loss >= self.least {
            return advice;
        }
        let advice = advice.filter(|advice| advice.target < situation.target);
        if situation.now < self.next {
            return advice;
        }
        self.next = situation.now.after(INTERVAL);
        let lower = Advice::new(situation.target * (1.0 - PER_LOSS * loss), Reason::Loss);
        advice.filter(|a| a.target < lower.target).or(Some(lower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(least: f64, loss: f64, advised: f64) -> Option<f64> {
        let mut floor = ArrivalFloor::default();
        floor.set(Ratio::new(least));
        let situation = Situation {
            target: 1_000.0,
            sent: 1_000.0,
            cadence: Duration::from_millis(100),
            now: MediaTime::from_millis(500),
        };
        let advice = Advice::new(advised, Reason::Increase);
        let judged = floor.judge(Some(advice), Ratio::new(loss), situation);
        let again = floor.judge(Some(advice), Ratio::new(loss), situation);
        let rises = again.is_some_and(|advice| advice.target > situation.target);
        assert_eq!(
            rises,
            judged == Some(advice),
            "a rise only where none is forbidden"
        );
        judged.map(|advice| advice.target)
    }

    #[test]
    fn fewer_packets_than_wanted_lower_the_target_once_a_second() {
        assert_eq!(judge(0.95, 0.10, 1_100.0), Some(950.0));
        assert_eq!(judge(0.95, 0.04, 1_100.0), Some(1_100.0));
    }

    #[test]
    fn without_a_word_of_the_user_the_advice_stands() {
        assert_eq!(judge(0.0, 0.30, 1_100.0), Some(1_100.0));
    }
}
