//! A plot of a run: load and rung, frames a second and latency over time; PNG where GStreamer can draw it, and SVG.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use gst::prelude::*;

use crate::run::{Plan, Trace, Who};
use crate::series::Series;

const BIN: f64 = 0.5;
const LEFT: f64 = 70.0;
const WIDTH: f64 = 900.0;
const COLOURS: [&str; 2] = ["#1f6fb2", "#c8501e"];

struct Panel {
    top: f64,
    height: f64,
    most: f64,
    title: &'static str,
}

const LOADS: Panel = panel(40.0, 110.0, 2.0, "load as read");
const RUNGS: Panel = panel(180.0, 110.0, 5.0, "rung, 0 is the best");
const RATES: Panel = panel(320.0, 150.0, 35.0, "frames a second");
const AGES: Panel = panel(500.0, 170.0, 700.0, "latency, ms");

const fn panel(top: f64, height: f64, most: f64, title: &'static str) -> Panel {
    Panel {
        top,
        height,
        most,
        title,
    }
}

pub fn write(name: &str, plan: Plan, runs: &[(Who, Trace)]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../quality");
    std::fs::create_dir_all(&folder).unwrap();
    for (who, trace) in runs {
        let file = folder.join(format!("{name}-{}.csv", who.name()));
        std::fs::write(file, csv(plan, trace)).unwrap();
    }
    let file = folder.join(format!("{name}.svg"));
    std::fs::write(&file, svg(name, plan, runs)).unwrap();
    let image = file.with_extension("png");
    match draw(&file, &image) {
        Ok(()) => eprintln!("bench-quality: {}", shown(&image)),
        Err(error) => eprintln!("bench-quality: {} ({error})", shown(&file)),
    }
}

fn shown(file: &Path) -> String {
    let file: PathBuf = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    file.display().to_string()
}

/// Has GStreamer draw the picture.
fn draw(file: &Path, image: &Path) -> Result<(), String> {
    let line = format!(
        "filesrc location={} ! rsvgdec ! videoconvert ! pngenc snapshot=true ! filesink location={}",
        file.display(),
        image.display()
    );
    let pipeline = gst::parse::launch(&line).map_err(|error| error.to_string())?;
    let bus = pipeline.bus().ok_or("no bus")?;
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|error| error.to_string())?;
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(30), &ends);
    let _ = pipeline.set_state(gst::State::Null);
    match end.as_ref().map(|end| end.view()) {
        Some(gst::MessageView::Eos(_)) => Ok(()),
        Some(gst::MessageView::Error(error)) => Err(error.error().to_string()),
        _ => Err("it takes too long".to_owned()),
    }
}

fn bins(plan: Plan) -> impl Iterator<Item = f64> {
    let count = (plan.end / BIN) as u32;
    (0..count).map(|bin| f64::from(bin) * BIN)
}

fn rates(plan: Plan, frames: &Series) -> Vec<(f64, f64)> {
    bins(plan)
        .map(|at| (at + BIN / 2.0, frames.rate(at, at + BIN)))
        .collect()
}

/// The longest of each bin.
fn ages(plan: Plan, frames: &Series) -> Vec<(f64, f64)> {
    let longest = |at| frames.percentile(1.0, at, at + BIN);
    bins(plan)
        .filter_map(|at| Some((at + BIN / 2.0, longest(at)?)))
        .collect()
}

fn csv(plan: Plan, trace: &Trace) -> String {
    let mut text = "second,fps,latency-ms,rung,load\n".to_owned();
    for at in bins(plan) {
        let last = |series: &Series| series.percentile(1.0, at, at + BIN).unwrap_or_default();
        let rate = trace.frames.rate(at, at + BIN);
        let (age, rung, load) = (last(&trace.frames), last(&trace.rungs), last(&trace.loads));
        let _ = writeln!(text, "{at:.1},{rate:.1},{age:.1},{rung:.0},{load:.2}");
    }
    text
}

fn svg(name: &str, plan: Plan, runs: &[(Who, Trace)]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"710\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"1000\" height=\"710\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{name}: {} hogs from {} to {} s</text>\n",
        plan.hogs, plan.from, plan.to
    );
    for panel in [LOADS, RUNGS, RATES, AGES] {
        axes(&mut text, &panel, plan);
    }
    for ((who, trace), colour) in runs.iter().zip(COLOURS) {
        if *who == Who::Ours {
            line(&mut text, &LOADS, plan, &trace.loads.0, colour);
            line(&mut text, &RUNGS, plan, &steps(&trace.rungs), colour);
        }
        line(&mut text, &RATES, plan, &rates(plan, &trace.frames), colour);
        line(&mut text, &AGES, plan, &ages(plan, &trace.frames), colour);
    }
    for (index, ((who, _), colour)) in runs.iter().zip(COLOURS).enumerate() {
        let x = LEFT + 500.0 + 120.0 * index as f64;
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"20\" fill=\"{colour}\">{}</text>",
            who.name()
        );
    }
    text + "</svg>\n"
}

/// Each value holds until the next.
fn steps(series: &Series) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (at, value) in &series.0 {
        if let Some((_, before)) = corners.last().copied() {
            corners.push((*at, before));
        }
        corners.push((*at, *value));
    }
    corners
}

fn place(panel: &Panel, plan: Plan, at: f64, value: f64) -> (f64, f64) {
    let up = (value / panel.most).clamp(0.0, 1.0) * panel.height;
    (LEFT + at / plan.end * WIDTH, panel.top + panel.height - up)
}

fn line(text: &mut String, panel: &Panel, plan: Plan, points: &[(f64, f64)], colour: &str) {
    let points = points.iter().map(|(at, value)| {
        let (x, y) = place(panel, plan, *at, *value);
        format!("{x:.1},{y:.1}")
    });
    let points: Vec<String> = points.collect();
    let _ = writeln!(
        text,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
        points.join(" ")
    );
}

fn axes(text: &mut String, panel: &Panel, plan: Plan) {
    let (from, bottom) = place(panel, plan, plan.from, 0.0);
    let (to, top) = place(panel, plan, plan.to, panel.most);
    let _ = writeln!(
        text,
        "<rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#f2ead8\"/>",
        to - from,
        bottom - top
    );
    for share in [0.0, 0.5, 1.0] {
        let value = share * panel.most;
        let points = [(0.0, value), (plan.end, value)];
        line(text, panel, plan, &points, "#d8d8d8");
        let (x, y) = place(panel, plan, 0.0, value);
        let _ = writeln!(
            text,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{value}</text>",
            x - 6.0,
            y + 4.0
        );
    }
    for tenth in 0..=10 {
        let at = f64::from(tenth) / 10.0 * plan.end;
        let (x, y) = place(panel, plan, at, 0.0);
        let _ = writeln!(
            text,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{at:.0} s</text>",
            y + 15.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{LEFT}\" y=\"{}\">{}</text>",
        panel.top - 5.0,
        panel.title
    );
}
