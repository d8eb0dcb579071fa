//! When a new rate goes to the encoder.

use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use crate::runtime::encoder::Change;

/// The network waits for nobody; but an encoder that starts over is not made to for less than this.
const FALL_WORTH: f64 = 0.05;
/// What only corrects the encoder waits so many times as long, unless it is worth twice as much.
const CORRECTION_WAIT: u32 = 5;

/// The rate that is to come out, and what the encoder is to be told for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) target: Bitrate,
    pub(super) asked: Bitrate,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    last: Option<(Wish, MediaTime)>,
}

impl Pace {
    /// Nothing was set yet.
    pub(super) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// What the encoder was last told; zero before.
    pub(super) fn asked(&self) -> Bitrate {
        self.last.map_or(Bitrate::ZERO, |(wish, _)| wish.asked)
    }

    /// Answers whether the `wish` is to be carried out when the stream is `at`.
    pub(super) fn is_due(&mut self, wish: Wish, change: Change, at: MediaTime) -> bool {
        let due = match (self.last, change) {
            (None, _) => true,
            (Some((last, _)), _) if wish == last => false,
            (Some((last, since)), Change::Restart { interval, worth }) => {
                let waited = |times| at.since(since) >= interval * times;
                let differs = |part| {
                    wish.asked >= last.asked.scaled(1.0 + part)
                        || wish.asked <= last.asked.scaled(1.0 - part)
                };
                if wish.target < last.target {
                    waited(1) || wish.asked <= last.asked.scaled(1.0 - FALL_WORTH)
                } else if wish.target > last.target {
                    waited(1) && differs(worth)
                } else {
                    (waited(1) && differs(2.0 * worth))
                        || (waited(CORRECTION_WAIT) && differs(worth))
                }
            }
            _ => true,
        };
        if due {
            self.last = Some((wish, at));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RESTART: Change = Change::Restart {
        interval: Duration::from_secs(2),
        worth: 0.15,
    };

    fn wish(target: u64, asked: u64) -> Wish {
        Wish {
            target: Bitrate::from_kbps(target),
            asked: Bitrate::from_kbps(asked),
        }
    }

    #[test]
    fn an_encoder_that_restarts_rises_rarely_and_falls_at_once() {
        let mut pace = Pace::default();
        let mut at = |rate, ms| pace.is_due(wish(rate, rate), RESTART, MediaTime::from_millis(ms));
        assert!(at(1_000, 0));
        assert!(!at(1_300, 1_900));
        assert!(at(1_300, 2_000));
        assert!(!at(1_400, 9_000));
        assert!(at(1_200, 9_001));
        assert!(!at(1_190, 9_002));
        assert!(at(1_190, 11_001));
    }

    #[test]
    fn what_only_the_encoder_needs_waits_in_both_directions() {
        let mut pace = Pace::default();
        let mut at =
            |asked, ms| pace.is_due(wish(1_000, asked), RESTART, MediaTime::from_millis(ms));
        assert!(at(1_000, 0));
        assert!(!at(700, 1_000));
        assert!(at(700, 2_000));
        assert!(!at(850, 11_900));
        assert!(at(850, 12_000));
        assert!(!at(800, 90_000));
    }

    #[test]
    fn an_encoder_that_follows_gets_every_rate() {
        let mut pace = Pace::default();
        let mut at =
            |rate, ms| pace.is_due(wish(rate, rate), Change::Live, MediaTime::from_millis(ms));
        assert!(at(1_000, 0) && at(1_001, 0) && at(999, 0));
        assert!(!at(999, 9_000));
    }
}
