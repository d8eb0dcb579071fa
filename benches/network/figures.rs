//! The figures of a phase, and what must hold of them.

use std::fmt;

use crate::cases::Must;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Of what the bottleneck has (or of the sender's maximum where that is less), bytes on the wire, percent.
    Used,
    /// The same in the phase's second half.
    UsedLate,
    /// Seconds until 85 % are used for a second, and 80 % for five.
    ReachedAfter,
    /// Queue delay, ms.
    QueueP50,
    QueueP95,
    QueueMax,
    /// Seconds until the queue stays below 100 ms.
    SettledAfter,
    /// Packets that the bottleneck dropped.
    LossPercent,
    /// Our rate over that of the TCP flow.
    Share,
}

const COUNT: usize = 9;

/// The figures of one phase. `None`: the phase has no such figure; infinite: it never happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures([Option<f64>; COUNT]);

impl Figures {
    pub fn set(&mut self, figure: Figure, value: f64) {
        self.0[figure as usize] = Some(value);
    }

    pub fn get(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]
    }

    /// The median of each figure.
    pub fn medians(runs: &[Self]) -> Self {
        Self(std::array::from_fn(|index| {
            let mut values: Vec<f64> = runs.iter().filter_map(|run| run.0[index]).collect();
            values.sort_unstable_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        }))
    }
}

impl Must {
    pub fn holds(self, figures: &Figures) -> bool {
        match self {
            Self::AtLeast(figure, bound) => figures.get(figure).is_some_and(|is| is >= bound),
            Self::AtMost(figure, bound) => figures.get(figure).is_some_and(|is| is <= bound),
        }
    }
}

impl fmt::Display for Must {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (figure, sign, bound) = match self {
            Self::AtLeast(figure, bound) => (figure, '≥', bound),
            Self::AtMost(figure, bound) => (figure, '≤', bound),
        };
        let (name, unit) = match figure {
            Figure::Used => ("used", " %"),
            Figure::UsedLate => ("2nd half", " %"),
            Figure::ReachedAfter => ("85 % after", " s"),
            Figure::QueueP50 => ("queue p50", " ms"),
            Figure::QueueP95 => ("queue p95", " ms"),
            Figure::QueueMax => ("queue max", " ms"),
            Figure::SettledAfter => ("queue < 100 ms after", " s"),
            Figure::LossPercent => ("loss", " %"),
            Figure::Share => ("share", ""),
        };
        write!(f, "{name} {sign} {bound}{unit}")
    }
}
