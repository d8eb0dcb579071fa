//! What gpuinfer does with a frame around the network, on one core: frame to tensor, outputs to objects. The times are
//! the element's own, from its stats.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/gpuinfer/onnx.rs"]
mod onnx;

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use gst::prelude::*;

/// The shape of YOLOX-nano's input, and of its output.
const INPUT: [u64; 4] = [1, 3, 416, 416];
const OUTPUT: [u64; 3] = [1, 3549, 85];
const FRAMES: u64 = 30;

/// The mean time that `stage` takes in frames of `caps`.
fn mean(model: &Path, caps: &str, stage: &str) -> Duration {
    let line = format!(
        "videotestsrc num-buffers={FRAMES} pattern=smpte ! video/x-raw,{caps} \
         ! gpuinfer name=infer threads=1 model={} ! fakesink",
        model.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(None, &ends).unwrap();
    assert_eq!(message.type_(), gst::MessageType::Eos, "{line}");
    let infer = pipeline.downcast_ref::<gst::Bin>().unwrap();
    let infer = infer.by_name("infer").unwrap();
    let stats: gst::Structure = infer.property("stats");
    let mean = stats.get::<u64>(stage).unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    Duration::from_nanos(mean)
}

fn around(criterion: &mut Criterion) {
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
    let model = onnx::constant(&INPUT, &OUTPUT, 0.01);
    let mut group = criterion.benchmark_group("gpuinfer");
    group.sample_size(10);
    group.sampling_mode(SamplingMode::Flat);
    let mut measure = |name: &str, caps: &str, stage: &str| {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| mean(&model, caps, stage)).sum());
        });
    };
    for format in ["NV12", "I420", "YUY2", "BGRx", "RGB"] {
        let caps = format!("format={format},width=1920,height=1080");
        measure(
            &format!("{format} 1920x1080 to 416x416"),
            &caps,
            "preprocess",
        );
    }
    for format in ["NV12", "BGRx"] {
        let caps = format!("format={format},width=416,height=416");
        measure(&format!("{format} that fits as it is"), &caps, "preprocess");
    }
    let caps = "format=NV12,width=1920,height=1080";
    measure("outputs [1,3549,85] to objects", caps, "postprocess");
    group.finish();
}

criterion_group!(benches, around);
criterion_main!(benches);
