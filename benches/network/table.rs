//! The table, in Markdown: every phase of every case, what came of it, and whether it must be better.

use std::fmt;

use crate::cases::{Case, Must, Who};
use crate::evaluation;
use crate::figures::{Figure, Figures};
use crate::trace::Trace;

const COLUMNS: [&str; 11] = [
    "case",
    "phase",
    "control",
    "used %",
    "2nd half %",
    "85 % after s",
    "queue p50/p95/max ms",
    "< 100 ms after s",
    "loss %",
    "share",
    "must",
];

#[derive(Default)]
pub struct Table(Vec<[String; COLUMNS.len()]>);

impl Table {
    /// Adds the rows of `case`: medians over `traces`.
    pub fn add(&mut self, case: &Case, who: Who, traces: &[Trace]) {
        for phase in case.phases {
            let runs = traces.iter();
            let runs: Vec<Figures> = runs
                .map(|trace| evaluation::figures(case, phase, trace))
                .collect();
            let figures = Figures::medians(&runs);
            let show = |figure, digits| number(figures.get(figure), digits);
            let queue = [Figure::QueueP50, Figure::QueueP95, Figure::QueueMax];
            self.0.push([
                case.name.to_owned(),
                phase.name.to_owned(),
                who.name().to_owned(),
                show(Figure::Used, 0),
                show(Figure::UsedLate, 0),
                show(Figure::ReachedAfter, 1),
                queue.map(|figure| show(figure, 0)).join("/"),
                show(Figure::SettledAfter, 1),
                show(Figure::LossPercent, 1),
                show(Figure::Share, 2),
                musts(phase.musts, &figures),
            ]);
        }
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    match value {
        None => String::new(),
        Some(value) if value.is_finite() => format!("{value:.digits$}"),
        Some(_) => "never".to_owned(),
    }
}

fn musts(musts: &[Must], figures: &Figures) -> String {
    let marked = musts.iter().map(|must| {
        let mark = if must.holds(figures) { '✓' } else { '✗' };
        format!("{mark} {must}")
    });
    marked.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = COLUMNS.map(str::to_owned);
        let widths: [usize; COLUMNS.len()] = std::array::from_fn(|column| {
            let rows = self.0.iter().chain([&header]);
            rows.map(|row| row[column].chars().count())
                .max()
                .unwrap_or_default()
        });
        let line = |f: &mut fmt::Formatter<'_>, row: &[String; COLUMNS.len()]| {
            for (cell, width) in row.iter().zip(widths) {
                write!(f, "| {cell:<width$} ")?;
            }
            writeln!(f, "|")
        };
        line(f, &header)?;
        line(f, &widths.map(|width| "-".repeat(width)))?;
        self.0.iter().try_for_each(|row| line(f, row))
    }
}
