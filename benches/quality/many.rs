//! Thirty cameras on a machine that cannot encode them all: the important ones keep their rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;

use crate::camera::{Camera, caps};
use crate::clock;
use crate::run::Who;

const CAMERAS: usize = 30;
/// Every so manieth is important.
const IMPORTANT: usize = 5;
const SIZE: (u32, u32, u32) = (960, 540, 15);
/// Seconds to settle, and to measure.
const SETTLE: u64 = 25;
const MEASURE: u64 = 20;

pub fn bench() {
    println!("\n| who | important cameras, share of their frames | least of them | others |");
    println!("| --- | --- | --- | --- |");
    for who in [Who::Stock, Who::Ours] {
        let shares = run(who);
        let (important, others): (Vec<_>, Vec<_>) = shares
            .iter()
            .enumerate()
            .partition(|(number, _)| number.is_multiple_of(IMPORTANT));
        let mean = |part: &[(usize, &f64)]| {
            part.iter().map(|(_, share)| **share).sum::<f64>() / part.len() as f64
        };
        let least = important
            .iter()
            .map(|(_, share)| **share)
            .fold(f64::MAX, f64::min);
        println!(
            "| {} | {:.1} % | {:.1} % | {:.1} % |",
            who.name(),
            100.0 * mean(&important),
            100.0 * least,
            100.0 * mean(&others)
        );
    }
    println!();
}

/// The part of its frames that each camera got through.
fn run(who: Who) -> Vec<f64> {
    let (width, height, rate) = SIZE;
    let streams: Vec<_> = (0..CAMERAS).map(|number| stream(who, number)).collect();
    let sources = streams
        .iter()
        .map(|(pipeline, _)| pipeline.by_name("source").unwrap());
    let sources = sources.collect();
    for (pipeline, _) in &streams {
        pipeline.set_state(gst::State::Playing).unwrap();
    }
    let camera = Camera::start(sources, width, height, rate);
    let start = clock::now();
    clock::wait_until(start + SETTLE * 1_000_000_000);
    let before: Vec<u64> = streams
        .iter()
        .map(|(_, out)| out.load(Ordering::Relaxed))
        .collect();
    let sent = camera.sent();
    clock::wait_until(start + (SETTLE + MEASURE) * 1_000_000_000);
    let sent = camera.sent() - sent;
    let out = streams.iter().map(|(_, out)| out.load(Ordering::Relaxed));
    let shares = out
        .zip(before)
        .map(|(out, before)| (out - before) as f64 / sent as f64);
    let shares = shares.collect();
    drop(camera);
    for (pipeline, _) in &streams {
        pipeline.set_state(gst::State::Null).unwrap();
    }
    shares
}

fn stream(who: Who, number: usize) -> (gst::Pipeline, Arc<AtomicU64>) {
    let (width, height, rate) = SIZE;
    let priority = if number.is_multiple_of(IMPORTANT) {
        10
    } else {
        0
    };
    let element = match who {
        Who::Stock => String::new(),
        Who::Ours => format!(
            "! qualityswitch group=street priority={priority} \
             ladder=a=960x540@15,b=640x360@15,c=426x240@10,d=320x180@5"
        ),
    };
    let line = format!(
        "appsrc name=source is-live=true format=time caps={} \
         ! queue leaky=downstream max-size-buffers=3 max-size-bytes=0 max-size-time=0 {element} \
         ! x264enc name=encoder tune=zerolatency speed-preset=veryfast threads=1 ! fakesink sync=false",
        caps(width, height, rate)
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let out = Arc::new(AtomicU64::new(0));
    let counted = out.clone();
    let pad = pipeline
        .by_name("encoder")
        .unwrap()
        .static_pad("src")
        .unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    (pipeline, out)
}
