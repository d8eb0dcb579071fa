//! A camera that costs nothing: frames that were drawn before, pushed again and again in real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use gst::prelude::*;

use crate::clock;

const SECOND: u64 = 1_000_000_000;
/// As many different frames.
const FRAMES: usize = 30;

/// Moving rings, which cost an encoder about what a street does.
fn draw(width: u32, height: u32) -> Vec<gst::Buffer> {
    let line = format!(
        "videotestsrc num-buffers={FRAMES} pattern=zone-plate kx2=20 ky2=20 kt=9 \
         ! video/x-raw,format=I420,width={width},height={height} ! appsink name=sink sync=false max-buffers=0"
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline.by_name("sink").unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let pull = || sink.emit_by_name::<Option<gst::Sample>>("pull-sample", &[]);
    let drawn = std::iter::from_fn(pull).filter_map(|sample| sample.buffer_owned());
    let drawn = drawn.collect();
    pipeline.set_state(gst::State::Null).unwrap();
    drawn
}

/// The caps that an appsrc needs for it.
pub fn caps(width: u32, height: u32, rate: u32) -> String {
    format!("video/x-raw,format=I420,width={width},height={height},framerate={rate}/1")
}

/// Pushes into some appsrcs until it is dropped.
pub struct Camera {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    pub fn start(sources: Vec<gst::Element>, width: u32, height: u32, rate: u32) -> Self {
        let frames = draw(width, height);
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stopped, counted) = (stop.clone(), sent.clone());
        let thread = std::thread::spawn(move || {
            let start = clock::now();
            for number in 0_u64.. {
                clock::wait_until(start + number * SECOND / u64::from(rate));
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let frame = &frames[number as usize % frames.len()];
                for source in &sources {
                    push(source, frame);
                }
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            stop,
            sent,
            thread: Some(thread),
        }
    }

    /// Frames sent into each source so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// The same memory, with the time of this source's pipeline.
fn push(source: &gst::Element, frame: &gst::Buffer) {
    let Some(now) = source.current_running_time() else {
        return;
    };
    let mut frame = frame.clone();
    frame.make_mut().set_pts(now);
    // One that takes no more is at its end.
    let _ = source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&frame]);
}
