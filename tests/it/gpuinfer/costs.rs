//! What a frame takes from the heap, and what is told of the load.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use gst::prelude::*;

use super::{BALL, CAPS, onnx};
use crate::support::allocations::Tally;
use crate::support::pipeline::Pipeline;

const WARM: u64 = 150;
const MEASURED: u64 = 200;

/// Allocations of the thread that passes frames at the pad `name` of gpuinfer, frame by frame after the warm-up.
fn watch(pipeline: &Pipeline, name: &str) -> Arc<AtomicU64> {
    thread_local! {
        static JOINED: Cell<bool> = const { Cell::new(false) };
    }
    let tally = Tally::new();
    let (frames, before, taken) = (AtomicU64::new(0), AtomicU64::new(0), Arc::default());
    let counted: Arc<AtomicU64> = Arc::clone(&taken);
    let pad = pipeline.element("infer").static_pad(name).unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        if !JOINED.replace(true) {
            tally.join();
        }
        let frame = frames.fetch_add(1, Ordering::Relaxed);
        let now = tally.allocations();
        if frame == WARM {
            before.store(now, Ordering::Relaxed);
        } else if frame == WARM + MEASURED {
            counted.store(now - before.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        gst::PadProbeReturn::Ok
    });
    taken
}

#[test]
fn a_frame_asks_for_no_memory_but_for_its_metas() {
    let model = onnx::detector(&[BALL]);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=400 ! {CAPS} ! gpuinfer name=infer metadata=none model={} ! fakesink",
        model.display()
    ));
    let (taken_in, taken_out) = (watch(&pipeline, "sink"), watch(&pipeline, "src"));
    pipeline.run_to_eos();
    // Buffers of mailboxes and queues may still grow to the largest that they ever were.
    for (name, taken) in [("in", taken_in), ("out", taken_out)] {
        let taken = taken.load(Ordering::Relaxed);
        assert!(
            taken <= MEASURED / 20,
            "{name}: {taken} for {MEASURED} frames"
        );
    }
}

#[test]
fn upstream_is_told_how_long_frames_wait() {
    let model = onnx::slow_detector(&[BALL], 1);
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true ! {CAPS} ! gpuinfer name=infer max-latency=70 model={} ! fakesink",
        model.display()
    ));
    let (told, events) = mpsc::channel();
    let pad = pipeline.element("infer").static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        let event = info.event().and_then(|event| event.structure());
        if let Some(load) = event.filter(|event| event.name() == "livetune-load") {
            let _ = told.send(load.to_owned());
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let load = events
        .recv_timeout(crate::support::pipeline::LIMIT)
        .unwrap();
    assert_eq!(load.get("target"), Ok(70_000_000_u64));
    assert!(load.get::<u64>("latency").unwrap() > 0);
    assert_eq!(load.get::<&str>("source").unwrap(), "infer");
}
