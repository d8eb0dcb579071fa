//! How much was sent lately.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

/// Half a second holds 12 and more frames, so that one key frame does not pass for a busy picture, and follows
/// an encoder within the second that x264 takes to settle (measured: up to 26 frames).
const BUCKET: Duration = Duration::from_millis(50);
const BUCKETS: usize = 10;

/// What was sent in the last half second.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    buckets: [u64; BUCKETS],
    newest: u64,
    /// The bucket of the first bytes.
    first: Option<u64>,
}

impl Sent {
    /// `bytes` are sent.
    pub fn on_sent(&mut self, bytes: ByteCount, now: MediaTime) {
        self.advance(now);
        self.first.get_or_insert(self.newest);
        let bucket = &mut self.buckets[slot(self.newest)];
        *bucket = bucket.saturating_add(bytes.as_u64());
    }

    /// The rate of the last half second.
    pub fn rate(&mut self, now: MediaTime) -> Bitrate {
        self.advance(now);
        let Some(first) = self.first else {
            return Bitrate::ZERO;
        };
        let filled = (self.newest - first.min(self.newest) + 1).min(BUCKETS as u64);
        let bytes = self
            .buckets
            .iter()
            .fold(0_u64, |sum, n| sum.saturating_add(*n));
        Bitrate::from_bytes_over(ByteCount::new(bytes), BUCKET * filled as u32)
    }

    fn advance(&mut self, now: MediaTime) {
        let bucket = now.as_nanos() / BUCKET.as_nanos() as u64;
        let steps = bucket.saturating_sub(self.newest);
        for step in 0..steps.min(BUCKETS as u64) {
            self.buckets[slot(bucket - step)] = 0;
        }
        self.newest = self.newest.max(bucket);
    }
}

const fn slot(bucket: u64) -> usize {
    (bucket % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_half_second() {
        let mut sent = Sent::default();
        for ms in (0..2_000).step_by(10) {
            sent.on_sent(ByteCount::new(1_250), MediaTime::from_millis(ms));
        }
        let now = MediaTime::from_millis(1_999);
        assert_eq!(sent.rate(now), Bitrate::from_kbps(1_000));
        assert_eq!(sent.rate(MediaTime::from_millis(9_000)), Bitrate::ZERO);
    }
}
