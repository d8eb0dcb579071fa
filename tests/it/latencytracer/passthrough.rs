//! What the element leaves alone: data, lists, events, queries, flow, states.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gst::prelude::*;

use super::{Bench, MS, buffer, captures, stat};
use crate::support::launch::gst_launch;
use crate::support::pipeline::Pipeline;

#[test]
fn a_buffer_passes_as_it_is() {
    let mut bench = Bench::new("");
    let mut sent = buffer(20 * MS);
    sent.get_mut()
        .unwrap()
        .set_flags(gst::BufferFlags::DELTA_UNIT);
    let held = sent.clone();
    bench.harness.push(sent).unwrap();
    let got = bench.harness.pull().unwrap();
    assert_eq!(got.pts(), Some(20 * MS));
    assert_eq!(got.flags(), held.flags());
    let data = |buffer: &gst::BufferRef| buffer.map_readable().unwrap().as_ptr();
    assert_eq!(data(&got), data(&held), "the memory is shared");
    assert_eq!((captures(&got), captures(&held)), (1, 0));
}

#[test]
fn a_list_stays_a_list() {
    let mut bench = Bench::new("");
    bench.push_aged(MS);
    let lists = Arc::new(AtomicUsize::new(0));
    let seen = lists.clone();
    let src = bench.element.static_pad("src").unwrap();
    src.add_probe(gst::PadProbeType::BUFFER_LIST, move |_, info| {
        let list = info.buffer_list().unwrap();
        assert!(list.iter().all(|buffer| captures(buffer) == 1));
        seen.fetch_add(list.len(), Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    let list: gst::BufferList = (1..=3).map(|n| buffer(n * MS)).collect();
    let held = list.clone();
    let upstream = bench.harness.srcpad().unwrap();
    upstream.push_list(list).unwrap();
    assert_eq!(lists.load(Ordering::Relaxed), 3);
    assert_eq!(bench.stat("count"), 4);
    assert!(held.iter().all(|buffer| captures(buffer) == 0));
}

#[test]
fn flow_returns_pass_unchanged() {
    crate::support::init();
    let tap = gst::ElementFactory::make("latencytracer").build().unwrap();
    let mut harness = gst_check::Harness::with_element(&tap, Some("sink"), None);
    harness.set_src_caps_str("video/x-raw");
    assert_eq!(harness.push(buffer(MS)), Err(gst::FlowError::NotLinked));
    let mut bench = Bench::new("");
    bench.harness.push_event(gst::event::FlushStart::new());
    let flushing = bench.harness.push(buffer(MS));
    assert_eq!(flushing, Err(gst::FlowError::Flushing));
}

#[test]
fn events_pass_both_ways() {
    let mut bench = Bench::new("");
    let gap = gst::event::Gap::builder(20 * MS).duration(5 * MS).build();
    for event in [
        gst::event::Caps::new(&gst::Caps::new_empty_simple("audio/x-raw")),
        gap,
        gst::event::Eos::new(),
    ] {
        let (kind, id) = (event.type_(), event.seqnum());
        assert!(bench.harness.push_event(event));
        let events = std::iter::from_fn(|| bench.harness.try_pull_event());
        let found = events
            .into_iter()
            .any(|e| e.type_() == kind && e.seqnum() == id);
        assert!(found, "{kind:?} does not pass");
    }
    let flags = gst::SeekFlags::FLUSH;
    let seek = gst::event::Seek::new(
        1.0,
        flags,
        gst::SeekType::Set,
        gst::ClockTime::ZERO,
        gst::SeekType::None,
        gst::ClockTime::NONE,
    );
    let id = seek.seqnum();
    bench.harness.push_upstream_event(seek);
    let events = std::iter::from_fn(|| bench.harness.try_pull_upstream_event());
    assert!(events.into_iter().any(|event| event.seqnum() == id));
}

#[test]
fn queries_pass() {
    let mut bench = Bench::new("");
    bench.harness.set_upstream_latency(40 * MS);
    assert_eq!(bench.harness.query_latency(), Some(40 * MS));
    let kind = gst::ReferenceTimestampMeta::meta_api();
    bench.harness.add_propose_allocation_meta(kind, None);
    let mut allocation = gst::query::Allocation::new(None, false);
    let upstream = bench.harness.srcpad().unwrap();
    assert!(upstream.peer_query(&mut allocation));
    assert!(
        allocation
            .find_allocation_meta::<gst::ReferenceTimestampMeta>()
            .is_some()
    );
}

#[test]
fn a_source_that_can_be_pulled_still_pushes() {
    let line = "filesrc location=Cargo.toml ! latencytracer name=tap ! typefind ! fakesink";
    let pipeline = Pipeline::parse(line);
    pipeline.run_to_eos();
    assert!(stat(&pipeline.element("tap"), "count") > 0);
}

#[test]
fn it_starts_and_stops_a_hundred_times() {
    let line = "fakesrc is-live=true ! latencytracer name=tap interval=1 network=true ! fakesink";
    let pipeline = Pipeline::parse(line);
    for _ in 0..100 {
        pipeline.set_state(gst::State::Playing).unwrap();
        pipeline.set_state(gst::State::Null).unwrap();
    }
    assert_eq!(stat(&pipeline.element("tap"), "count"), 0);
}

#[test]
fn it_can_be_taken_out_while_the_pipeline_plays() {
    let line =
        "videotestsrc is-live=true name=source ! latencytracer name=tap ! fakesink name=sink";
    let pipeline = Pipeline::parse(line);
    pipeline.play();
    let (source, tap, sink) = (
        pipeline.element("source"),
        pipeline.element("tap"),
        pipeline.element("sink"),
    );
    let (send, receive) = std::sync::mpsc::channel();
    let pad = source.static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, move |_, _| {
        let _ = send.send(());
        gst::PadProbeReturn::Ok
    });
    receive
        .recv_timeout(crate::support::pipeline::LIMIT)
        .unwrap();
    pipeline.remove(&tap).unwrap();
    tap.set_state(gst::State::Null).unwrap();
    source.link(&sink).unwrap();
    assert_eq!(tap.current_state(), gst::State::Null);
}

#[test]
fn a_stranger_finds_and_uses_the_preset() {
    let run = gst_launch("fakesrc num-buffers=3 ! latencytracer @preset=low-latency ! fakesink");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    let missing = gst_launch("fakesrc num-buffers=3 ! latencytracer @preset=none-such ! fakesink");
    assert!(!missing.status.success());
}
