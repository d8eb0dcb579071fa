//! A machine that is full for a while, and one that is full for minutes.

use crate::plot;
use crate::run::{Plan, Trace, Who, run};

/// Calm, full, calm again.
const OVERLOAD: Plan = Plan {
    hogs: 6,
    from: 10.0,
    to: 30.0,
    end: 60.0,
};

const STEADY: Plan = Plan {
    hogs: 3,
    from: 5.0,
    to: 305.0,
    end: 306.0,
};

/// A step up was wrong where it was taken back within this, as the core counts it, in seconds.
const PROBATION: f64 = 40.0;

pub fn bench() {
    println!(
        "| hogs | who | fps under load | latency p50, ms | p95, ms | first step down, s | first step up, s |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut ratios = Vec::new();
    for hogs in [6, 4] {
        let plan = Plan { hogs, ..OVERLOAD };
        let stock = run(Who::Stock, plan);
        let ours = run(Who::Ours, plan);
        for (who, trace) in [(Who::Stock, &stock), (Who::Ours, &ours)] {
            println!("{}", row(who, trace, plan));
        }
        let (fps, p95) = (
            fps(&ours, plan) / fps(&stock, plan),
            p95(&ours, plan) / p95(&stock, plan),
        );
        ratios.push(format!(
            "{hogs} hogs: fps {fps:.1} times that of stock, p95 {:.0} % of it; reasons {:?}",
            100.0 * p95,
            ours.reasons
        ));
        plot::write(
            &format!("overload-{hogs}-hogs"),
            plan,
            &[(Who::Stock, stock), (Who::Ours, ours)],
        );
    }
    println!("\n{}", ratios.join("\n"));
}

pub fn bench_steady() {
    let trace = run(Who::Ours, STEADY);
    let steps = changes(&trace);
    let ups = steps.iter().filter(|(_, from, to)| to < from);
    let is_wrong = |at: f64| {
        let mut later = steps.iter().filter(|(then, ..)| *then > at);
        later.any(|(then, from, to)| to > from && then - at < PROBATION)
    };
    let wrong = ups.clone().filter(|(at, ..)| is_wrong(*at)).count();
    println!(
        "\n5 minutes beside {} hogs: {} changes, {} steps up, {wrong} of them wrong; fps {:.1}, p95 {:.0} ms\n",
        STEADY.hogs,
        steps.len(),
        ups.count(),
        fps(&trace, STEADY),
        p95(&trace, STEADY)
    );
    plot::write("steady", STEADY, &[(Who::Ours, trace)]);
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
        plan.hogs,
        who.name(),
        fps(trace, plan),
        p50.unwrap_or_default(),
        p95(trace, plan),
        since(down, plan.from),
        since(up, plan.to)
    )
}

/// When the rung changed, from which to which.
fn changes(trace: &Trace) -> Vec<(f64, f64, f64)> {
    let mut before = 0.0;
    let changes = trace.changes.0.iter();
    let changes = changes.map(|(at, to)| (*at, std::mem::replace(&mut before, *to), *to));
    changes.collect()
}

fn fps(trace: &Trace, plan: Plan) -> f64 {
    trace.frames.rate(plan.from, plan.to)
}

fn p95(trace: &Trace, plan: Plan) -> f64 {
    let p95 = trace.frames.percentile(0.95, plan.from, plan.to);
    p95.unwrap_or(f64::NAN)
}
