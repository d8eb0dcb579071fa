//! What the element makes of a machine that is full: stock and ours one after the other, with processes that eat the
//! processors.
//!
//! `make bench-quality` runs all of it (twenty minutes), `cargo bench --bench quality -- overload switching` what is
//! named, and without a name it is listed. What is written: tables, and in `target/quality` a plot of each overload
//! (PNG), with the figures of each quarter of a second (CSV).
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::print_stderr, reason = "progress, beside the tables")]

mod camera;
#[path = "../network/clock.rs"]
mod clock;
mod hogs;
mod many;
mod overload;
mod passthrough;
mod plot;
mod run;
mod series;
mod steady;
mod switching;

type Case = (&'static str, &'static str, fn());

const CASES: [Case; 6] = [
    (
        "overload",
        "1080p30 through x264 and back with 6 and 4 hogs for 20 s, stock and ours",
        overload::bench,
    ),
    (
        "crowded",
        "the same with 6 hogs on a machine that is never quiet, as the prototype was measured",
        overload::bench_crowded,
    ),
    (
        "steady",
        "5 minutes beside 2 hogs: the rung that is found, steps up that were wrong",
        steady::bench,
    ),
    (
        "switching",
        "200 changes of size before x264: gaps and lost frames",
        switching::bench,
    ),
    (
        "many",
        "30 cameras with priorities on one machine",
        many::bench,
    ),
    (
        "passthrough",
        "what a frame costs on the top rung",
        passthrough::bench,
    ),
];

fn main() {
    let arguments = std::env::args().skip(1);
    let words: Vec<String> = arguments.filter(|word| !word.starts_with("--")).collect();
    if words == [hogs::WORD] {
        hogs::eat();
    }
    if words.is_empty() {
        println!("Name what to run, or `all`:");
        for (name, about, _) in CASES {
            println!("  {name:<12} {about}");
        }
        return;
    }
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
    for (name, _, bench) in CASES {
        if words.iter().any(|word| word == name || word == "all") {
            eprintln!("bench-quality: {name}");
            bench();
        }
    }
}
