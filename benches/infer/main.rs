//! What the element adds to the network that it runs, and what sixteen cameras on one network get: tables in Markdown.
//!
//! `make bench-infer` prints all; `cargo bench --bench infer -- element`, `cameras`, `memory` or `gpu` one of them. Engines that are
//! not there have no rows. The model and the video lie in the folder `shared` beside the project, or where
//! `LIVETUNE_SHARED` says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod bare;
mod cameras;
mod child;
mod element;
mod gpu;
mod memory;
mod peers;
mod pictures;
mod samples;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["child-memory", backend, cameras] = words[..] {
        return memory::child(backend, cameras.parse().unwrap());
    }
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
    let wanted = |name: &str| {
        let named = ["element", "cameras", "memory", "gpu", "peers"];
        !named.iter().any(|name| words.contains(name)) || words.contains(&name)
    };
    if wanted("element") {
        element::table();
    }
    if wanted("cameras") {
        cameras::table();
    }
    if wanted("memory") {
        memory::table();
    }
    if wanted("gpu") {
        gpu::table();
    }
    if wanted("peers") {
        peers::table();
    }
}
