//! How long each part of a frame's way through the network takes.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::time::nanos;

/// Upper bounds in seconds of the buckets of [`Timings::buckets`]; what took longer is in one bucket more.
pub const BOUNDS: [f64; 10] = [
    0.001, 0.002, 0.005, 0.010, 0.020, 0.050, 0.100, 0.200, 0.500, 1.0,
];

/// The longest duration told apart: 60 s.
const MAX_NANOS: u64 = 60_000_000_000;

/// A part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the frame to the tensor.
    Preprocess,
    /// In the network.
    Inference,
    /// From the network's output to objects.
    Postprocess,
}

/// How long each stage of one frame took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// From the frame to the tensor.
    pub preprocess: Duration,
    /// In the network.
    pub inference: Duration,
    /// From the network's output to objects.
    pub postprocess: Duration,
}

impl Stages {
    /// All three.
    pub fn total(&self) -> Duration {
        self.preprocess + self.inference + self.postprocess
    }
}

/// Durations of all frames so far.
#[derive(Clone, Debug)]
pub struct Timings {
    count: u64,
    sums: Stages,
    totals: Histogram<u64>,
    buckets: [u64; BOUNDS.len() + 1],
}

impl Default for Timings {
    fn default() -> Self {
        // Two digits are one percent; the bounds are constants that the histogram takes.
        let totals = Histogram::new_with_bounds(1_000, MAX_NANOS, 2).expect("bounds in order");
        Self {
            count: 0,
            sums: Stages::default(),
            totals,
            buckets: [0; BOUNDS.len() + 1],
        }
    }
}

impl Timings {
    /// Counts one frame.
    pub fn on_frame(&mut self, stages: Stages) {
        self.count += 1;
        self.sums.preprocess += stages.preprocess;
        self.sums.inference += stages.inference;
        self.sums.postprocess += stages.postprocess;
        self.totals.saturating_record(nanos(stages.total()));
        let seconds = stages.total().as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
    }

    /// Frames counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean duration of `stage`; zero before the first frame.
    pub fn mean(&self, stage: Stage) -> Duration {
        let sum = match stage {
            Stage::Preprocess => self.sums.preprocess,
            Stage::Inference => self.sums.inference,
            Stage::Postprocess => self.sums.postprocess,
        };
        let nanos = sum.as_nanos().checked_div(u128::from(self.count));
        Duration::from_nanos(nanos.unwrap_or(0) as u64)
    }

    /// The total that `percent` of the frames did not exceed; zero before the first frame.
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.totals.value_at_percentile(percent))
    }

    /// Frames per bucket of totals, by [`BOUNDS`].
    pub const fn buckets(&self) -> &[u64; BOUNDS.len() + 1] {
        &self.buckets
    }

    /// The totals of all frames together.
    pub fn sum(&self) -> Duration {
        self.sums.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(inference: u64) -> Stages {
        Stages {
            preprocess: Duration::from_millis(1),
            inference: Duration::from_millis(inference),
            postprocess: Duration::ZERO,
        }
    }

    #[test]
    fn means_and_percentiles_follow_the_frames() {
        let mut timings = Timings::default();
        assert_eq!(timings.mean(Stage::Inference), Duration::ZERO);
        assert_eq!(timings.percentile(99.0), Duration::ZERO);
        for millis in 1..=100 {
            timings.on_frame(stages(millis));
        }
        assert_eq!(timings.mean(Stage::Preprocess), Duration::from_millis(1));
        assert_eq!(
            timings.mean(Stage::Inference),
            Duration::from_micros(50_500)
        );
        let median = timings.percentile(50.0).as_secs_f64();
        assert!((median / 0.051 - 1.0).abs() < 0.01, "{median}");
        assert_eq!(timings.sum(), Duration::from_millis(5150));
    }

    #[test]
    fn every_frame_is_in_one_bucket() {
        let mut timings = Timings::default();
        for millis in [0, 3, 3, 5_000] {
            timings.on_frame(stages(millis));
        }
        let counts = timings.buckets();
        assert_eq!((counts[0], counts[2], counts[10]), (1, 2, 1));
        assert_eq!(counts.iter().sum::<u64>(), timings.count());
    }
}
