//! This program again, as a child process; and what a child does with a pipeline.

use std::process::Command;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gst::prelude::*;

/// What a child measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// GStreamer as it is.
    Stock,
    /// With recycled memory.
    Recycled,
}

impl Mode {
    pub const BOTH: [Self; 2] = [Self::Stock, Self::Recycled];

    pub fn named(name: &str) -> Self {
        match name {
            "stock" => Self::Stock,
            "recycled" => Self::Recycled,
            other => panic!("no mode called {other}"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Recycled => "recycled",
        }
    }

    /// What stands in a pipeline where memory is to be recycled.
    pub fn element(self) -> &'static str {
        match self {
            Self::Stock => "",
            Self::Recycled => "! bufferrecycler process-allocator=true",
        }
    }
}

/// The malloc of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malloc {
    /// That of the C library.
    Stock,
    /// That of the C library with a fixed threshold: every frame is mapped anew, as musl does, and as those set it who
    /// want memory back.
    Fixed,
    /// jemalloc, where it is installed.
    Jemalloc,
}

/// Where Debian keeps it.
const JEMALLOC: &str = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";

impl Malloc {
    pub fn is_here(self) -> bool {
        self != Self::Jemalloc || std::path::Path::new(JEMALLOC).exists()
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Stock => "glibc",
            Self::Fixed => "as musl",
            Self::Jemalloc => "jemalloc",
        }
    }

    fn variable(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Stock => None,
            Self::Fixed => Some(("MALLOC_MMAP_THRESHOLD_", "131072")),
            Self::Jemalloc => Some(("LD_PRELOAD", JEMALLOC)),
        }
    }
}

/// Fills any queue of these pipelines.
const FILLING: Duration = Duration::from_millis(300);

/// Runs `part` of this program in `mode` with `arguments`; the numbers that it printed.
pub fn run<T: FromStr>(mode: Mode, malloc: Malloc, part: &str, arguments: &[&str]) -> Vec<T> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", mode.name(), part]).args(arguments);
    for variable in [
        "MALLOC_MMAP_THRESHOLD_",
        "LD_PRELOAD",
        "GST_TRACERS",
        "GST_DEBUG",
    ] {
        command.env_remove(variable);
    }
    command.envs(malloc.variable());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{complaint}");
    let number = |word: &str| word.parse().unwrap_or_else(|_| panic!("{said}"));
    said.split_whitespace().map(number).collect()
}

/// Starts GStreamer with our elements.
pub fn init() {
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
}

/// A pipeline, stopped when it is dropped.
pub struct Pipeline(gst::Pipeline);

impl Drop for Pipeline {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

impl Pipeline {
    /// Parses a line of gst-launch-1.0.
    pub fn parse(line: &str) -> Self {
        let element = gst::parse::launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        Self(element.downcast().unwrap())
    }

    pub fn element(&self, name: &str) -> gst::Element {
        self.0.by_name(name).unwrap()
    }

    /// Plays to the end of the stream.
    pub fn run(&self) {
        self.0.set_state(gst::State::Playing).unwrap();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let limit = gst::ClockTime::from_seconds(300);
        let message = self.0.bus().unwrap().timed_pop_filtered(limit, &ends);
        let message = message.expect("an end within five minutes");
        if let gst::MessageView::Error(error) = message.view() {
            panic!("{}: {:?}", error.error(), error.debug());
        }
    }

    /// Has every sink stand still with its second buffer, while it keeps the first as its last sample, until the queues
    /// before it are full. As many frames are on their way then as ever will be, whatever becomes of the threads later: what comes after that is the steady state.
    #[expect(clippy::disallowed_methods, reason = "the bench runs in real time")]
    pub fn fill_queues(&self) {
        for sink in self.0.iterate_sinks() {
            let pad = sink.unwrap().static_pad("sink").unwrap();
            let came = AtomicU32::new(0);
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                if came.fetch_add(1, Ordering::Relaxed) == 1 {
                    std::thread::sleep(FILLING);
                }
                gst::PadProbeReturn::Ok
            });
        }
    }

    /// Calls `look` for each buffer at the pad `pad` of the element `name`.
    pub fn watch(
        &self,
        name: &str,
        pad: &str,
        look: impl Fn(&gst::Buffer) + Send + Sync + 'static,
    ) {
        let pad = self.element(name).static_pad(pad).unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            look(info.buffer().unwrap());
            gst::PadProbeReturn::Ok
        });
    }

    /// Calls `change` for each buffer at the pad `pad` of the element `name`.
    pub fn change(
        &self,
        name: &str,
        pad: &str,
        change: impl Fn(&mut gst::Buffer) + Send + Sync + 'static,
    ) {
        let pad = self.element(name).static_pad(pad).unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            change(info.buffer_mut().unwrap());
            gst::PadProbeReturn::Ok
        });
    }
}
