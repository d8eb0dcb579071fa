//! This program again, as a child process with the tracers of one case.

use std::path::{Path, PathBuf};
use std::process::Command;

use gst::prelude::*;

/// Where GstShark's plugin is, if its tracers are to be run as well.
pub fn peers() -> Option<PathBuf> {
    let folder = std::env::var_os("LIVETUNE_PEERS").filter(|folder| !folder.is_empty());
    folder.map(PathBuf::from)
}

/// A file of our own for what a child writes.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Tracers of a child, and where their log goes.
pub struct Tracing<'a> {
    /// As `GST_TRACERS` takes them; empty: none.
    pub tracers: &'a str,
    /// The file for what tracers log; `None`: they log nothing.
    pub log: Option<&'a Path>,
}

/// Runs this program with `arguments` under `tracing`; what it printed.
pub fn run(arguments: &[&str], tracing: &Tracing<'_>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(arguments)
        .env("GST_PLUGIN_PATH", plugin_path())
        .env("GST_REGISTRY", scratch("bench-registry.bin"))
        .env("GST_SHARK_LOCATION", scratch("bench-gstshark"))
        .env("GST_DEBUG_NO_COLOR", "1");
    for variable in ["GST_TRACERS", "GST_DEBUG", "GST_DEBUG_FILE"] {
        command.env_remove(variable);
    }
    if !tracing.tracers.is_empty() {
        command.env("GST_TRACERS", tracing.tracers);
    }
    if let Some(log) = tracing.log {
        command.env("GST_DEBUG", "GST_TRACER:7");
        command.env("GST_DEBUG_FILE", log);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{complaint}");
    said
}

/// A folder with nothing but our plugin as it was just built, and that of the peers.
fn plugin_path() -> std::ffi::OsString {
    let program = std::env::current_exe().unwrap();
    let library = program.with_file_name("libgstlivetune.so");
    assert!(library.exists(), "{} is missing", library.display());
    let folder = scratch("bench-plugins");
    std::fs::create_dir_all(&folder).unwrap();
    let link = folder.join("libgstlivetune.so");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(library, link).unwrap();
    std::env::join_paths([Some(folder), peers()].into_iter().flatten()).unwrap()
}

/// Runs `pipeline` to the end of its stream.
pub fn run_to_eos(pipeline: &gst::Pipeline) {
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(120), &ends);
    let message = message.expect("an end within two minutes");
    if let gst::MessageView::Error(error) = message.view() {
        panic!("{}: {:?}", error.error(), error.debug());
    }
}

/// Parses a line of gst-launch-1.0.
pub fn parse(line: &str) -> gst::Pipeline {
    let element = gst::parse::launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    element.downcast().unwrap()
}
