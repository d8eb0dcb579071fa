//! From one pipeline to another: the capture time goes along, over RTP and inside the video.

mod embedded;
mod rtp;

use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::stat;
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

const FRAMES: u64 = 60;

/// What is done to every frame between its capture and its encoder.
const DELAY: Duration = Duration::from_millis(500);

const CAMERA: &str = "videotestsrc is-live=true num-buffers=60 \
                      ! video/x-raw,format=I420,width=320,height=240,framerate=30/1";

const ENCODER: &str = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30";

/// A port of this machine that nobody uses.
fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// When each frame left a pad, in their order, by the test's own clock.
#[derive(Clone, Default)]
struct Arrivals(Arc<Mutex<Vec<Instant>>>);

#[expect(
    clippy::disallowed_methods,
    reason = "the truth to compare with; a test may die of a panic elsewhere"
)]
impl Arrivals {
    fn at(pad: &gst::Pad) -> Self {
        let arrivals = Self::default();
        let seen = arrivals.0.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            seen.lock().unwrap().push(Instant::now());
            gst::PadProbeReturn::Ok
        });
        arrivals
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The mean way of the frames from here to `later`; none may be lost between.
    fn mean_to(&self, later: &Self) -> Duration {
        let (from, to) = (self.0.lock().unwrap(), later.0.lock().unwrap());
        let sum: Duration = from.iter().zip(to.iter()).map(|(a, b)| *b - *a).sum();
        sum / u32::try_from(to.len()).unwrap()
    }
}

/// Holds back each frame that leaves `pad` by `DELAY`, in a thread of its own (a queue is behind it).
fn delayed_camera(settings: &str) -> String {
    // The queue lets a frame go when so much lies in it.
    let delay = DELAY.as_nanos();
    format!(
        "{CAMERA} ! latencytracer name=captured {settings} \
         ! queue min-threshold-time={delay} max-size-buffers=0 max-size-bytes=0 max-size-time=0"
    )
}

/// Runs both lines and compares what the tap `displayed` of the receiver says with the truth.
fn the_latency_is_the_true_one(receiver: &str, sender: &str) -> (Pipeline, Pipeline) {
    let receiver = Pipeline::parse(receiver);
    let displayed = receiver.element("displayed");
    let arrived = Arrivals::at(&displayed.static_pad("sink").unwrap());
    // Its sink gets nothing before the sender starts, so it does not come to play at once.
    receiver.set_state(gst::State::Playing).unwrap();
    let sender = Pipeline::parse(sender);
    let captured = sender.element("captured");
    let left = Arrivals::at(&captured.static_pad("src").unwrap());
    sender.run_to_eos();
    // The last ones may stay in a parser that waits for the next.
    eventually("nearly every frame", LIMIT, || {
        stat(&displayed, "count") >= FRAMES - 3
    });
    assert_eq!(left.count() as u64, FRAMES);
    let count = stat(&displayed, "count");
    assert_eq!(stat(&displayed, "network"), count, "all of {count} frames");
    assert_eq!(stat(&displayed, "negative"), 0);
    let mean = stat(&displayed, "network-mean");
    assert_eq!(stat(&displayed, "mean"), mean);
    // The tap counts from the capture, the test from where the frame left the first tap.
    let truth = left.mean_to(&arrived).as_nanos() as u64 + stat(&captured, "mean");
    let off = truth.abs_diff(mean);
    assert!(off < 5_000_000, "{mean} ns for {truth}");
    let least = DELAY.as_nanos() as u64 * 9 / 10;
    assert!(stat(&displayed, "network-p50") > least, "{truth} ns");
    assert!(stat(&displayed, "network-max") >= stat(&displayed, "network-p99"));
    (receiver, sender)
}
