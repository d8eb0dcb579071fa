//! One pipeline with all five elements, on a live source: camera to network to display, every stage measured.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod lines;
mod options;
mod report;
mod stream;

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use options::Options;
use stream::Stream;

const TICK: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match demonstrate(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(options: &Options) -> Result<(), Box<dyn Error>> {
    gst::init()?;
    gstlivetune::plugin_register_static()?;

    let display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|variable| std::env::var_os(variable).is_some());
    let stream = Stream::new(options, display)?;
    stream.play()?;
    run(&stream, options.duration())?;
    report::summary(&stream);
    if let Some(path) = &options.snapshot {
        save_picture(&stream, path)?;
    }
    if let Some(path) = &options.metrics {
        std::fs::write(path, gstlivetune::open_metrics())?;
    }
    Ok(())
}

/// Watches the stream and prints a line each second.
#[allow(clippy::disallowed_methods, reason = "the program's own pace")]
fn run(stream: &Stream, duration: Duration) -> Result<(), Box<dyn Error>> {
    let mut elapsed = Duration::ZERO;
    let mut flow = ControlFlow::Continue(());
    while elapsed < duration && flow.is_continue() {
        std::thread::sleep(TICK);
        elapsed += TICK;
        flow = stream.messages()?;
        report::progress(stream, elapsed);
    }
    Ok(())
}

fn save_picture(stream: &Stream, path: &Path) -> Result<(), Box<dyn Error>> {
    let screen = stream.element("screen").ok_or("no sink")?;
    let picture = report::picture(&screen).ok_or("nothing was displayed")?;
    std::fs::write(path, picture)?;
    println!("\npicture        {}", path.display());
    Ok(())
}
