//! When a new key frame is worth its bits: after heavy loss, once it is over.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Ratio;

/// More than this is heavy (draft-ietf-rmcat-gcc-02, section 6).
const HEAVY: f64 = 0.10;
/// Less than this is over (the same: below it the rate may rise).
const OVER: f64 = 0.02;
/// No decoder needs them more often, and each is a burst (RFC 5104, 3.5.1, asks senders for restraint).
const INTERVAL: Duration = Duration::from_secs(2);

/// Watches the loss for the moment when pictures of the receiver can be mended.
#[derive(Clone, Debug, Default)]
pub struct Repair {
    damaged: bool,
    last: Option<MediaTime>,
}

impl Repair {
    /// The smoothed `loss` is this. Answers whether a key frame is due.
    pub fn on_loss(&mut self, loss: Ratio, now: MediaTime) -> bool {
        let loss = loss.as_f64();
        self.damaged |= loss > HEAVY;
        let soon = self.last.is_some_and(|last| now.since(last) < INTERVAL);
        let due = self.damaged && loss < OVER && !soon;
        if due {
            self.damaged = false;
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_is_due_once_when_heavy_loss_is_over() {
        let mut repair = Repair::default();
        let mut at = |loss, ms| repair.on_loss(Ratio::new(loss), MediaTime::from_millis(ms));
        assert!(!at(0.01, 0));
        assert!(!at(0.20, 1_000));
        assert!(!at(0.05, 2_000));
        assert!(at(0.01, 3_000));
        assert!(!at(0.01, 4_000));
        assert!(!at(0.20, 4_100));
        assert!(!at(0.00, 4_900));
        assert!(at(0.00, 5_000));
    }
}
