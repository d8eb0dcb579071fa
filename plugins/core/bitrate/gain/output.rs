//! The rate of what comes out, window by window.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::ByteCount;

/// Ten frames of 15 a second; two of these and the settling of an encoder fit twice into 5 s.
const SHORT: Duration = Duration::from_millis(600);
const LONG: Duration = Duration::from_millis(900);
/// So long at most a window waits for the next key frame, then it is given up: with key frames farther apart those
/// without one say enough.
const LONGEST: Duration = Duration::from_millis(3_200);
/// A longer step is a pause, not a low rate.
const PAUSE: Duration = Duration::from_secs(1);

/// A frame, or a part of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) bytes: ByteCount,
    pub(super) key: bool,
    /// What is to come out (bit/s).
    pub(super) target: f64,
}

/// What came out in a window, in bit/s, and what was to come out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    pub(super) rate: f64,
    pub(super) target: f64,
}

/// What ends with a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    /// A short window: all of it, at most; and without its largest frame, which may be a key frame, at least.
    pub(super) short: Option<[Measured; 2]>,
    /// A long window, and whether it has key frames. It ends before one, so that what they cost is spread over what
    /// they serve.
    pub(super) long: Option<(Measured, bool)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    windows: Option<(Window, Window)>,
    last: MediaTime,
    /// The frame that comes in.
    frame: u64,
    key: bool,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: MediaTime,
    target: f64,
    bytes: u64,
    largest: u64,
    frames: u32,
    keys: bool,
}

impl Window {
    const fn new(start: MediaTime, target: f64) -> Self {
        Self {
            start,
            target,
            bytes: 0,
            largest: 0,
            frames: 0,
            keys: false,
        }
    }

    fn add(&mut self, bytes: u64, key: bool) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.largest = self.largest.max(bytes);
        self.frames += 1;
        self.keys |= key;
    }

    fn measured(&self, bytes: f64, target: f64, end: MediaTime) -> Measured {
        Measured {
            rate: bytes * 8.0 / end.since(self.start).as_secs_f64(),
            target: (self.target + target) / 2.0,
        }
    }

    /// With the others in its place.
    fn without_largest(&self) -> f64 {
        let others = f64::from(self.frames.max(2) - 1);
        (self.bytes - self.largest) as f64 * f64::from(self.frames) / others
    }
}

impl Output {
    pub(super) fn on_frame(&mut self, frame: Frame, at: MediaTime) -> Ended {
        let mut ended = Ended::default();
        let (step, bytes) = (at.since(self.last), frame.bytes.as_u64());
        self.last = at;
        let Some((short, long)) = self.windows.as_mut().filter(|_| step <= PAUSE) else {
            let window = Window::new(at, frame.target);
            self.windows = Some((window, window));
            (self.frame, self.key) = (bytes, frame.key);
            return ended;
        };
        if step.is_zero() {
            self.frame = self.frame.saturating_add(bytes);
            self.key |= frame.key;
            return ended;
        }
        short.add(self.frame, self.key);
        long.add(self.frame, self.key);
        (self.frame, self.key) = (bytes, frame.key);
        if at.since(short.start) >= SHORT {
            let amounts = [short.bytes as f64, short.without_largest()];
            let measured = amounts.map(|bytes| short.measured(bytes, frame.target, at));
            ended.short = Some(measured);
            *short = Window::new(at, frame.target);
        }
        let length = at.since(long.start);
        let whole = frame.key || !long.keys;
        if length >= LONG && whole {
            let all = long.bytes as f64;
            ended.long = Some((long.measured(all, frame.target, at), long.keys));
        }
        if ended.long.is_some() || length >= LONGEST {
            *long = Window::new(at, frame.target);
        }
        ended
    }

    /// Measures anew.
    pub(super) fn forget(&mut self) {
        self.windows = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 50 frames a second with a key frame of nine times the size after each `interval`.
    fn run(interval: u64, frames: u64) -> (Vec<[Measured; 2]>, Vec<(Measured, bool)>) {
        let mut output = Output::default();
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for n in 0..frames {
            let key = n.is_multiple_of(interval);
            let half = Frame {
                bytes: ByteCount::new(if key { 4_500 } else { 500 }),
                key,
                target: 1e6,
            };
            for _ in 0..2 {
                let ended = output.on_frame(half, MediaTime::from_millis(n * 20));
                short.extend(ended.short);
                long.extend(ended.long);
            }
        }
        (short, long)
    }

    #[test]
    fn short_windows_leave_out_what_may_be_a_key_frame() {
        let (short, _) = run(40, 200);
        assert!(short.len() == 6, "{short:?}");
        for [all, measured] in short {
            assert!(all.rate >= measured.rate);
            assert!((measured.rate - 400_000.0).abs() < 1.0, "{measured:?}");
            assert_eq!(measured.target, 1e6);
        }
    }

    #[test]
    fn long_windows_spread_a_key_frame_over_what_it_serves() {
        for interval in [20, 50, 80, 100, 250] {
            let (_, long) = run(interval, 1_000);
            let truth = 400_000.0 * (1.0 + 8.0 / interval as f64);
            assert!(long.len() >= 2, "{interval}: {long:?}");
            for (measured, keys) in &long[1..] {
                let most = if *keys { truth } else { 400_001.0 };
                assert!(measured.rate <= most + 1.0, "{interval}: {measured:?}");
            }
        }
    }

    #[test]
    fn a_pause_begins_a_new_window() {
        let mut output = Output::default();
        for n in 0..40 {
            let frame = Frame {
                bytes: ByteCount::new(9),
                key: true,
                target: 1.0,
            };
            let ended = output.on_frame(frame, MediaTime::from_millis(n * 1_500));
            assert!(ended.short.is_none() && ended.long.is_none());
        }
    }
}
