//! What memory a process has after its sink stood still for a while.
#![expect(clippy::disallowed_methods, reason = "the bench runs in real time")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::child::{self, Malloc, Mode, Pipeline};
use crate::usage::{median, resident};

const ROUNDS: usize = 3;
const LIMIT: f64 = 0.20;
const FRAME_RATE: u32 = 25;
/// When the sink stands still, and for how long.
const BEFORE: u32 = FRAME_RATE;
const STALL: Duration = Duration::from_millis(1500);
/// Seconds of normal running after it.
const AFTER: u32 = 5;

/// Where frames come from, and most of stock's memory that may be left.
const CASES: [(&str, &str); 2] = [
    (
        "source with a pool",
        "videotestsrc is-live=true pattern=black FRAMES ! CAPS RECYCLER",
    ),
    (
        "copies on write",
        "videotestsrc num-buffers=1 ! CAPS ! imagefreeze is-live=true FRAMES RECYCLER ! \
         videobalance contrast=1.1",
    ),
];

pub fn table() {
    println!(
        "\nResident memory, MB, before, in and {AFTER} s after a stall of {STALL:?}: 4K NV12, {FRAME_RATE} frames/s, a \
         queue of 60.\n"
    );
    println!("| frames of | stock | recycled | after | must |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for (name, _) in CASES {
        let [stock, recycled] = Mode::BOTH.map(|mode| {
            let said: Vec<_> = (0..ROUNDS)
                .map(|_| child::run::<f64>(mode, Malloc::Stock, "stall", &[name]))
                .collect();
            [0, 1, 2].map(|at| median(said.iter().map(|numbers| numbers[at] / 1e6).collect()))
        });
        let ratio = recycled[2] / stock[2];
        let steps = |it: [f64; 3]| format!("{:.0}, {:.0}, {:.0}", it[0], it[1], it[2]);
        println!(
            "| {name} | {} | {} | {:.0} % | {} |",
            steps(stock),
            steps(recycled),
            100.0 * ratio,
            crate::must(ratio, LIMIT)
        );
    }
}

/// The child process: prints what memory it has before the stall, at its end, and later.
pub fn child(mode: Mode, name: &str) {
    child::init();
    let case = CASES.iter().find(|case| case.0 == name).unwrap();
    let seconds = BEFORE / FRAME_RATE + AFTER + STALL.as_secs() as u32 + 1;
    let caps = format!("video/x-raw,format=NV12,width=3840,height=2160,framerate={FRAME_RATE}/1");
    let start = case
        .1
        .replace("FRAMES", &format!("num-buffers={}", seconds * FRAME_RATE))
        .replace("CAPS", &caps)
        .replace("RECYCLER", mode.element());
    let pipeline = Pipeline::parse(&format!(
        "{start} ! queue max-size-buffers=60 max-size-bytes=0 max-size-time=0 ! identity name=end ! \
         fakesink sync=true"
    ));
    let frame = AtomicU32::new(0);
    pipeline.watch("end", "sink", move |_| {
        if frame.fetch_add(1, Ordering::Relaxed) == BEFORE {
            println!("{}", resident());
            std::thread::sleep(STALL);
            println!("{}", resident());
        }
    });
    pipeline.run();
    println!("{}", resident());
}
