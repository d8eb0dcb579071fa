//! A machine that is full for minutes: which rung is found, and how often a step up is wrong.
//!
//! Rungs lie near each other and are all of one frame rate, so that the load leaves one of them in between as the best that
//! fits, and the next one is near enough to be tried. Which that is is seen first, by setting each by hand beside the same
//! hogs. Then more hogs press the level down before the measurement begins: the rung has to be found from below.

use crate::overload::{changes, fps, p95};
use crate::plot;
use crate::run::{Plan, Setup, Trace, Who, run};

const LADDER: [&str; 6] = ["1080", "900", "720", "540", "360", "270"];
const SIZES: &str = "1080=1920x1080@30,900=1600x900@30,720=1280x720@30,540=960x540@30,360=640x360@30,270=480x270@30";
const RATE: f64 = 30.0;

/// Beside two on two cores, frames of 1080p and 900p take longer than there is time for, and small ones half of it; beside
/// three, threads wait for their turn so long that no rung keeps its rate.
const HOGS: usize = 2;
/// Hogs that press the level down first, and for how many seconds.
const MORE: usize = 10;
const FROM: f64 = 15.0;
/// Seconds of the measurement; another number in the environment is for trying.
const LENGTH: f64 = 300.0;
const LENGTH_VARIABLE: &str = "STEADY_SECONDS";

/// A rung fits where so many of its frames get through in seconds of trying, and are no older than this at p95, in
/// milliseconds: at its full rate behind a full queue it does not.
const FITS: f64 = 0.95;
const YOUNG: f64 = 100.0;
const TRIAL: Plan = Plan {
    hogs: HOGS,
    from: 0.0,
    to: 8.0,
    end: 8.0,
    neighbours: 0,
    before: 0,
};

/// A step up was wrong where it was taken back within this, as the core counts it, in seconds.
const PROBATION: f64 = 40.0;

pub fn bench() {
    let fitting = best_that_fits();
    let length = std::env::var(LENGTH_VARIABLE).map_or(LENGTH, |text| text.parse().unwrap());
    let plan = Plan {
        hogs: HOGS,
        from: FROM,
        to: FROM + length,
        end: FROM + length + 1.0,
        neighbours: 0,
        before: MORE,
    };
    let trace = run(&setup(""), plan);
    let steps = changes(&trace);
    let within: Vec<_> = steps.iter().filter(|(at, ..)| *at >= FROM).collect();
    let ups: Vec<f64> = within
        .iter()
        .filter(|(_, from, to)| to < from)
        .map(|(at, ..)| *at)
        .collect();
    let is_wrong = |at: &&f64| {
        let mut later = steps.iter().filter(|(then, ..)| then > *at);
        later.any(|(then, from, to)| to > from && then - **at < PROBATION)
    };
    let wrong = ups.iter().filter(is_wrong).count();
    println!(
        "{:.0} s beside {HOGS} hogs, after {FROM:.0} s beside {MORE}: {} steps up, {wrong} of them taken back within \
         {PROBATION:.0} s; {}; fps {:.1} of {RATE:.0}, p95 {:.0} ms",
        length,
        ups.len(),
        time_at(&trace, plan),
        fps(&trace, plan),
        p95(&trace, plan)
    );
    let found = trace
        .rungs
        .percentile(0.5, plan.from + length / 2.0, plan.to);
    let said = match (fitting, found) {
        (Some(0), _) => "nothing was measured: every rung fits".to_owned(),
        _ if ups.is_empty() => "nothing was measured: no step up".to_owned(),
        _ if wrong > 1 => "more steps up were wrong than one in five minutes".to_owned(),
        (Some(fitting), Some(found)) if found > fitting as f64 + 1.0 => {
            "more than a rung below the best that fits was kept".to_owned()
        }
        _ => "one step up at most was wrong, and the rung that fits, or the next, was found"
            .to_owned(),
    };
    println!("{said}\n");
    plot::write("steady", plan, &[(Who::Ours, trace)]);
}

/// The part of the time at each rung.
fn time_at(trace: &Trace, plan: Plan) -> String {
    let rungs = trace.rungs.within(plan.from, plan.to);
    let shares = LADDER.iter().enumerate().filter_map(|(place, name)| {
        let count = rungs.iter().filter(|rung| **rung == place as f64).count();
        let share = 100.0 * count as f64 / rungs.len() as f64;
        (count > 0).then(|| format!("{name}p {share:.0} %"))
    });
    shares.collect::<Vec<_>>().join(", ")
}

/// Tries each rung by hand. Answers the place of the best one that fits.
fn best_that_fits() -> Option<usize> {
    println!(
        "\n| rung by hand beside {HOGS} hogs | fps of {RATE:.0} | latency p95, ms | load as read, p50 |"
    );
    println!("| --- | --- | --- | --- |");
    let mut best = None;
    for (place, name) in LADDER.iter().enumerate() {
        let trace = run(&setup(&format!("auto=false level={name}")), TRIAL);
        let settled = Plan { from: 2.0, ..TRIAL };
        let got = fps(&trace, settled);
        let load = trace.loads.percentile(0.5, settled.from, settled.to);
        let age = p95(&trace, settled);
        println!(
            "| {name}p | {got:.1} | {age:.0} | {:.2} |",
            load.unwrap_or_default()
        );
        if got >= FITS * RATE && age <= YOUNG {
            best = best.or(Some(place));
        }
    }
    println!();
    best
}

fn setup(properties: &str) -> Setup {
    Setup {
        ladder: &LADDER,
        properties: format!("ladder={SIZES} {properties}"),
        ..Setup::usual(Who::Ours)
    }
}
