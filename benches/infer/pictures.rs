//! Real frames, in memory before anything is measured.

use std::path::{Path, PathBuf};

use gst::prelude::*;

pub const WIDTH: i32 = 1280;
pub const HEIGHT: i32 = 720;

/// A file of the folder `shared`.
pub fn shared(path: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("LIVETUNE_SHARED").map_or_else(beside, PathBuf::from);
    let file = folder.join(path);
    assert!(file.exists(), "{} is missing", file.display());
    file
}

/// YOLOX-nano, 416 by 416.
pub fn model() -> PathBuf {
    shared("models/yolox_nano.onnx")
}

pub fn caps() -> gst::Caps {
    gst::Caps::builder("video/x-raw")
        .field("format", "NV12")
        .field("width", WIDTH)
        .field("height", HEIGHT)
        .field("framerate", gst::Fraction::new(30, 1))
        .build()
}

/// `count` frames of people, NV12, from the tenth second on.
pub fn people(count: u32) -> Vec<gst::Buffer> {
    let video = shared("media/one-by-one-person-detection.mp4");
    let line = format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! videoscale ! {} ! identity eos-after={} \
         ! appsink name=frames sync=false max-buffers=1",
        video.display(),
        caps().to_string().replace(", framerate=(fraction)30/1", ""),
        300 + count
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("frames").unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let pull = || sink.emit_by_name::<Option<gst::Sample>>("pull-sample", &[]);
    let samples = std::iter::from_fn(pull).skip(300).take(count as usize);
    let frames: Vec<_> = samples
        .map(|sample| bare(sample.buffer().unwrap()))
        .collect();
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(
        frames.len(),
        count as usize,
        "frames of {}",
        video.display()
    );
    frames
}

/// `count` grey frames that no decoder has left anything behind for in this process.
pub fn grey(count: usize) -> Vec<gst::Buffer> {
    let bytes = (WIDTH * HEIGHT * 3 / 2) as usize;
    let frame = || gst::Buffer::from_slice(vec![128_u8; bytes]);
    std::iter::repeat_with(frame).take(count).collect()
}

/// The pixels of `buffer` in memory of its own, and nothing else.
fn bare(buffer: &gst::BufferRef) -> gst::Buffer {
    let pixels = buffer.map_readable().unwrap();
    gst::Buffer::from_slice(pixels.to_vec())
}
