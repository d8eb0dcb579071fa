//! A machine that is full for a while.

use crate::plot;
use crate::run::{Plan, Setup, Trace, Who, run};

/// Calm, full, calm again.
const OVERLOAD: Plan = Plan {
    hogs: 6,
    from: 10.0,
    to: 30.0,
    end: 60.0,
    neighbours: 0,
    before: 0,
};

/// The prototype was measured on a machine that always had 4 to 8 threads to run besides.
const NEIGHBOURS: usize = 6;

pub fn bench() {
    compare(&[6, 4].map(|hogs| Plan { hogs, ..OVERLOAD }));
}

pub fn bench_crowded() {
    let plan = Plan {
        neighbours: NEIGHBOURS,
        ..OVERLOAD
    };
    compare(&[plan]);
}

fn compare(plans: &[Plan]) {
    println!(
        "| hogs | who | fps under load | latency p50, ms | p95, ms | first step down, s | first step up, s |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut ratios = Vec::new();
    for plan in plans.iter().copied() {
        let [stock, ours] = [Who::Stock, Who::Ours].map(|who| run(&Setup::usual(who), plan));
        for (who, trace) in [(Who::Stock, &stock), (Who::Ours, &ours)] {
            println!("{}", row(who, trace, plan));
        }
        let (fps, p95) = (
            fps(&ours, plan) / fps(&stock, plan),
            p95(&ours, plan) / p95(&stock, plan),
        );
        ratios.push(format!(
            "{}: fps {fps:.1} times that of stock, p95 {:.0} % of it; reasons {:?}",
            name(plan),
            100.0 * p95,
            ours.reasons
        ));
        plot::write(
            &format!("overload-{}", name(plan).replace(' ', "-")),
            plan,
            &[(Who::Stock, stock), (Who::Ours, ours)],
        );
    }
    println!("\n{}\n", ratios.join("\n"));
}

fn name(plan: Plan) -> String {
    match plan.neighbours {
        0 => format!("{} hogs", plan.hogs),
        neighbours => format!("{} hogs beside {neighbours}", plan.hogs),
    }
}

fn row(who: Who, trace: &Trace, plan: Plan) -> String {
    let p50 = trace.frames.percentile(0.5, plan.from, plan.to);
    let steps = changes(trace);
    let down = steps
        .iter()
        .find(|(at, from, to)| *at >= plan.from && to > from);
    let up = steps
        .iter()
        .find(|(at, from, to)| *at >= plan.to && to < from);
    let since = |step: Option<&(f64, f64, f64)>, start: f64| match step {
        Some((at, ..)) => format!("{:.2}", at - start),
        None => "-".to_owned(),
    };
    format!(
        "| {} | {} | {:.1} | {:.0} | {:.0} | {} | {} |",
        plan.hogs + plan.neighbours,
        who.name(),
        fps(trace, plan),
        p50.unwrap_or_default(),
        p95(trace, plan),
        since(down, plan.from),
        since(up, plan.to)
    )
}

/// When the rung changed, from which to which.
pub fn changes(trace: &Trace) -> Vec<(f64, f64, f64)> {
    let mut before = 0.0;
    let changes = trace.changes.0.iter();
    let changes = changes.map(|(at, to)| (*at, std::mem::replace(&mut before, *to), *to));
    changes.collect()
}

pub fn fps(trace: &Trace, plan: Plan) -> f64 {
    trace.frames.rate(plan.from, plan.to)
}

pub fn p95(trace: &Trace, plan: Plan) -> f64 {
    let p95 = trace.frames.percentile(0.95, plan.from, plan.to);
    p95.unwrap_or(f64::NAN)
}
