//! What congestion control makes of a network: sender, bottleneck and receiver in network namespaces of their own.
//!
//! `make bench-network` runs every case, `cargo bench --bench network -- const2 step` those named, and without a name
//! they are listed. Needs root, for namespaces and queues. `REPEATS=3` runs each case as often and shows medians;
//! `PEER=rtpgccbwe` (through `make`, which builds it) runs that element through the same cases. What is written:
//! one table, and in `target/network` a plot and the figures of each fifth of a second, of every case's last run.
//!
//! The bottleneck is tbf on the way out of a router, with a drop-tail queue of 300 ms. RTP: the delay of the path and its
//! random loss are netsim's, at the receiver. SRT: the delay is a relay's, beside the receiver. RTMP and TCP: no delay.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::print_stderr, reason = "progress, beside the table")]

mod bottleneck;
mod cases;
mod child;
mod clock;
mod conductor;
mod evaluation;
mod figures;
mod namespaces;
mod packets;
mod plot;
mod receiver;
mod record;
mod relay;
mod rtmp_server;
mod sender;
mod series;
mod table;
mod tcp_flow;
mod trace;

use cases::{ALL, Case, Who};

fn main() {
    let arguments = std::env::args().skip(1);
    let words: Vec<String> = arguments.filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => list(),
        [child::SENDER, case, who] => sender::run(Case::called(case), Who::called(who)),
        [child::RECEIVER, case, _] => receiver::run(Case::called(case)),
        ["all"] => bench(ALL.iter().collect()),
        _ => bench(words.iter().map(|name| Case::called(name)).collect()),
    }
}

fn list() {
    println!("Name the cases to run, or `all`:");
    for case in &ALL {
        println!("  {:<12} {:>4} s  {}", case.name, case.seconds, case.about);
    }
}

fn bench(cases: Vec<&'static Case>) {
    if let Some(obstacle) = namespaces::obstacle() {
        eprintln!("bench-network: {obstacle}");
        std::process::exit(1);
    }
    let repeats = std::env::var("REPEATS").map_or(1, |repeats| repeats.parse().unwrap());
    let mut table = table::Table::default();
    for case in cases {
        let mut last = Vec::new();
        for who in Who::of(case) {
            let traces: Vec<_> = (0..repeats).map(|_| conductor::run(case, who)).collect();
            table.add(case, who, &traces);
            last.extend(traces.into_iter().last().map(|trace| (who, trace)));
        }
        plot::write(case, &last);
    }
    println!("{table}");
}
