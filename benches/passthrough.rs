//! What a buffer costs in each element where there is nothing to do, beside `identity` in the same run.
#![allow(clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gst::prelude::*;

const BUFFERS: u64 = 20_000;

/// Name of the measurement and the part of the pipeline that it adds.
const PARTS: [(&str, &str); 6] = [
    ("nothing", ""),
    ("identity", "! identity silent=true"),
    ("latencytracer", "! latencytracer"),
    (
        "latencytracer, later tap",
        "! latencytracer ! latencytracer",
    ),
    ("adaptivebitrate", "! adaptivebitrate post-messages=false"),
    ("bufferrecycler", "! bufferrecycler"),
];

fn run(part: &str) {
    let line = format!("fakesrc num-buffers={BUFFERS} sizetype=fixed sizemax=64 {part} ! fakesink");
    let pipeline = gst::parse::launch(&line).unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(None, &ends).unwrap();
    assert_eq!(message.type_(), gst::MessageType::Eos, "{part}");
    pipeline.set_state(gst::State::Null).unwrap();
}

fn passthrough(criterion: &mut Criterion) {
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
    let mut group = criterion.benchmark_group("passthrough");
    group
        .throughput(Throughput::Elements(BUFFERS))
        .sample_size(20);
    for (name, part) in PARTS {
        group.bench_function(name, |bencher| bencher.iter(|| run(part)));
    }
    group.finish();
}

criterion_group!(benches, passthrough);
criterion_main!(benches);
