//! One plot for each case (SVG): rate, target and capacity above, the queue below; and the same figures as CSV.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::cases::{Case, Who};
use crate::series::Series;
use crate::trace::Trace;

/// RFC 8868, 4.1: rates are shown for each 200 ms.
const BIN: f64 = 0.2;
const LEFT: f64 = 60.0;
const WIDTH: f64 = 900.0;
const RATES: Panel = Panel {
    top: 40.0,
    height: 300.0,
};
const QUEUES: Panel = Panel {
    top: 380.0,
    height: 160.0,
};
/// No queue is shown above this, ms.
const MOST_QUEUE: f64 = 400.0;

struct Panel {
    top: f64,
    height: f64,
}

/// Rate and target of each controller.
const COLOURS: [(&str, &str); 2] = [("#1f6fb2", "#9cc7ea"), ("#c8501e", "#f0b89c")];
const CAPACITY: &str = "#888888";
const TCP: &str = "#3a8f3a";

pub fn write(case: &Case, runs: &[(Who, Trace)]) {
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    for (who, trace) in runs {
        let file = format!("{}-{}.csv", case.name, who.name());
        std::fs::write(folder.join(file), csv(case, trace)).unwrap();
    }
    let file = folder.join(format!("{}.svg", case.name));
    std::fs::write(file, svg(case, runs)).unwrap();
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../network")
}

/// The middle of each bin.
fn bins(case: &Case) -> impl Iterator<Item = f64> {
    let count = (f64::from(case.seconds) / BIN) as u32;
    (0..count).map(|bin| (f64::from(bin) + 0.5) * BIN)
}

fn rates(case: &Case, bytes: &Series) -> Vec<(f64, f64)> {
    let rate = |at| bytes.rate(at - BIN / 2.0, at + BIN / 2.0);
    bins(case).map(|at| (at, rate(at))).collect()
}

/// The longest queue of each bin.
fn queues(case: &Case, queue: &Series) -> Vec<(f64, f64)> {
    let longest = |at| queue.percentile(1.0, at - BIN / 2.0, at + BIN / 2.0);
    bins(case)
        .filter_map(|at| Some((at, longest(at)?.min(MOST_QUEUE))))
        .collect()
}

fn csv(case: &Case, trace: &Trace) -> String {
    let mut text = "second,capacity,rate,target,queue-ms,lost,tcp\n".to_owned();
    for (at, rate) in rates(case, &trace.arrived) {
        let (from, to) = (at - BIN / 2.0, at + BIN / 2.0);
        let capacity = case.capacity(at);
        let target = trace.target.last_before(to).unwrap_or_default();
        let queue = trace.queue.percentile(1.0, from, to).unwrap_or_default();
        let (lost, tcp) = (trace.lost.sum(from, to), trace.tcp.rate(from, to));
        let _ = writeln!(
            text,
            "{at:.1},{capacity:.0},{rate:.0},{target:.0},{queue:.1},{lost:.0},{tcp:.0}"
        );
    }
    text
}

fn svg(case: &Case, runs: &[(Who, Trace)]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"590\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"1000\" height=\"590\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}: {}</text>\n",
        case.name, case.about
    );
    let end = f64::from(case.seconds);
    let capacity: Vec<_> = bins(case).map(|at| (at, case.capacity(at))).collect();
    let top = capacity.iter().map(|(_, rate)| *rate).fold(0.0, f64::max) * 1.3;
    axes(&mut text, &RATES, end, top / 1e6, "Mbit/s");
    axes(&mut text, &QUEUES, end, MOST_QUEUE, "queue, ms");
    let rate_at = |x: f64, y: f64| place(&RATES, x / end, y / top);
    line(&mut text, &capacity, CAPACITY, rate_at);
    let mut legend = vec![("capacity".to_owned(), CAPACITY)];
    for ((who, trace), (rate, target)) in runs.iter().zip(COLOURS) {
        line(&mut text, &steps(&trace.target, end), target, rate_at);
        line(&mut text, &rates(case, &trace.arrived), rate, rate_at);
        legend.push((format!("{}, target", who.name()), target));
        legend.push((format!("{}, arrived", who.name()), rate));
        if case.tcp.is_some() {
            let flow: Vec<_> = rates(case, &trace.tcp);
            line(&mut text, &flow, TCP, rate_at);
            legend.push((format!("TCP beside {}", who.name()), TCP));
        }
        let queue_at = |x: f64, y: f64| place(&QUEUES, x / end, y / MOST_QUEUE);
        line(&mut text, &queues(case, &trace.queue), rate, queue_at);
    }
    for (index, (name, colour)) in legend.iter().enumerate() {
        let x = LEFT + 140.0 * index as f64;
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"36\" fill=\"{colour}\">{name}</text>"
        );
    }
    text + "</svg>\n"
}

/// Each value holds until the next.
fn steps(series: &Series, end: f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (at, value) in &series.0 {
        if let Some((_, before)) = corners.last().copied() {
            corners.push((*at, before));
        }
        corners.push((*at, *value));
    }
    if let Some((_, last)) = corners.last().copied() {
        corners.push((end, last));
    }
    corners
}

/// Where the point of these shares of a panel lies; what is above stays at its edge.
fn place(panel: &Panel, x: f64, y: f64) -> (f64, f64) {
    let up = y.clamp(0.0, 1.0) * panel.height;
    (LEFT + x * WIDTH, panel.top + panel.height - up)
}

fn line(
    text: &mut String,
    points: &[(f64, f64)],
    colour: &str,
    place: impl Fn(f64, f64) -> (f64, f64),
) {
    let points = points.iter().map(|(x, y)| {
        let (x, y) = place(*x, *y);
        format!("{x:.1},{y:.1}")
    });
    let points: Vec<String> = points.collect();
    let _ = writeln!(
        text,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" points=\"{}\"/>",
        points.join(" ")
    );
}

fn axes(text: &mut String, panel: &Panel, end: f64, top: f64, unit: &str) {
    const GRID: &str = "#e4e4e4";
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (x, y) = place(panel, 0.0, share);
        line(text, &[(0.0, share), (1.0, share)], GRID, |x, y| {
            place(panel, x, y)
        });
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.1}</text>",
            x - 6.0,
            y + 4.0,
            share * top
        );
    }
    for tenth in 0..=10 {
        let share = f64::from(tenth) / 10.0;
        let (x, y) = place(panel, share, 0.0);
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{:.0} s</text>",
            y + 16.0,
            share * end
        );
    }
    let (x, y) = place(panel, 0.0, 1.0);
    let _ = writeln!(text, "<text x=\"{x}\" y=\"{}\">{unit}</text>", y + 12.0);
}
