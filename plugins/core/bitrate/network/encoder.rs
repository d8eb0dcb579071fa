//! An encoder: follows its target late, emits frames of uneven size, and key frames that it pays back.

use super::super::link::Random;

/// What an encoder is like.
#[derive(Clone, Copy)]
pub(in super::super) struct Encoder {
    /// Microseconds between frames.
    pub(in super::super) frame_us: u64,
    /// First-order lag with which the rate follows the target. x264 settles within up to 26 frames of 30 a second:
    /// 300 ms are there after 900.
    pub(in super::super) lag_us: f64,
    /// Frames are up to this much larger or smaller than their share.
    pub(in super::super) noise: f64,
    /// Every so many frames one is a key frame, of so many times the size; the next ones pay for it.
    pub(in super::super) key_every: u64,
    pub(in super::super) key_size: f64,
    /// What is emitted of what is asked, in the long run.
    pub(in super::super) gain: f64,
}

impl Encoder {
    pub(in super::super) const PLAIN: Self = Self {
        frame_us: 33_333,
        lag_us: 150_000.0,
        noise: 0.15,
        key_every: u64::MAX,
        key_size: 1.0,
        gain: 1.0,
    };
}

pub(super) struct Encoding {
    encoder: Encoder,
    rate: f64,
    frames: u64,
    /// Bytes emitted above the rate, to be saved on the next frames.
    debt: f64,
}

impl Encoding {
    pub(super) fn new(encoder: Encoder, start: f64) -> Self {
        Self {
            encoder,
            rate: start,
            frames: 0,
            debt: 0.0,
        }
    }

    pub(super) fn frame_us(&self) -> u64 {
        self.encoder.frame_us
    }

    /// The next frame in bytes: `target` is asked for, the picture needs `content` (bit/s) and no more.
    pub(super) fn frame(&mut self, target: f64, content: f64, random: &mut Random) -> f64 {
        let Encoder {
            frame_us, noise, ..
        } = self.encoder;
        let passed = frame_us as f64;
        let follow = 1.0 - (-passed / self.encoder.lag_us).exp();
        self.rate += (target * self.encoder.gain - self.rate) * follow;
        let share = self.rate.min(content) * passed / 8e6;
        let key = self.frames % self.encoder.key_every == self.encoder.key_every - 1;
        self.frames += 1;
        let wanted = share * (1.0 - noise + 2.0 * noise * random.next());
        let wanted = if key {
            wanted * self.encoder.key_size
        } else {
            wanted
        };
        let saved = self.debt.clamp(0.0, 0.4 * wanted);
        let saved = if key { 0.0 } else { saved };
        let size = wanted - saved;
        self.debt = (self.debt + size - share).max(-share);
        size.max(50.0)
    }
}
