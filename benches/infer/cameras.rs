//! Sixteen cameras of 30 frames a second on one network that can serve a few of them: how old frames are when they come
//! out, and what each camera gets.
#![expect(clippy::disallowed_methods, reason = "the bench runs in real time")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::prelude::*;

use crate::bare;
use crate::pictures;
use crate::samples::{millis, now, percentile};

const CAMERAS: usize = 16;
const FRAME_NS: u64 = 33_333_333;
const WARM_UP: Duration = Duration::from_secs(4);
const PHASE: Duration = Duration::from_secs(15);

/// All cameras in one pipeline, and how old frames are behind the element.
pub struct Cameras {
    pipeline: gst::Pipeline,
    sources: Vec<gst::Element>,
    infers: Vec<gst::Element>,
    ages: Arc<Mutex<Vec<u64>>>,
    frames: Vec<gst::Buffer>,
    sent: usize,
}

impl Drop for Cameras {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Cameras {
    /// Cameras that send `frames` through one element each, called `infer`.
    pub fn start(count: usize, element: &str, frames: Vec<gst::Buffer>) -> Self {
        let pipeline = gst::Pipeline::new();
        let ages = Arc::new(Mutex::new(Vec::new()));
        let (mut sources, mut infers) = (Vec::new(), Vec::new());
        for camera in 0..count {
            let line = format!(
                "appsrc name=source is-live=true format=time max-buffers=2 leaky-type=downstream \
                 ! {element} name=infer ! fakesink name=sink sync=false async=false"
            );
            let bin = gst::parse::bin_from_description(&line, false).unwrap();
            bin.set_property("name", format!("camera{camera}"));
            let named = |name| bin.by_name(name).unwrap();
            named("source").set_property("caps", pictures::caps());
            watch(&pipeline, &named("sink"), &ages);
            sources.push(named("source"));
            infers.push(named("infer"));
            pipeline.add(&bin).unwrap();
        }
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            sources,
            infers,
            ages,
            frames,
            sent: 0,
        }
    }

    /// The cameras from `first` on film for `length`, one after the other within a frame's time.
    pub fn film(&mut self, first: usize, length: Duration) {
        let step = FRAME_NS / self.sources.len() as u64;
        let start = now();
        let frames = frames_in(length);
        for frame in 0..frames {
            for camera in 0..self.sources.len() {
                let time = start + frame * FRAME_NS + camera as u64 * step;
                std::thread::sleep(Duration::from_nanos(time.saturating_sub(now())));
                if camera >= first {
                    self.push(camera);
                }
            }
            self.sent += 1;
        }
    }

    fn push(&self, camera: usize) {
        let mut buffer = self.frames[(self.sent + camera) % self.frames.len()].copy();
        let running = self.pipeline.current_running_time();
        let frame = buffer.make_mut();
        frame.set_pts(running);
        frame.set_duration(gst::ClockTime::from_nseconds(FRAME_NS));
        let source = &self.sources[camera];
        let _ = source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&buffer]);
    }

    pub fn inferred(&self) -> Vec<u64> {
        let count = |infer: &gst::Element| {
            let stats = infer.property::<gst::Structure>("stats");
            stats.get::<u64>("inferred").unwrap_or_default()
        };
        self.infers.iter().map(count).collect()
    }

    pub fn forget_ages(&self) {
        self.ages.lock().unwrap().clear();
    }

    /// What 95 of 100 frames were old at most since [`Self::forget_ages`], ns.
    pub fn age_p95(&self) -> u64 {
        percentile(&mut self.ages.lock().unwrap(), 95)
    }

    /// The median time in the network of what the first camera sent, ns.
    fn inference(&self) -> u64 {
        let stats = self.infers[CAMERAS - 1].property::<gst::Structure>("stats");
        stats.get::<u64>("inference").unwrap_or_default()
    }
}

/// Frames of one camera in that time.
pub const fn frames_in(length: Duration) -> u64 {
    length.as_nanos() as u64 / FRAME_NS
}

/// The element with that engine, as it is in every pipeline.
pub fn infer(backend: &str) -> String {
    format!(
        "gpuinfer late-policy=skip {} model=\"{}\"",
        bare::choice(backend),
        pictures::model().display()
    )
}

fn watch(pipeline: &gst::Pipeline, sink: &gst::Element, ages: &Arc<Mutex<Vec<u64>>>) {
    let (pipeline, ages) = (pipeline.downgrade(), Arc::clone(ages));
    let pad = sink.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let now = pipeline.upgrade().and_then(|it| it.current_running_time());
        let pts = info.buffer().and_then(|buffer| buffer.pts());
        if let (Some(now), Some(pts)) = (now, pts) {
            ages.lock()
                .unwrap()
                .push(now.saturating_sub(pts).nseconds());
        }
        gst::PadProbeReturn::Ok
    });
}

pub fn table() {
    println!("\n{CAMERAS} cameras, 1280x720 NV12, 30 frames/s each, one YOLOX-nano, all cores.\n");
    println!(
        "| engine | cameras | inferred frames/s | delivered | inference ms | age p50 / p95 ms | least and most share of fair | must |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |");
    for (name, engine) in bare::engines() {
        drop(engine);
        let mut cameras = Cameras::start(CAMERAS, &infer(name), pictures::people(30));
        cameras.film(0, WARM_UP);
        row(name, "all", &mut cameras, 0);
        row(name, "four have stopped", &mut cameras, 4);
    }
}

fn row(name: &str, which: &str, cameras: &mut Cameras, first: usize) {
    cameras.film(first, Duration::from_secs(2));
    cameras.ages.lock().unwrap().clear();
    let before = cameras.inferred();
    cameras.film(first, PHASE);
    let after = cameras.inferred();
    let mut ages = std::mem::take(&mut *cameras.ages.lock().unwrap());
    let served: Vec<u64> = before.iter().zip(&after).map(|(b, a)| a - b).collect();
    let (served, seconds) = (&served[first..], PHASE.as_secs_f64());
    let fair = served.iter().sum::<u64>() as f64 / served.len() as f64;
    let share = |served: Option<&u64>| served.map_or(0.0, |&served| served as f64 / fair);
    let (least, most) = (share(served.iter().min()), share(served.iter().max()));
    let delivered = ages.len() as f64 / (seconds * 30.0 * served.len() as f64);
    let inference = cameras.inference();
    let (p50, p95) = (percentile(&mut ages, 50), percentile(&mut ages, 95));
    let met = p95 <= 2 * inference + FRAME_NS && least >= 0.9 && most <= 1.1;
    println!(
        "| {name} | {which} | {:.1} | {:.0} % | {:.1} | {:.1} / {:.1} | {least:.2}, {most:.2} | {} age p95 <= {:.1} ms, share 0.9 to 1.1 |",
        fair * served.len() as f64 / seconds,
        100.0 * delivered,
        millis(inference),
        millis(p50),
        millis(p95),
        if met { "✓" } else { "✗" },
        millis(2 * inference + FRAME_NS),
    );
}
