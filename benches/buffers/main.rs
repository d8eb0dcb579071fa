//! What recycled memory saves, and where it saves nothing: one table in Markdown.
//!
//! `make bench-buffers` prints all rows; `cargo bench --bench buffers -- pipelines`, `switch`, `stall`, `passthrough` or
//! `allocation` some of them. Stock GStreamer and recycling take turns, each time in a process of its own: the allocator
//! is one in a process, and so is the C library's malloc, which some rows set to behave like that of musl. Costs are
//! processor time and page faults of the whole process, as the slope between two lengths of a run whose queues were full
//! once at their start: what the start costs is in neither.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod allocation;
mod child;
mod passthrough;
mod pipelines;
mod stall;
mod switch;
mod usage;

use child::Mode;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["child", mode, part, rest @ ..] = &words[..] {
        let mode = Mode::named(mode);
        return match *part {
            "pipelines" => pipelines::child(mode, rest[0], rest[1].parse().unwrap()),
            "switch" => switch::child(mode),
            "stall" => stall::child(mode, rest[0]),
            "passthrough" => passthrough::child(rest[0], rest[1].parse().unwrap()),
            "allocation" => allocation::child(mode, rest[0].parse().unwrap()),
            other => panic!("no part called {other}"),
        };
    }
    let parts: [(&str, fn()); 5] = [
        ("pipelines", pipelines::table),
        ("switch", switch::table),
        ("stall", stall::table),
        ("passthrough", passthrough::table),
        ("allocation", allocation::table),
    ];
    let named = |name: &str| words.contains(&name);
    let all = !parts.iter().any(|part| named(part.0));
    for (name, table) in parts {
        if all || named(name) {
            table();
        }
    }
}

/// Whether `ratio` keeps to `limit`, as the last column of a row.
fn must(ratio: f64, limit: f64) -> String {
    let met = if ratio <= limit { "✓" } else { "✗" };
    format!("{met} <= {:.0} %", 100.0 * limit)
}
