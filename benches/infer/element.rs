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
        row(name, engine, &frames);
    }
}

fn row(name: &str, mut engine: Bare, frames: &[gst::Buffer]) {
    let line = format!(
        "gpuinfer name=infer mode=sync {} threads=1 model=\"{}\"",
        bare::choice(name),
        pictures::model().display()
    );
    let mut harness = Harness::new_parse(&line);
    harness.set_src_caps(pictures::caps());
    harness.set_sink_caps(pictures::caps());
    let tensor = bare::tensor();
    let (mut alone, mut through) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (at, frame) in frames.iter().enumerate() {
            let start = now();
            engine.run(&tensor);
            let between = now();
            let mut frame = frame.copy();
            let pts = gst::ClockTime::from_mseconds(33 * (round * FRAMES + at) as u64);
            frame.make_mut().set_pts(pts);
            harness.push(frame).unwrap();
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
    let (alone, through) = (percentile(&mut alone, 50), percentile(&mut through, 50));
    let (difference, ratio) = (
        millis(through) - millis(alone),
        through as f64 / alone as f64,
    );
    let met = difference <= 0.5 && ratio <= 1.10;
    println!(
        "| {name} | {:.2} | {:.2} | {difference:.2} | {ratio:.3} | {:.2} | {:.2} | {} <= 0.5 ms and 1.10 |",
        millis(alone),
        millis(through),
        stage("preprocess"),
        stage("postprocess"),
        if met { "✓" } else { "✗" }
    );
}

/// The mean of a stage by the element's own statistics, in ms.
fn mean_of(infer: &gst::Element, stage: &str) -> f64 {
    let stats = infer.property::<gst::Structure>("stats");
    millis(stats.get::<u64>(stage).unwrap_or_default())
}
