//! What measuring takes: nothing from the heap for a buffer, and little memory for a place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;

use crate::support::allocations::Tally;
use crate::support::pipeline::Pipeline;

/// Buffers after which nothing is new any more.
const WARM: u64 = 3_000;
const BUFFERS: u64 = 10_000;
/// The limit on one measured place.
const MOST_MEMORY: i64 = 64_000;

/// A source whose buffers have a PTS that the clock has passed.
fn source(buffers: u64) -> String {
    format!(
        "fakesrc name=source num-buffers={buffers} format=time sizetype=fixed sizemax=64 datarate=640000000"
    )
}

/// How often the streaming thread of `line` asks for memory between warm-up and end.
fn allocations(line: &str) -> u64 {
    let pipeline = Pipeline::parse(&format!("{} ! {line}", source(BUFFERS)));
    let tally = Tally::new();
    let seen = Arc::new(AtomicU64::new(0));
    let counted = seen.clone();
    // On the source's own pad: what the taps do for a buffer lies between two of these.
    let pad = pipeline.element("source").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let number = seen.fetch_add(1, Ordering::Relaxed);
        if number == WARM {
            tally.join();
        } else if number == BUFFERS - 1 {
            Tally::leave();
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.run_to_eos();
    assert_eq!(counted.load(Ordering::Relaxed), BUFFERS);
    tally.allocations()
}

/// What `line` keeps after some thousand buffers, in bytes: on the way to PLAYING and on its streaming thread.
fn memory(line: &str) -> i64 {
    let pipeline = Pipeline::parse(&format!("{} ! {line}", source(WARM)));
    let tally = Tally::new();
    let pad = pipeline.element("source").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        tally.join();
        gst::PadProbeReturn::Ok
    });
    tally.join();
    pipeline.run_to_eos();
    Tally::leave();
    tally.bytes()
}

#[test]
fn taps_ask_for_no_memory_for_a_buffer() {
    let line = "latencytracer interval=0 ! latencytracer interval=0 sla=60000 ! latencytracer interval=0 ! fakesink";
    assert_eq!(allocations(line), 0);
}

#[test]
fn one_tap_for_the_pipeline_asks_for_no_memory_for_a_buffer() {
    let line = "latencytracer scope=pipeline interval=0 ! identity ! identity ! fakesink";
    assert_eq!(allocations(line), 0);
}

#[test]
fn a_measured_element_takes_less_than_the_limit() {
    let [two, six] = [2, 6].map(|elements| {
        let chain = "identity ! ".repeat(elements);
        memory(&format!(
            "latencytracer scope=pipeline interval=0 ! {chain} fakesink"
        ))
    });
    let each = (six - two) / 4;
    assert!(
        (5_000..MOST_MEMORY).contains(&each),
        "{each} bytes an element: {two} for two, {six} for six"
    );
}

#[test]
fn a_tap_takes_less_than_the_limit() {
    let [one, three] = [1, 3].map(|taps| {
        let chain = "latencytracer interval=0 sla=60000 ! ".repeat(taps);
        memory(&format!("{chain} fakesink"))
    });
    let each = (three - one) / 2;
    assert!(
        (5_000..MOST_MEMORY).contains(&each),
        "{each} bytes a tap: {one} for one, {three} for three"
    );
}
