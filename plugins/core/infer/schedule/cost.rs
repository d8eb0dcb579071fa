//! What a batch of each size costs, learned from those that ran.

use std::time::Duration;

/// Runs of one size that count: the 95th percentile of so many leaves the worst one out.
const WINDOW: usize = 20;
/// A run that took longer than so many usual ones was held up by something else.
const OUTLIER: u32 = 3;
/// Part of a new run in the mean, as 1 of so many.
const SMOOTHING: u32 = 8;

/// Cost per batch size: measured where that size ran, estimated from its neighbours where it did not.
#[derive(Clone, Debug)]
pub struct CostModel {
    runs: Vec<Runs>,
    p95: Vec<Duration>,
    mean: Vec<Duration>,
}

/// The last runs of one size.
#[derive(Clone, Debug, Default)]
struct Runs {
    ring: [Duration; WINDOW],
    count: usize,
    mean: Duration,
    p95: Duration,
}

impl CostModel {
    /// For batches of 1 to `max_batch`, none of which was measured yet.
    pub fn new(max_batch: usize) -> Self {
        let sizes = max_batch.max(1);
        Self {
            runs: vec![Runs::default(); sizes],
            p95: vec![Duration::ZERO; sizes],
            mean: vec![Duration::ZERO; sizes],
        }
    }

    /// A batch of `size` took so long. What is larger than the largest batch ran in parts, and teaches nothing.
    pub fn on_batch(&mut self, size: usize, took: Duration) {
        let Some(runs) = size.checked_sub(1).and_then(|at| self.runs.get_mut(at)) else {
            return;
        };
        runs.push(took);
        fill(&self.runs, |runs| runs.p95, &mut self.p95);
        fill(&self.runs, |runs| runs.mean, &mut self.mean);
    }

    /// Whether anything was measured.
    pub fn is_known(&self) -> bool {
        self.runs.iter().any(|runs| runs.count > 0)
    }

    /// What 95 of 100 batches of `size` do not exceed; zero before the first measurement.
    pub fn p95(&self, size: usize) -> Duration {
        in_parts(&self.p95, size)
    }

    /// What a batch of `size` takes in the long run; zero before the first measurement.
    pub fn mean(&self, size: usize) -> Duration {
        in_parts(&self.mean, size)
    }
}

impl Runs {
    fn push(&mut self, took: Duration) {
        self.ring[self.count % WINDOW] = took;
        self.count += 1;
        let mut sorted = self.ring;
        let sorted = &mut sorted[..self.count.min(WINDOW)];
        sorted.sort_unstable();
        let usual = sorted[(sorted.len() - 1) / 2];
        let rank = (sorted.len() * 95).div_ceil(100);
        self.p95 = sorted[rank - 1].min(usual * OUTLIER);
        let took = took.min(usual * OUTLIER);
        self.mean = if self.count == 1 {
            took
        } else {
            (self.mean * (SMOOTHING - 1) + took) / SMOOTHING
        };
    }
}

/// `costs` by size, and beyond the largest one what the parts cost together.
fn in_parts(costs: &[Duration], size: usize) -> Duration {
    let (whole, rest) = (size / costs.len(), size % costs.len());
    let parts = costs[costs.len() - 1].saturating_mul(u32::try_from(whole).unwrap_or(u32::MAX));
    match rest.checked_sub(1) {
        Some(at) => parts.saturating_add(costs[at]),
        None => parts,
    }
}

/// Writes the cost of each size into `costs`: as measured, on the line between two sizes that were, and where there
/// is no larger one as much more as the step before, at most in proportion.
fn fill(runs: &[Runs], cost: impl Fn(&Runs) -> Duration, costs: &mut [Duration]) {
    let mut below: Option<(usize, Duration)> = None;
    let mut step = None;
    for size in 1..=runs.len() {
        if runs[size - 1].count == 0 {
            continue;
        }
        let here = cost(&runs[size - 1]);
        match below {
            // Less than a larger batch it costs in any case, more is not known.
            None => costs[..size].fill(here),
            Some((from, there)) => {
                let width = (size - from) as f64;
                let rise = here.as_secs_f64() - there.as_secs_f64();
                let slope = rise / width;
                line(&mut costs[from..size], there, slope);
                costs[size - 1] = here;
                step = Some(slope);
            }
        }
        below = Some((size, here));
    }
    if let Some((from, here)) = below {
        let proportional = here.as_secs_f64() / from as f64;
        let slope = step.unwrap_or(proportional).clamp(0.0, proportional);
        line(&mut costs[from..], here, slope);
    }
}

/// Costs that rise by `slope` seconds from size to size, after `start`.
fn line(costs: &mut [Duration], start: Duration, slope: f64) {
    for (index, cost) in costs.iter_mut().enumerate() {
        let seconds = start.as_secs_f64() + slope * (index + 1) as f64;
        *cost = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn close(actual: Duration, expected: u64) -> bool {
        actual.abs_diff(ms(expected)) < Duration::from_micros(10)
    }

    #[test]
    fn nothing_measured_costs_nothing() {
        let costs = CostModel::new(8);
        assert!(!costs.is_known());
        assert_eq!(costs.p95(8), Duration::ZERO);
    }

    #[test]
    fn one_size_tells_of_the_others_at_most_in_proportion() {
        let mut costs = CostModel::new(8);
        costs.on_batch(2, ms(10));
        assert!(costs.is_known());
        assert_eq!(costs.p95(1), ms(10));
        assert_eq!(costs.p95(2), ms(10));
        assert!(close(costs.p95(8), 40), "{:?}", costs.p95(8));
    }

    #[test]
    fn sizes_between_two_that_were_seen_lie_on_a_line() {
        let mut costs = CostModel::new(32);
        costs.on_batch(1, ms(5));
        costs.on_batch(9, ms(21));
        assert!(close(costs.p95(3), 9) && close(costs.p95(8), 19));
        assert!(close(costs.mean(5), 13));
        assert!(close(costs.p95(11), 25), "the slope goes on");
        costs.on_batch(17, ms(20));
        assert!(close(costs.p95(32), 20), "a larger one is not cheaper");
    }

    #[test]
    fn one_run_that_was_held_up_changes_little() {
        let mut costs = CostModel::new(4);
        for run in 0..100 {
            costs.on_batch(4, ms(10 + run % 3));
        }
        costs.on_batch(4, ms(900));
        assert_eq!(costs.p95(4), ms(12));
        assert!(costs.mean(4) < ms(15), "{:?}", costs.mean(4));
    }

    #[test]
    fn a_first_run_that_warms_up_is_forgiven() {
        let mut costs = CostModel::new(1);
        costs.on_batch(1, ms(700));
        costs.on_batch(1, ms(10));
        assert_eq!(costs.p95(1), ms(30));
    }

    #[test]
    fn a_device_that_became_slower_is_believed() {
        let mut costs = CostModel::new(1);
        for _ in 0..100 {
            costs.on_batch(1, ms(10));
        }
        for _ in 0..WINDOW {
            costs.on_batch(1, ms(80));
        }
        assert_eq!(costs.p95(1), ms(80));
    }

    #[test]
    fn what_is_more_than_a_batch_runs_in_parts() {
        let mut costs = CostModel::new(2);
        costs.on_batch(1, ms(4));
        costs.on_batch(2, ms(6));
        assert_eq!(costs.p95(5), ms(16));
        costs.on_batch(5, ms(1000));
        costs.on_batch(0, ms(1000));
        assert_eq!(costs.p95(5), ms(16));
        assert_eq!(costs.p95(0), Duration::ZERO);
    }
}
