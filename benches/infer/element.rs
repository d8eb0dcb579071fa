//! One stream: a frame through the element against the engine alone, one thread each, turn by turn.

use gst::prelude::*;
use gst_check::Harness;

use crate::bare::{self, Bare};
use crate::pictures;
use crate::samples::{millis, now, percentile};

const ROUNDS: usize = 12;
const FRAMES: usize = 16;

pub fn table() {
    println!(
        "\nYOLOX-nano, 1280x720 NV12, one thread; medians of {} frames in turns of {FRAMES}.\n",
        ROUNDS * FRAMES
    );
    println!(
        "| engine | alone ms | element ms | difference ms | ratio | before the network | after | must |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    let frames = pictures::people(FRAMES as u32);
    for (name, engine) in bare::engines() {
        lone(name, engine, &frames);
    }
    println!(
        "\nFrames that come as fast as they are taken, time per frame; medians of {ROUNDS} turns of {FRAMES}.\n"
    );
    println!("| engine | alone ms | element ms | difference ms | ratio | must |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for (name, engine) in bare::engines() {
        stream(name, engine, &frames);
    }
}

/// The element in this `mode`.
fn harness(name: &str, mode: &str) -> Harness {
    let line = format!(
        "gpuinfer name=infer mode={mode} late-policy=block {} threads=1 model=\"{}\"",
        bare::choice(name),
        pictures::model().display()
    );
    let mut harness = Harness::new_parse(&line);
    harness.set_src_caps(pictures::caps());
    harness.set_sink_caps(pictures::caps());
    harness
}

/// The pixels of `frame` as frame number `at` of a stream.
fn numbered(frame: &gst::Buffer, at: usize) -> gst::Buffer {
    let mut frame = frame.copy();
    let pts = gst::ClockTime::from_mseconds(33 * at as u64);
    frame.make_mut().set_pts(pts);
    frame
}

fn lone(name: &str, mut engine: Bare, frames: &[gst::Buffer]) {
    let mut harness = harness(name, "sync");
    let tensor = bare::tensor();
    let (mut alone, mut through) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (at, frame) in frames.iter().enumerate() {
            let start = now();
            engine.run(&tensor);
            let between = now();
            harness.push(numbered(frame, round * FRAMES + at)).unwrap();
            let _answered = harness.pull().unwrap();
            // The first round warms up.
            if round > 0 {
                alone.push(between - start);
                through.push(now() - between);
            }
        }
    }
    let infer = harness.element().unwrap().downcast::<gst::Bin>().unwrap();
    let infer = infer.by_name("infer").unwrap();
    let stage = |stage| mean_of(&infer, stage);
    let compared = Compared::of(&mut alone, &mut through);
    println!(
        "| {name} | {} | {:.2} | {:.2} | {} |",
        compared.figures(),
        stage("preprocess"),
        stage("postprocess"),
        compared.verdict()
    );
}

fn stream(name: &str, mut engine: Bare, frames: &[gst::Buffer]) {
    let mut harness = harness(name, "async");
    let tensor = bare::tensor();
    let (mut alone, mut through) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let start = now();
        for _ in frames {
            engine.run(&tensor);
        }
        let between = now();
        for (at, frame) in frames.iter().enumerate() {
            harness.push(numbered(frame, round * FRAMES + at)).unwrap();
        }
        for _ in frames {
            let _answered = harness.pull().unwrap();
        }
        if round > 0 {
            alone.push((between - start) / FRAMES as u64);
            through.push((now() - between) / FRAMES as u64);
        }
    }
    let compared = Compared::of(&mut alone, &mut through);
    println!(
        "| {name} | {} | {} |",
        compared.figures(),
        compared.verdict()
    );
}

/// The medians, ms.
struct Compared {
    alone: f64,
    through: f64,
}

impl Compared {
    fn of(alone: &mut [u64], through: &mut [u64]) -> Self {
        Self {
            alone: millis(percentile(alone, 50)),
            through: millis(percentile(through, 50)),
        }
    }

    fn figures(&self) -> String {
        let (alone, through) = (self.alone, self.through);
        format!(
            "{alone:.2} | {through:.2} | {:.2} | {:.3}",
            through - alone,
            through / alone
        )
    }

    fn verdict(&self) -> String {
        let met = self.through - self.alone <= 0.5 && self.through <= 1.10 * self.alone;
        format!("{} <= 0.5 ms and 1.10", if met { "✓" } else { "✗" })
    }
}

/// The mean of a stage by the element's own statistics, in ms.
fn mean_of(infer: &gst::Element, stage: &str) -> f64 {
    let stats = infer.property::<gst::Structure>("stats");
    millis(stats.get::<u64>(stage).unwrap_or_default())
}
