//! What the load would be on another step: pixels a second, corrected by what was measured.

use std::time::Duration;

use crate::time::MediaTime;

/// A correction counts half after so long: the longest wait for an upgrade, so that one that failed is not repeated
/// before.
const HALF_LIFE: Duration = Duration::from_secs(240);

/// A measurement that is further from the pixels than this was disturbed: load measured on x264 follows pixels a second
/// within 25 %, fixed costs of a frame and other elements behind come on top.
const FARTHEST: f64 = 2.0;

/// Part of a new measurement in a correction. Other load moves between two of them, too.
const WEIGHT: f64 = 0.5;

/// Load by step, from the load on another one.
#[derive(Clone, Debug, Default)]
pub struct CostModel {
    /// Pixels a second, the best step first.
    speeds: Vec<f64>,
    /// For each step but the lowest: how far, as a logarithm, it costs more beside the next one than pixels say, and
    /// when that was measured.
    corrections: Vec<(f64, MediaTime)>,
}

impl CostModel {
    /// These are the steps' pixels a second, the best first; nothing is known of them.
    pub fn new(speeds: Vec<f64>) -> Self {
        let between = speeds.len().saturating_sub(1);
        Self {
            corrections: vec![(0.0, MediaTime::ZERO); between],
            speeds,
        }
    }

    /// Pixels a second of `step`.
    pub fn speed(&self, step: usize) -> f64 {
        self.speeds.get(step).copied().unwrap_or_default()
    }

    /// The load on `to` where it is `load` on `from`.
    pub fn project(&self, from: usize, to: usize, load: f64, now: MediaTime) -> f64 {
        if self.speed(from) <= 0.0 {
            return load;
        }
        let steps = from.min(to)..from.max(to);
        let correction: f64 = self.corrections[steps]
            .iter()
            .map(|(correction, at)| correction * faded(*at, now))
            .sum();
        let signed = if to < from { correction } else { -correction };
        load * self.speed(to) / self.speed(from) * signed.exp()
    }

    /// The load was `before` on `from` and is `after` on `to`, a moment later.
    pub fn on_switch(&mut self, from: usize, to: usize, loads: (f64, f64), now: MediaTime) {
        let (before, after) = loads;
        let (better, less) = if from < to {
            (before, after)
        } else {
            (after, before)
        };
        let (top, bottom) = (from.min(to), from.max(to));
        let plain = self.speed(top) / self.speed(bottom);
        if top == bottom || better <= 0.0 || less <= 0.0 || !plain.is_finite() || plain <= 0.0 {
            return;
        }
        let limit = FARTHEST.ln();
        let measured = (better / less / plain).ln().clamp(-limit, limit);
        let each = measured / (bottom - top) as f64;
        for (correction, at) in &mut self.corrections[top..bottom] {
            *correction = *correction * faded(*at, now) * (1.0 - WEIGHT) + each * WEIGHT;
            *at = now;
        }
    }
}

fn faded(at: MediaTime, now: MediaTime) -> f64 {
    (-now.since(at).as_secs_f64() / HALF_LIFE.as_secs_f64()).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MediaTime = MediaTime::from_millis(10_000);

    fn model() -> CostModel {
        CostModel::new(vec![60.0, 20.0, 5.0])
    }

    #[test]
    fn at_first_the_load_follows_the_pixels() {
        let model = model();
        assert!((model.project(1, 0, 0.3, NOW) - 0.9).abs() < 1e-9);
        assert!((model.project(0, 2, 1.2, NOW) - 0.1).abs() < 1e-9);
        assert_eq!(model.project(1, 1, 0.3, NOW), 0.3);
    }

    #[test]
    fn what_was_measured_corrects_it_both_ways_and_fades() {
        let mut model = model();
        for _ in 0..10 {
            model.on_switch(1, 0, (0.2, 0.9), NOW);
        }
        assert!((model.project(1, 0, 0.2, NOW) - 0.9).abs() < 0.01);
        assert!((model.project(0, 1, 0.9, NOW) - 0.2).abs() < 0.01);
        assert!((model.project(2, 1, 0.1, NOW) - 0.4).abs() < 0.01);
        let later = model.project(1, 0, 0.2, NOW.after(HALF_LIFE));
        assert!((0.7..0.75).contains(&later), "{later}");
        let much_later = model.project(1, 0, 0.2, NOW.after(HALF_LIFE * 20));
        assert!((much_later - 0.6).abs() < 0.01);
    }

    #[test]
    fn a_fall_over_several_steps_teaches_of_each() {
        let mut model = model();
        for _ in 0..10 {
            model.on_switch(0, 2, (1.2, 0.2), NOW);
        }
        assert!((model.project(2, 0, 0.2, NOW) - 1.2).abs() < 0.01);
        let half = model.project(2, 1, 0.2, NOW);
        assert!((half - 0.8 / 2.0_f64.sqrt()).abs() < 0.01, "{half}");
    }

    #[test]
    fn a_measurement_that_something_else_spoilt_counts_in_bounds() {
        let mut model = model();
        model.on_switch(1, 0, (0.01, 9.0), NOW);
        assert!(model.project(1, 0, 0.1, NOW) <= 0.1 * 3.0 * FARTHEST);
        model.on_switch(1, 0, (0.0, 9.0), NOW);
        model.on_switch(1, 1, (0.5, 0.5), NOW);
        assert!(model.project(1, 0, 0.1, NOW).is_finite());
    }
}
