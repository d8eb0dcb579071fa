//! What measuring latency costs, and how near to the truth it comes: two tables, ours beside others.
//!
//! `make bench-latency` prints both; `cargo bench --bench latency_tables -- cost` or `accuracy` one of them. Every case runs
//! in a child process of its own, since tracers are chosen by the environment. Where `LIVETUNE_PEERS` names the
//! folder of GstShark's plugin (`make bench-peers`), its tracers have rows too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod accuracy;
mod child;
mod cost;
mod empty;
mod logs;
mod ours;
mod samples;
mod scenarios;
mod truth;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["child-cost", case, elements] => cost::child(case, elements.parse().unwrap()),
        ["child-accuracy", scenario, instrument] => accuracy::child(scenario, instrument),
        _ => {
            let all = !words.contains(&"cost") && !words.contains(&"accuracy");
            if all || words.contains(&"cost") {
                cost::table();
            }
            if all || words.contains(&"accuracy") {
                accuracy::table();
            }
        }
    }
}
