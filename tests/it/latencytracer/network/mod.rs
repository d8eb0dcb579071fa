//! From one pipeline to another: the capture time goes along, over RTP and inside the video.

mod embedded;
mod offset;
mod rtp;

use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::prelude::*;

use super::stat;
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

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

/// Times of the system's clock, of the frames at a pad in their order.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<gst::ClockTime>>>);

#[expect(
    clippy::disallowed_methods,
    reason = "a test may die of a panic elsewhere"
)]
impl Times {
    /// `time` of each frame that comes to `pad`.
    fn at(
        pad: &gst::Pad,
        time: impl Fn(&gst::BufferRef) -> gst::ClockTime + Send + Sync + 'static,
    ) -> Self {
        let times = Self::default();
        let seen = times.0.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let time = time(info.buffer().unwrap());
            seen.lock().unwrap().push(time);
            gst::PadProbeReturn::Ok
        });
        times
    }

    /// How long the frames took on average that came to `later`; none may be lost between.
    fn mean_to(&self, later: &Self) -> u64 {
        let (from, to) = (self.0.lock().unwrap(), later.0.lock().unwrap());
        let sum: gst::ClockTime = from.iter().zip(to.iter()).map(|(a, b)| *b - *a).sum();
        sum.nseconds() / to.len().max(1) as u64
    }
}

/// A camera whose frames lie in a queue for `DELAY`, and never come to an end.
fn delayed_camera(settings: &str) -> String {
    let delay = DELAY.as_nanos();
    format!(
        "{CAMERA} ! latencytracer name=captured {settings} \
         ! queue name=delay min-threshold-time={delay} max-size-buffers=0 max-size-bytes=0 max-size-time=0"
    )
}

/// Runs both lines and compares what the tap `displayed` of the receiver says with the truth.
fn the_latency_is_the_true_one(receiver: &str, sender: &str) -> (Pipeline, Pipeline) {
    the_latency_is_the_true_one_when(receiver, sender, || ())
}

/// As above; `ready` returns when the receiver can be sent to.
fn the_latency_is_the_true_one_when(
    receiver: &str,
    sender: &str,
    ready: impl FnOnce(),
) -> (Pipeline, Pipeline) {
    let receiver = Pipeline::parse(receiver);
    let displayed = receiver.element("displayed");
    let sink = displayed.static_pad("sink").unwrap();
    let clock = gst::SystemClock::obtain();
    let arrived = Times::at(&sink, move |_| clock.time());
    // Its sink gets nothing before the sender starts, so it does not come to play at once.
    receiver.set_state(gst::State::Playing).unwrap();
    ready();
    let sender = Pipeline::parse(sender);
    let captured = capture_times(&sender);
    never_end(&sender.element("delay"));
    sender.set_state(gst::State::Playing).unwrap();
    eventually("frames", LIMIT, || stat(&displayed, "count") >= 40);
    let mut means = (0, 0);
    eventually("the true mean", LIMIT, || {
        means = (captured.mean_to(&arrived), stat(&displayed, "network-mean"));
        means.0.abs_diff(means.1) < 2_000_000
    });
    eprintln!("mean latency {} ns, measured {} ns", means.0, means.1);
    assert_eq!(stat(&displayed, "negative"), 0);
    // The queue counts a frame's own 33 ms.
    let least = DELAY.as_nanos() as u64 - 40_000_000;
    assert!(stat(&displayed, "network-p50") > least);
    assert!(stat(&displayed, "network-max") >= stat(&displayed, "network-p99"));
    eventually("all from the network", LIMIT, || {
        stat(&displayed, "network") == stat(&displayed, "count")
    });
    (receiver, sender)
}

/// When the frames were captured that come to the tap `captured`.
fn capture_times(sender: &Pipeline) -> Times {
    let pipeline = sender.downgrade();
    let pad = sender.element("captured").static_pad("sink").unwrap();
    Times::at(&pad, move |buffer| {
        let base = pipeline.upgrade().unwrap().base_time().unwrap();
        base + buffer.pts().unwrap()
    })
}

/// At the end of the stream a queue would let all its frames go at once.
fn never_end(queue: &gst::Element) {
    let pad = queue.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        let end = info.event().unwrap().type_() == gst::EventType::Eos;
        if end {
            gst::PadProbeReturn::Drop
        } else {
            gst::PadProbeReturn::Ok
        }
    });
}
