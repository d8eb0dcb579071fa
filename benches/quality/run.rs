//! One pipeline under load, and what came out of it when.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::camera::{Camera, caps};
use crate::clock;
use crate::hogs::Hogs;
use crate::series::Series;

/// Who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Stock,
    Ours,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Ours => "qualityswitch",
        }
    }
}

/// When the hogs come and go, and when it ends, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub hogs: usize,
    pub from: f64,
    pub to: f64,
    pub end: f64,
    /// Hogs that are there all the time, and more of them until `from`.
    pub neighbours: usize,
    pub before: usize,
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Setup {
    pub who: Who,
    /// Levels, the best first, and all that `qualityswitch` is told.
    pub ladder: &'static [&'static str],
    pub properties: String,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Frames that came out, with their age in milliseconds.
    pub frames: Series,
    /// The rung, 0 for the best.
    pub rungs: Series,
    /// The load as the element reads it, each quarter of a second.
    pub loads: Series,
    /// The rungs that were changed to, and why.
    pub changes: Series,
    pub reasons: Vec<String>,
}

const LADDER: [&str; 4] = ["high", "medium", "low", "ultra-low"];
const SIZE: (u32, u32, u32) = (1920, 1080, 30);

impl Setup {
    /// The default ladder below the input.
    pub fn usual(who: Who) -> Self {
        Self {
            who,
            ladder: &LADDER,
            properties: "max-rung=high".to_owned(),
        }
    }

    /// The place of a level in the ladder.
    fn rung(&self, level: &str) -> f64 {
        let place = self.ladder.iter().position(|name| *name == level);
        place.unwrap_or(0) as f64
    }
}

pub fn run(setup: &Setup, plan: Plan) -> Trace {
    let pipeline = pipeline(setup);
    let (width, height, rate) = SIZE;
    let trace = Arc::new(Mutex::new(Trace::default()));
    let start = clock::now();
    watch_frames(&pipeline, &trace, start);
    if setup.who == Who::Ours {
        watch_changes(&pipeline, setup, &trace, start);
    }
    let neighbours = Hogs::start(plan.neighbours);
    let mut before = Some(Hogs::start(plan.before));
    pipeline.set_state(gst::State::Playing).unwrap();
    let source = pipeline.by_name("source").unwrap();
    let camera = Camera::start(vec![source], width, height, rate);
    let mut hogs = None;
    let mut at = 0.0;
    while at < plan.end {
        at = (clock::now() - start) as f64 / 1e9;
        let loaded = (plan.from..plan.to).contains(&at);
        if loaded && hogs.is_none() {
            hogs = Some(Hogs::start(plan.hogs));
            before = None;
        } else if !loaded && hogs.is_some() {
            hogs = None;
        }
        look(&pipeline, setup, &trace, at);
        clock::wait_until(start + ((at + 0.25) * 1e9) as u64);
    }
    drop((camera, hogs, before, neighbours));
    pipeline.set_state(gst::State::Null).unwrap();
    let seen = &*locked(&trace);
    seen.clone()
}

fn pipeline(setup: &Setup) -> gst::Pipeline {
    let (width, height, rate) = SIZE;
    let caps = caps(width, height, rate);
    let element = match setup.who {
        Who::Stock => String::new(),
        Who::Ours => format!("! qualityswitch name=q {}", setup.properties),
    };
    let line = format!(
        "appsrc name=source is-live=true format=time caps={caps} ! queue leaky=downstream max-size-buffers=6 max-size-bytes=0 max-size-time=0 {element} \
         ! x264enc tune=zerolatency speed-preset=veryfast bitrate=4000 ! h264parse ! avdec_h264 \
         ! fakesink name=sink sync=false"
    );
    gst::parse::launch(&line).unwrap().downcast().unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the bench's own")]
fn locked(trace: &Mutex<Trace>) -> std::sync::MutexGuard<'_, Trace> {
    trace.lock().unwrap()
}

fn watch_changes(pipeline: &gst::Pipeline, setup: &Setup, trace: &Arc<Mutex<Trace>>, start: u64) {
    let q = pipeline.by_name("q").unwrap();
    let (trace, setup) = (trace.clone(), setup.clone());
    q.connect("level-changed", false, move |values| {
        let at = (clock::now() - start) as f64 / 1e9;
        let word = |at: usize| values[at].get::<String>().unwrap();
        let mut trace = locked(&trace);
        trace.changes.push(at, setup.rung(&word(2)));
        trace.reasons.push(word(3));
        None
    });
}

fn watch_frames(pipeline: &gst::Pipeline, trace: &Arc<Mutex<Trace>>, start: u64) {
    let sink = pipeline.by_name("sink").unwrap();
    let trace = trace.clone();
    let pad = sink.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let at = (clock::now() - start) as f64 / 1e9;
        let buffer = info.buffer().unwrap();
        let age = age(pad, buffer, &sink);
        if let Some(age) = age {
            locked(&trace).frames.push(at, age);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Milliseconds since the frame was sent.
fn age(pad: &gst::Pad, buffer: &gst::BufferRef, sink: &gst::Element) -> Option<f64> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?.clone();
    let sent = segment.to_running_time(buffer.pts()?)?;
    let now = sink.current_running_time()?;
    Some(now.saturating_sub(sent).nseconds() as f64 / 1e6)
}

/// Notes the level and the load.
fn look(pipeline: &gst::Pipeline, setup: &Setup, trace: &Arc<Mutex<Trace>>, at: f64) {
    if setup.who == Who::Stock {
        return;
    }
    let q = pipeline.by_name("q").unwrap();
    let stats: gst::Structure = q.property("stats");
    let level: String = stats.get("level").unwrap_or_default();
    let mut trace = locked(trace);
    trace.rungs.push(at, setup.rung(&level));
    trace.loads.push(at, stats.get("load").unwrap_or(0.0));
}
