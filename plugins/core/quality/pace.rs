//! A frame rate that follows the time a frame takes.

use std::time::Duration;

/// Frames that are looked at together. This number and those below are the hazard detection system's, whose adaptive
/// quality controller this is: the mean of 50 frames, over 1.5 times 100 ms two frames a second less, under 0.7 times one
/// more.
const FRAMES: u32 = 50;
const SLOW: f64 = 1.5;
const FAST: f64 = 0.7;
const LESS: usize = 2;

/// How the rate changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaceStep {
    /// By so many steps down.
    Down(usize),
    /// One step up.
    Up,
}

/// Looks at the frames of one rate.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    target: Duration,
    frames: u32,
    took: Duration,
}

impl Pace {
    /// What a frame should take where nobody says otherwise.
    pub const TARGET: Duration = Duration::from_millis(100);

    /// A frame should take `target`.
    pub const fn new(target: Duration) -> Self {
        Self {
            target,
            frames: 0,
            took: Duration::ZERO,
        }
    }

    /// A frame took so long. Answers what to change, once in fifty frames.
    pub fn on_frame(&mut self, took: Duration) -> Option<PaceStep> {
        self.frames += 1;
        self.took = self.took.saturating_add(took);
        if self.frames < FRAMES {
            return None;
        }
        let mean = self.took.as_secs_f64() / f64::from(FRAMES);
        self.reset();
        let target = self.target.as_secs_f64();
        if mean > target * SLOW {
            Some(PaceStep::Down(LESS))
        } else {
            (mean < target * FAST).then_some(PaceStep::Up)
        }
    }

    /// What comes now is of another rate.
    pub const fn reset(&mut self) {
        self.frames = 0;
        self.took = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(millis: u64, frames: u32) -> Vec<PaceStep> {
        let mut pace = Pace::new(Pace::TARGET);
        let frames = 0..frames;
        frames
            .filter_map(|_| pace.on_frame(Duration::from_millis(millis)))
            .collect()
    }

    #[test]
    fn fifty_frames_decide_by_their_mean() {
        assert_eq!(steps(151, 49), []);
        assert_eq!(steps(151, 100), [PaceStep::Down(2); 2]);
        assert_eq!(steps(150, 100), []);
        assert_eq!(steps(70, 100), []);
        assert_eq!(steps(69, 100), [PaceStep::Up; 2]);
    }
}
