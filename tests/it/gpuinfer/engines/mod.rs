//! Engines as the user meets them: by properties, with whatever libraries and files the machine has.

mod libraries;
pub mod models;
mod providers;

use std::path::Path;
use std::process::Output;

use crate::support::launch::gstreamer;

/// Runs three frames through gpuinfer in a process of its own; messages are printed.
fn launch(properties: &str, variables: &[(&str, &Path)]) -> Output {
    let line = format!(
        "videotestsrc num-buffers=3 ! {} ! gpuinfer post-messages=true {properties} ! fakesink",
        super::CAPS
    );
    let mut command = gstreamer("gst-launch-1.0");
    command
        .arg("-m")
        .args(line.split_whitespace())
        .env("GST_DEBUG", "gpuinfer-engine:4")
        .env("GST_DEBUG_NO_COLOR", "1");
    for (name, value) in variables {
        command.env(name, value);
    }
    command.output().unwrap()
}

/// What such a process prints, whether it works or not.
fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// The text of an error that ends such a process.
fn refusal(properties: &str) -> String {
    let output = launch(properties, &[]);
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    let error = said
        .lines()
        .find(|line| line.starts_with("ERROR: from element"));
    error
        .unwrap_or_else(|| panic!("no error: {said}"))
        .to_owned()
}
