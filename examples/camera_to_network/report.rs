//! What is printed while the pipelines run, and at the end.

use std::time::Duration;

use gst::prelude::*;

use crate::stream::Stream;

const STAGES: [&str; 3] = ["captured", "encoded", "displayed"];

/// One line on how it goes.
pub fn progress(stream: &Stream, elapsed: Duration) {
    let (bitrate, infer) = (stream.stats("bitrate"), stream.stats("infer"));
    println!(
        "{:>3} s  {:>4} frames displayed  latency p50 {:>6.1} ms  {:>5} kbit/s  {:.2} objects per frame  level {}",
        elapsed.as_secs(),
        number(&stream.stats("displayed"), "count"),
        millis(&stream.stats("displayed"), "p50"),
        rate(&bitrate, "bitrate") / 1000,
        infer.get::<f64>("objects-per-frame").unwrap_or_default(),
        text(&stream.stats("quality"), "level"),
    );
}

/// The table of stages and the figures of each element.
pub fn summary(stream: &Stream) {
    println!();
    println!("stage          frames   p50 ms   p95 ms   p99 ms   max ms");
    for name in STAGES {
        let stats = stream.stats(name);
        println!(
            "{:<14} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
            text(&stats, "stage"),
            number(&stats, "count"),
            millis(&stats, "p50"),
            millis(&stats, "p95"),
            millis(&stats, "p99"),
            millis(&stats, "max"),
        );
    }
    let displayed = stream.stats("displayed");
    let recycler = stream.stats("recycler");
    let infer = stream.stats("infer");
    let bitrate = stream.stats("bitrate");
    let found = stream.found();
    let labels = found
        .iter()
        .map(|(label, count)| format!(" {label} {count}"));
    let labels = labels.collect::<String>();
    println!();
    println!(
        "fps            {:.1}",
        displayed.get::<f64>("fps").unwrap_or_default()
    );
    println!(
        "bitrate        {} kbit/s, loss {:.1} %, round trip {:.2} ms",
        rate(&bitrate, "bitrate") / 1000,
        100.0 * bitrate.get::<f64>("loss").unwrap_or_default(),
        millis(&bitrate, "rtt"),
    );
    println!(
        "buffers        {} made, {} reused: {}",
        number(&recycler, "allocations"),
        number(&recycler, "hits"),
        text(&recycler, "offered-reason"),
    );
    println!(
        "objects        {} in {} frames, {:.2} per frame:{labels}",
        number(&infer, "objects"),
        number(&infer, "inferred"),
        infer.get::<f64>("objects-per-frame").unwrap_or_default(),
    );
    println!("level          {}", text(&stream.stats("quality"), "level"));
}

/// The picture that the sink `screen` shows, as PNG.
pub fn picture(screen: &gst::Element) -> Option<Vec<u8>> {
    let sample = screen.property::<Option<gst::Sample>>("last-sample")?;
    let png = gst::Caps::new_empty_simple("image/png");
    let limit = Some(gst::ClockTime::from_seconds(5));
    let picture = gst_video::convert_sample(&sample, &png, limit).ok()?;
    Some(picture.buffer()?.map_readable().ok()?.to_vec())
}

fn number(stats: &gst::Structure, field: &str) -> u64 {
    stats.get(field).unwrap_or_default()
}

fn rate(stats: &gst::Structure, field: &str) -> u32 {
    stats.get(field).unwrap_or_default()
}

fn millis(stats: &gst::Structure, field: &str) -> f64 {
    number(stats, field) as f64 / 1e6
}

fn text(stats: &gst::Structure, field: &str) -> String {
    stats.get(field).unwrap_or_default()
}
