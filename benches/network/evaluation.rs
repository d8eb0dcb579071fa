//! From a trace to the figures of a phase.

use crate::cases::{Case, Phase};
use crate::figures::{Figure, Figures};
use crate::trace::Trace;

/// A phase that uses this much for a second, and that much for five, has found its capacity.
const FOUND: f64 = 0.85;
const KEPT: f64 = 0.8;
const KEPT_SECONDS: f64 = 5.0;
/// How fine the time of it is told, s.
const STEP: f64 = 0.1;
/// A queue above this (ms) is not settled; below it for a second, it is.
const LONG_QUEUE: f64 = 100.0;
const SETTLED_SECONDS: f64 = 1.0;
/// A queue that gets long later has other reasons than the step, s.
const AFTER_STEP: f64 = 3.0;

pub fn figures(case: &Case, phase: &Phase, trace: &Trace) -> Figures {
    let (from, to) = (f64::from(phase.from), f64::from(phase.to));
    let usable = case.usable(from);
    let half = f64::midpoint(from, to);
    let mut figures = Figures::default();
    let mut set = |figure, value: Option<f64>| {
        if let Some(value) = value {
            figures.set(figure, value);
        }
    };
    let used = |from, to| Some(100.0 * trace.arrived.rate(from, to) / usable);
    set(Figure::Used, used(from, to));
    set(Figure::UsedLate, used(half, to));
    set(
        Figure::ReachedAfter,
        Some(reached_after(trace, usable, from, to)),
    );
    set(Figure::QueueP50, trace.queue.percentile(0.5, from, to));
    set(Figure::QueueP95, trace.queue.percentile(0.95, from, to));
    set(Figure::QueueMax, trace.queue.percentile(1.0, from, to));
    if case.capacity(from) < case.capacity(from - STEP) {
        set(Figure::SettledAfter, Some(settled_after(trace, from, to)));
    }
    let sent = trace.sent.sum(from, to).max(1.0);
    set(
        Figure::LossPercent,
        Some(100.0 * trace.lost.sum(from, to) / sent),
    );
    if case.tcp == Some((phase.from, phase.to)) {
        let theirs = trace.tcp.rate(from, to);
        set(Figure::Share, Some(trace.arrived.rate(from, to) / theirs));
    }
    figures
}

fn reached_after(trace: &Trace, usable: f64, from: f64, to: f64) -> f64 {
    let steps = ((to - from - 1.0) / STEP) as u32;
    let mut starts = (0..=steps).map(|step| from + f64::from(step) * STEP);
    let reached = starts.find(|start| {
        let kept_to = to.min(start + KEPT_SECONDS);
        trace.arrived.rate(*start, start + 1.0) >= FOUND * usable
            && trace.arrived.rate(*start, kept_to) >= KEPT * usable
    });
    reached.map_or(f64::INFINITY, |start| start - from)
}

/// When the queue that began with the step is gone; 0 where there was none.
fn settled_after(trace: &Trace, from: f64, to: f64) -> f64 {
    let long = trace.queue.within(from, to).iter();
    let mut last = None;
    for (at, _) in long.filter(|(_, queue)| *queue > LONG_QUEUE) {
        if *at > last.map_or(from + AFTER_STEP, |last| last + SETTLED_SECONDS) {
            break;
        }
        last = Some(*at);
    }
    last.map_or(0.0, |last: f64| last - from)
}
