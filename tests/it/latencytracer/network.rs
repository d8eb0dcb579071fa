//! From one pipeline to another over RTP and UDP: the capture time goes along.

use std::net::UdpSocket;

use gst::prelude::*;

use super::{captures, ntp_stamps, stat};
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

const FRAMES: u64 = 90;

/// A port of this machine that nobody uses.
fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

fn receiver(port: u16) -> Pipeline {
    Pipeline::parse(&format!(
        "udpsrc port={port} caps=\"application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96,\
         extmap-1=(string)urn:ietf:params:rtp-hdrext:ntp-64\" \
         ! rtpbin add-reference-timestamp-meta=true latency=100 ! rtph264depay ! avdec_h264 \
         ! latencytracer name=displayed ! identity sleep-time=5000 ! latencytracer name=later ! fakesink"
    ))
}

fn sender(port: u16) -> Pipeline {
    Pipeline::parse(&format!(
        "rtpbin name=rtp update-ntp64-header-ext=false \
         videotestsrc is-live=true num-buffers={FRAMES} ! video/x-raw,width=320,height=240,framerate=30/1 \
         ! latencytracer name=captured network=true ! queue min-threshold-time=200000000 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! rtph264pay mtu=500 \
         ! application/x-rtp,extmap-1=(string)urn:ietf:params:rtp-hdrext:ntp-64 \
         ! rtp.send_rtp_sink_0 rtp.send_rtp_src_0 ! udpsink host=127.0.0.1 port={port} async=false"
    ))
}

#[test]
fn the_receiver_measures_from_the_capture_at_the_sender() {
    let port = free_port();
    let receiver = receiver(port);
    // Its sink gets nothing before the sender starts, so it does not come to play at once.
    receiver.set_state(gst::State::Playing).unwrap();
    let sender = sender(port);
    sender.run_to_eos();
    let [displayed, later] = ["displayed", "later"].map(|tap| receiver.element(tap));
    let enough = FRAMES * 95 / 100;
    eventually("nearly every frame", LIMIT, || {
        stat(&later, "count") >= enough
    });
    let count = stat(&displayed, "count");
    let network = stat(&displayed, "network");
    assert!(network >= count * 95 / 100, "{network} of {count} frames");
    // The sender's queue holds every frame for 200 ms, less the 33 of the frame itself.
    let age = stat(&sender.element("captured"), "p50");
    let p50 = stat(&displayed, "p50") - age;
    assert!((160_000_000..2_000_000_000).contains(&p50), "{p50} ns");
    assert_eq!(stat(&displayed, "negative"), 0);
    assert_eq!(
        stat(&later, "network"),
        0,
        "it goes on from the first tap here"
    );
    assert!(stat(&later, "p50") >= stat(&displayed, "p50") + 4_000_000);
}

#[test]
fn a_later_tap_can_attach_the_time_for_the_network_too() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true num-buffers=10 ! latencytracer ! queue ! latencytracer network=true \
         ! latencytracer network=true ! fakesink name=sink",
    );
    let (send, receive) = std::sync::mpsc::channel();
    let pad = pipeline.element("sink").static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer().unwrap();
        let _ = send.send((captures(buffer), ntp_stamps(buffer).len()));
        gst::PadProbeReturn::Ok
    });
    pipeline.run_to_eos();
    let seen: Vec<_> = receive.try_iter().collect();
    assert_eq!(seen, [(1, 1); 10]);
}
