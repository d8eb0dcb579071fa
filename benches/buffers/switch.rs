//! The first frame after a change of caps.
#![expect(clippy::disallowed_methods, reason = "a bench that panics is over")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::child::{self, Malloc, Mode, Pipeline};
use crate::usage::{Usage, median};

const ROUNDS: usize = 5;
const LIMIT: f64 = 0.25;
/// Frames of each size before it changes again.
const STAY: u32 = 15;
const SWITCHES: u32 = 20;
const SIZES: [(i32, i32); 2] = [(1280, 720), (3840, 2160)];

pub fn table() {
    println!(
        "\nThe first 4K frame of videoscale after a switch from 720p, processor time of its thread: medians, the \
         least of {ROUNDS} rounds.\n"
    );
    println!("| | stock ms | recycled ms | CPU | stock faults | recycled faults | must |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | --- |");
    let mut said = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (mode, said) in Mode::BOTH.into_iter().zip(&mut said) {
            said.push(child::run::<f64>(mode, Malloc::Stock, "switch", &[]));
        }
    }
    let least = |field: usize| {
        let of = |said: &Vec<Vec<f64>>| said.iter().map(|it| it[field]).fold(f64::MAX, f64::min);
        said.each_ref().map(of)
    };
    let [first, tenth] = [0, 2].map(|field| (least(field), least(field + 1)));
    let verdict = crate::must(first.0[1] / first.0[0], LIMIT);
    row("first frame", first, &verdict);
    row("the tenth, for comparison", tenth, "");
    let added = ([0, 1].map(|at| first.0[at] - tenth.0[at]), first.1);
    row("what the switch adds to it", added, "");
    println!(
        "\nThe scaling alone, into memory that is there, takes {:.0} % of stock's first frame.",
        100.0 * tenth.0[1] / first.0[0]
    );
}

/// Seconds and faults, stock and recycled.
fn row(name: &str, ([stock, recycled], faults): ([f64; 2], [f64; 2]), verdict: &str) {
    println!(
        "| {name} | {:.2} | {:.2} | {:.0} % | {:.0} | {:.0} | {verdict} |",
        1e3 * stock,
        1e3 * recycled,
        100.0 * recycled / stock,
        faults[0],
        faults[1]
    );
}

fn caps(size: (i32, i32)) -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", "NV12")
        .field("width", size.0)
        .field("height", size.1)
        .build()
}

/// The child process: prints seconds and faults of the first 4K frame after a switch, and of the tenth.
pub fn child(mode: Mode) {
    child::init();
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc pattern=ball num-buffers={} ! video/x-raw,format=NV12,width=1280,height=720,framerate=30/1 ! \
         identity name=before ! videoscale method=nearest-neighbour ! capsfilter name=size {} ! fakesink name=end",
        STAY * SWITCHES,
        mode.element()
    ));
    let size = pipeline.element("size");
    size.set_property("caps", caps(SIZES[0]));
    let began = Arc::new(Mutex::new(Usage::default()));
    let frame = Arc::new(AtomicU32::new(0));
    let (began_at, count) = (began.clone(), frame.clone());
    pipeline.watch("before", "src", move |_| {
        let frame = count.fetch_add(1, Ordering::Relaxed);
        if frame % STAY == 0 {
            size.set_property("caps", caps(SIZES[(frame / STAY) as usize % 2]));
        }
        *began_at.lock().unwrap() = Usage::of_this_thread();
    });
    let spent = Arc::new(Mutex::new([Vec::new(), Vec::new()]));
    let result = spent.clone();
    pipeline.watch("size", "src", move |buffer| {
        let spent_now = Usage::of_this_thread() - *began.lock().unwrap();
        let number = (frame.load(Ordering::Relaxed) - 1) % (2 * STAY);
        let large = buffer.size() > 10_000_000;
        match number.checked_sub(STAY) {
            Some(0) if large => spent.lock().unwrap()[0].push(spent_now),
            Some(9) if large => spent.lock().unwrap()[1].push(spent_now),
            _ => (),
        }
    });
    pipeline.run();
    for spent in result.lock().unwrap().each_ref() {
        // The first switch of all allocates in both modes.
        let later = &spent[1..];
        let middle = |of: fn(&Usage) -> f64| median(later.iter().map(of).collect());
        println!("{} {}", middle(|it| it.seconds), middle(|it| it.faults));
    }
}
