//! Measures the backlog: what passed the sender, and what the sink has taken of it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount, Ratio};

use super::super::window::WindowedMin;
use super::Backlog;

/// Buffers that may be under way: half a minute of 30 frames a second.
const MOST_UNDER_WAY: usize = 1024;
/// Rates are those of the last second, in steps: long enough for a key frame, short enough for a rate that changes.
const STEP: Duration = Duration::from_millis(100);
const STEPS: usize = 10;
/// What lies between the sender and a sink that keeps up (a muxer, a frame under way) is the least lag of this time.
const BASE_WINDOW: Duration = Duration::from_secs(30);

/// Follows one stream to one sink. Media times are running times; `now` is another clock.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Media time and bytes passed with it, of what the sink has not taken.
    under_way: VecDeque<(MediaTime, u64)>,
    newest: Option<MediaTime>,
    taken: Option<MediaTime>,
    base: WindowedMin<Duration>,
    /// The sink waits for its clock by this much.
    latency: Duration,
    /// Bytes taken, and time held, in the last steps.
    out: [u64; STEPS],
    held: [Duration; STEPS],
    step: u64,
    first: Option<u64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            under_way: VecDeque::with_capacity(MOST_UNDER_WAY),
            newest: None,
            taken: None,
            base: WindowedMin::new(BASE_WINDOW),
            latency: Duration::ZERO,
            out: [0; STEPS],
            held: [Duration::ZERO; STEPS],
            step: 0,
            first: None,
        }
    }
}

impl Meter {
    /// A sink that keeps up takes media at most this late.
    pub fn set_latency(&mut self, latency: Duration) {
        self.latency = latency;
    }

    /// A buffer of the media time `at` leaves the sender.
    pub fn on_passed(&mut self, size: ByteCount, at: MediaTime) {
        self.newest = self.newest.max(Some(at));
        if self.under_way.len() < MOST_UNDER_WAY {
            self.under_way.push_back((at, size.as_u64()));
        } else if let Some((_, bytes)) = self.under_way.back_mut() {
            *bytes = bytes.saturating_add(size.as_u64());
        }
    }

    /// The sink takes a buffer of the media time `at`, of this stream or of another that is as far.
    pub fn on_taken(&mut self, at: MediaTime, now: MediaTime) {
        self.advance(now);
        self.taken = self.taken.max(Some(at));
        while let Some((_, bytes)) = self.under_way.front().filter(|(media, _)| *media <= at) {
            let out = &mut self.out[slot(self.step)];
            *out = out.saturating_add(*bytes);
            self.under_way.pop_front();
        }
        if let Some(lag) = self.lag() {
            self.base.update(lag, now);
        }
    }

    /// The sink held up the stream for `time` until `now`.
    pub fn on_held(&mut self, time: Duration, now: MediaTime) {
        self.advance(now);
        self.held[slot(self.step)] += time;
    }

    /// A flush or a new segment: what was under way is gone.
    pub fn on_flush(&mut self) {
        self.under_way.clear();
        self.newest = None;
        self.taken = None;
        self.base.clear();
    }

    /// The backlog at `now`; the sink has been holding up the stream for `holding`.
    pub fn read(&mut self, holding: Duration, now: MediaTime) -> Backlog {
        self.advance(now);
        let base = self.base.min().unwrap_or_default().max(self.latency);
        let waiting = self.lag().unwrap_or_default().saturating_sub(base);
        let filled = self.filled();
        let held = self.held.iter().sum::<Duration>() + holding.min(filled);
        let out = self.out.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        Backlog {
            behind: waiting.max(holding),
            held: Ratio::new(held.as_secs_f64() / filled.as_secs_f64()),
            drained: Bitrate::from_bytes_over(ByteCount::new(out), filled),
        }
    }

    fn lag(&self) -> Option<Duration> {
        Some(self.newest?.since(self.taken?))
    }

    /// The part of the window that has passed since the beginning, and not yet filled for the second part.
    fn filled(&self) -> Duration {
        let first = self.first.unwrap_or(self.step);
        STEP * (self.step - first + 1).min(STEPS as u64) as u32
    }

    fn advance(&mut self, now: MediaTime) {
        let step = now.as_nanos() / STEP.as_nanos() as u64;
        for passed in 0..step.saturating_sub(self.step).min(STEPS as u64) {
            self.out[slot(step - passed)] = 0;
            self.held[slot(step - passed)] = Duration::ZERO;
        }
        self.step = self.step.max(step);
        self.first.get_or_insert(self.step);
    }
}

const fn slot(step: u64) -> usize {
    (step % STEPS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 40;
    const SIZE: ByteCount = ByteCount::new(5_000);

    #[test]
    fn what_a_muxer_holds_back_is_no_backlog() {
        let mut meter = Meter::default();
        for ms in (200..3_000).step_by(FRAME as usize) {
            meter.on_passed(SIZE, MediaTime::from_millis(ms));
            meter.on_taken(
                MediaTime::from_millis(ms - 2 * FRAME),
                MediaTime::from_millis(ms),
            );
        }
        let backlog = meter.read(Duration::ZERO, MediaTime::from_millis(2_999));
        assert_eq!(backlog.behind, Duration::ZERO);
        assert_eq!(backlog.held, Ratio::ZERO);
        assert_eq!(backlog.drained, Bitrate::from_kbps(1_000));
    }

    #[test]
    fn what_the_sink_does_not_take_waits() {
        let mut meter = Meter::default();
        for ms in (0..2_000).step_by(FRAME as usize) {
            meter.on_passed(SIZE, MediaTime::from_millis(ms));
            // Half as fast as it comes.
            meter.on_taken(MediaTime::from_millis(ms / 2), MediaTime::from_millis(ms));
        }
        let backlog = meter.read(Duration::ZERO, MediaTime::from_millis(1_999));
        assert_eq!(backlog.behind, Duration::from_millis(980));
        assert!(backlog.drained <= Bitrate::from_kbps(550), "{backlog:?}");
    }

    #[test]
    fn a_push_that_takes_long_is_a_backlog_without_a_queue() {
        let mut meter = Meter::default();
        for ms in (0..2_000).step_by(100) {
            meter.on_held(Duration::from_millis(70), MediaTime::from_millis(ms));
        }
        let backlog = meter.read(Duration::from_millis(50), MediaTime::from_millis(1_999));
        assert_eq!(backlog.behind, Duration::from_millis(50));
        assert!((backlog.held.as_f64() - 0.75).abs() < 0.01, "{backlog:?}");
    }

    #[test]
    fn media_times_that_jump_and_streams_without_end_stay_within_bounds() {
        let mut meter = Meter::default();
        for n in 0..5_000_u64 {
            let wild = MediaTime::from_nanos(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            meter.on_passed(ByteCount::new(u64::MAX), wild);
            if n % 7 == 0 {
                meter.on_taken(wild, wild);
            }
            meter.read(Duration::MAX, wild);
        }
        assert!(meter.under_way.len() <= MOST_UNDER_WAY);
    }
}
