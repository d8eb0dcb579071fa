//! A bit rate for encoders that only know a quality.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

/// The size of a picture goes with this power of the coarseness of its quantisation. 0.3 to 0.4 was measured on
/// drawn pictures, photographs come near 0.7; a loop with 0.6 converges on all of them.
const STEEPNESS: f64 = 0.6;
/// Twice as coarse or fine in one step and no more: the power above holds near by.
const MOST_STEP: f64 = 4.0;
/// Sizes nearer than this are right.
const NEAR: f64 = 0.03;
/// So many pictures are looked at before the next step; one of the quality before may still be on its way.
const LEAST_PICTURES: u32 = 3;
const ON_THE_WAY: u32 = 1;
const LEAST_TIME: Duration = Duration::from_millis(120);
/// What was sent too much is saved within a second; of what was not used only a quarter may be spent later, so
/// that a picture that becomes busy does not fill the network's queue.
const DEBT: f64 = 1.0;
const CREDIT: f64 = 0.25;
/// The share of the newest interval in the average: some ten pictures, whatever their rate.
const NEWEST: f64 = 0.1;
/// So many pictures say what the quality that was found comes to.
const LOOK: u32 = 10;
/// A longer interval is a pause.
const PAUSE: Duration = Duration::from_secs(1);
/// The range of libjpeg's quality.
const FINEST: f64 = 100.0;
const COARSEST: f64 = 1.0;

/// Chooses the quality (1 to 100, libjpeg's scale) with which pictures come to a bit rate, from the sizes of those
/// that came.
#[derive(Clone, Debug)]
pub struct QualityLoop {
    quality: f64,
    told: u32,
    /// The picture that comes in.
    time: Option<MediaTime>,
    size: u64,
    interval: Option<f64>,
    /// Of the pictures since the last step.
    pictures: u32,
    bytes: f64,
    since: MediaTime,
    /// Bytes that went beyond the target so far.
    debt: f64,
    observed: Option<Bitrate>,
}

impl QualityLoop {
    /// An encoder that stands at `quality`.
    pub fn new(quality: u32) -> Self {
        Self {
            quality: f64::from(quality).clamp(COARSEST, FINEST),
            told: quality,
            time: None,
            size: 0,
            interval: None,
            pictures: 0,
            bytes: 0.0,
            since: MediaTime::ZERO,
            debt: 0.0,
            observed: None,
        }
    }

    /// The quality that it stands at.
    pub fn quality(&self) -> u32 {
        self.told
    }

    /// What it sent at the quality that it stood at, once enough pictures have come.
    pub fn observed(&self) -> Option<Bitrate> {
        self.observed
    }

    /// A picture, or one more part of it, of the time `at`. Answers the quality to set, where it changes;
    /// without a target it only looks.
    pub fn on_output(
        &mut self,
        bytes: ByteCount,
        target: Option<Bitrate>,
        at: MediaTime,
    ) -> Option<u32> {
        let step = at.since(self.time.unwrap_or(at));
        if self.time.is_some() && step.is_zero() {
            self.size = self.size.saturating_add(bytes.as_u64());
            return None;
        }
        let size = std::mem::replace(&mut self.size, bytes.as_u64());
        self.time.replace(at)?;
        if step > PAUSE {
            return None;
        }
        let step = step.as_secs_f64();
        let interval = self.interval.unwrap_or(step);
        let interval = interval + NEWEST * (step - interval);
        self.interval = Some(interval);
        match target {
            Some(target) => self.on_picture(size as f64, target.as_bps() as f64 / 8.0, at),
            None => {
                self.look(size as f64, interval);
                None
            }
        }
    }

    fn look(&mut self, size: f64, interval: f64) {
        self.pictures += 1;
        self.bytes += size;
        if self.pictures == LOOK {
            let rate = self.bytes * 8.0 / f64::from(LOOK) / interval;
            self.observed = Some(Bitrate::from_bps(rate as u64));
            self.pictures = 0;
            self.bytes = 0.0;
        }
    }

    /// `rate` in bytes a second.
    fn on_picture(&mut self, size: f64, rate: f64, at: MediaTime) -> Option<u32> {
        let desired = rate * self.interval?;
        self.debt = (self.debt + size - desired).clamp(-CREDIT * rate, DEBT * rate);
        self.pictures += 1;
        if self.pictures <= ON_THE_WAY {
            self.since = at;
            return None;
        }
        self.bytes += size;
        let seen = self.pictures - ON_THE_WAY;
        if seen < LEAST_PICTURES || at.since(self.since) < LEAST_TIME {
            return None;
        }
        let repaid = desired - self.debt * self.interval?;
        let wanted = repaid.clamp(desired / 2.0, desired * 1.5).max(1.0);
        self.step(self.bytes / f64::from(seen) / wanted)
    }

    /// Pictures are `excess` times as large as wanted.
    fn step(&mut self, excess: f64) -> Option<u32> {
        self.pictures = ON_THE_WAY;
        self.bytes = 0.0;
        if (excess - 1.0).abs() < NEAR {
            return None;
        }
        let factor = excess.powf(1.0 / STEEPNESS);
        let coarser = factor.clamp(1.0 / MOST_STEP, MOST_STEP);
        self.quality = quality_of(coarseness_of(self.quality) * coarser);
        let told = self.quality.round() as u32;
        if told == self.told {
            return None;
        }
        self.told = told;
        self.pictures = 0;
        Some(told)
    }
}

/// The factor on the quantisation tables, in percent, as libjpeg takes it from the quality.
fn coarseness_of(quality: f64) -> f64 {
    if quality < 50.0 {
        5_000.0 / quality
    } else {
        // At 100 it would be 0: from there no factor leads back.
        (200.0 - 2.0 * quality).max(1.0)
    }
}

fn quality_of(coarseness: f64) -> f64 {
    let quality = if coarseness > 100.0 {
        5_000.0 / coarseness
    } else {
        (200.0 - coarseness) / 2.0
    };
    quality.clamp(COARSEST, FINEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of `busy` bytes at quality 50, with sizes that go by `steepness`, for `seconds` from `from`.
    struct Camera {
        busy: f64,
        steepness: f64,
        pictures: u64,
        delay: usize,
    }

    impl Camera {
        /// Answers the mean rate of the last half of `pictures` at 25 a second.
        fn run(&mut self, quality: &mut QualityLoop, target: Bitrate, pictures: u64) -> f64 {
            let mut queue = vec![quality.quality(); self.delay + 1];
            let mut sent = 0.0;
            for n in 0..pictures {
                queue.rotate_left(1);
                let coarse = coarseness_of(f64::from(queue[0])) / 100.0;
                let noise = 1.0 + 0.1 * ((n * 7 % 11) as f64 / 5.0 - 1.0);
                let size = self.busy * coarse.powf(-self.steepness) * noise;
                let at = MediaTime::from_millis(40 * self.pictures);
                self.pictures += 1;
                let half = ByteCount::new(size as u64 / 2);
                quality.on_output(half, Some(target), at);
                quality.on_output(half, Some(target), at);
                if let Some(last) = queue.last_mut() {
                    *last = quality.quality();
                }
                if n >= pictures / 2 {
                    sent += size;
                }
            }
            sent * 8.0 / (pictures as f64 / 2.0 * 0.04)
        }
    }

    fn camera(steepness: f64, delay: usize) -> Camera {
        Camera {
            busy: 20_000.0,
            steepness,
            pictures: 0,
            delay,
        }
    }

    #[test]
    fn pictures_of_any_kind_come_to_the_rate() {
        for steepness in [0.25, 0.4, 0.7, 0.9] {
            for delay in [0, 1, 3] {
                let (mut camera, mut quality) = (camera(steepness, delay), QualityLoop::new(85));
                for kbps in [3_000, 5_000, 2_500, 6_000] {
                    let target = Bitrate::from_kbps(kbps);
                    let sent = camera.run(&mut quality, target, 200) / target.as_bps() as f64;
                    assert!(
                        (0.92..1.08).contains(&sent),
                        "{sent:.2} of {kbps} kbit/s at steepness {steepness}, {delay} on the way"
                    );
                }
            }
        }
    }

    #[test]
    fn without_a_target_it_says_what_the_quality_comes_to() {
        let mut quality = QualityLoop::new(85);
        for n in 0..30 {
            let at = MediaTime::from_millis(40 * n);
            assert_eq!(quality.on_output(ByteCount::new(5_000), None, at), None);
        }
        assert_eq!(quality.observed(), Some(Bitrate::from_kbps(1_000)));
    }

    #[test]
    fn a_picture_that_becomes_busy_is_coarser_within_half_a_second() {
        let (mut camera, mut quality) = (camera(0.6, 0), QualityLoop::new(85));
        let target = Bitrate::from_kbps(4_000);
        camera.run(&mut quality, target, 100);
        camera.busy *= 4.0;
        camera.run(&mut quality, target, 13);
        let sent = camera.run(&mut quality, target, 25);
        assert!(sent < 4_600_000.0, "{sent}");
    }

    #[test]
    fn what_cannot_be_reached_stays_at_the_end_of_the_scale() {
        let (mut camera, mut quality) = (camera(0.5, 0), QualityLoop::new(50));
        camera.run(&mut quality, Bitrate::from_bps(1_000), 200);
        assert_eq!(quality.quality(), 1);
        camera.run(&mut quality, Bitrate::from_kbps(900_000), 400);
        assert_eq!(quality.quality(), 100);
        camera.run(&mut quality, Bitrate::from_kbps(4_000), 200);
        assert!((30..70).contains(&quality.quality()));
    }
}
