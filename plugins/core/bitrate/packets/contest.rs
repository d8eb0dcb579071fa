//! Beside TCP: as TCP does, for it fills the queue whatever we do and takes what we leave.
//!
//! Additive increase per round trip, multiplicative decrease after loss. The pair of constants has CUBIC's (RFC 9438)
//! share in one queue: sweep "beside TCP", 0.73 to 1.46 of its rate over two minutes, 200 seeds.

use std::time::Duration;

use crate::time::MediaTime;

/// In a round trip the target rises by this many packets for each round trip.
const PACKETS: f64 = 2.0;
const PACKET_BITS: f64 = 1_200.0 * 8.0;
/// What is left after loss.
const AFTER_LOSS: f64 = 0.82;
/// No queue is filled over a shorter way.
const LEAST_ROUND_TRIP: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
pub(super) struct Contest {
    reduced: MediaTime,
}

impl Contest {
    pub(super) fn new(now: MediaTime) -> Self {
        Self { reduced: now }
    }

    /// The target after packets were lost; once in a round trip.
    pub(super) fn after_loss(&mut self, target: f64, rtt: Duration, now: MediaTime) -> Option<f64> {
        if now.since(self.reduced) < rtt.max(LEAST_ROUND_TRIP) {
            return None;
        }
        self.reduced = now;
        Some(AFTER_LOSS * target)
    }

    /// The target after `seconds` without loss.
    pub(super) fn raise(&self, target: f64, rtt: Duration, seconds: f64) -> f64 {
        let rtt = rtt.max(LEAST_ROUND_TRIP).as_secs_f64();
        target + seconds / rtt * PACKETS * PACKET_BITS / rtt
    }
}
