//! What travels beside the encoder's bytes: headers of RTP, UDP and IP, other streams, repairs.
//!
//! A path carries bytes on the wire; an encoder is told bytes of video. In between lie the headers of our own packets,
//! which grow with our rate, and what shares the transport with us (audio, FEC, retransmissions), which does not.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

/// Long enough for an audio stream's packets and a key frame to even out.
const WINDOW: Duration = Duration::from_secs(1);
/// Share of the newest window: two of them are most of what counts.
const SMOOTHING: f64 = 0.5;
/// Before anything is known: 40 bytes of RTP, UDP and IPv4 on packets of 1200 bytes, and the packets that end a frame
/// and are half full.
const TYPICAL: f64 = 1.05;
/// Packets of 40 bytes with as much in them: nothing above is video.
const MOST: f64 = 2.0;
/// An encoder is told nothing for less than this part of its rate.
const NOTICEABLE: f64 = 0.01;

#[derive(Clone, Copy, Debug)]
struct Beside {
    /// Bytes on the wire for each of the encoder.
    factor: f64,
    /// Bit/s on the wire that are not ours.
    others: f64,
}

const UNKNOWN: Beside = Beside {
    factor: TYPICAL,
    others: 0.0,
};

/// Turns rates on the wire into rates of the encoder, and back.
#[derive(Clone, Debug)]
pub struct Overhead {
    /// What counts, and what it follows once that is worth it.
    known: Beside,
    smoothed: Beside,
    since: Option<MediaTime>,
    media: u64,
    own: u64,
    other: u64,
}

impl Default for Overhead {
    fn default() -> Self {
        Self {
            known: UNKNOWN,
            smoothed: UNKNOWN,
            since: None,
            media: 0,
            own: 0,
            other: 0,
        }
    }
}

impl Overhead {
    /// `bytes` of the encoder go into the transport. Answers whether what is known has changed with that.
    pub fn on_media(&mut self, bytes: ByteCount, now: MediaTime) -> bool {
        self.media = self.media.saturating_add(bytes.as_u64());
        let since = *self.since.get_or_insert(now);
        let passed = now.since(since);
        if passed < WINDOW {
            return false;
        }
        self.since = Some(now);
        self.close(passed)
    }

    /// The transport sent `own` bytes on the wire for us, and `other` bytes beside.
    pub fn on_wire(&mut self, own: ByteCount, other: ByteCount) {
        self.own = self.own.saturating_add(own.as_u64());
        self.other = self.other.saturating_add(other.as_u64());
    }

    /// Bytes on the wire for each byte of the encoder.
    pub fn factor(&self) -> f64 {
        self.known.factor
    }

    /// What on the wire is not ours.
    pub fn others(&self) -> Bitrate {
        Bitrate::from_bps(self.known.others as u64)
    }

    /// Closes a window of `passed`; answers whether what is known has changed.
    fn close(&mut self, passed: Duration) -> bool {
        let seconds = passed.as_secs_f64();
        let smoothed = &mut self.smoothed;
        let others = self.other as f64 * 8.0 / seconds;
        smoothed.others += SMOOTHING * (others - smoothed.others);
        // Without a word of the transport the last factor holds.
        if self.media > 0 && self.own > 0 {
            let factor = (self.own as f64 / self.media as f64).clamp(1.0, MOST);
            smoothed.factor += SMOOTHING * (factor - smoothed.factor);
        }
        let own = self.media as f64 * 8.0 / seconds;
        let moved = (smoothed.factor / self.known.factor - 1.0).abs() > NOTICEABLE
            || (smoothed.others - self.known.others).abs() > NOTICEABLE * own;
        if moved {
            self.known = self.smoothed;
        }
        (self.media, self.own, self.other) = (0, 0, 0);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds of 1 Mbit/s video in packets of 1000 and 40 bytes, beside `other` bytes every 20 ms.
    fn after_ten_seconds(other: u64) -> Overhead {
        let mut overhead = Overhead::default();
        for ms in (0..10_000).step_by(20) {
            let now = MediaTime::from_millis(ms);
            overhead.on_media(ByteCount::new(2_500), now);
            overhead.on_wire(ByteCount::new(2_600), ByteCount::new(other));
        }
        overhead
    }

    #[test]
    fn headers_grow_with_the_rate_and_audio_does_not() {
        let overhead = after_ten_seconds(160);
        assert!((overhead.factor() - 1.04).abs() < 0.011, "{overhead:?}");
        let others = overhead.others().as_bps();
        assert!((53_000..=74_000).contains(&others), "{others}");
    }

    #[test]
    fn small_changes_are_none() {
        let mut overhead = after_ten_seconds(160);
        let mut changed = false;
        for ms in (10_000..20_000).step_by(20) {
            changed |= overhead.on_media(ByteCount::new(2_500), MediaTime::from_millis(ms));
            overhead.on_wire(ByteCount::new(2_605), ByteCount::new(165));
        }
        assert!(!changed, "{overhead:?}");
    }

    #[test]
    fn lies_are_bounded() {
        let mut overhead = Overhead::default();
        for ms in (0..10_000).step_by(20) {
            overhead.on_wire(ByteCount::new(u64::MAX), ByteCount::ZERO);
            overhead.on_media(ByteCount::new(1), MediaTime::from_millis(ms));
        }
        assert!(overhead.factor() <= MOST);
    }

    #[test]
    fn a_transport_that_says_nothing_leaves_the_typical_factor() {
        let mut overhead = Overhead::default();
        for ms in (0..5_000).step_by(20) {
            overhead.on_media(ByteCount::new(2_500), MediaTime::from_millis(ms));
        }
        assert!((overhead.factor() - TYPICAL).abs() < 1e-9);
    }
}
