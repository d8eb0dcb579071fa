//! Sinks that let their input wait, and one that does not.

use gst::prelude::*;

use super::super::warnings;
use super::{carried_in, encoder, feedback, settles, target_kbps, tcp_port, udp_port};
use crate::support::nginx::Rtmp;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::shaper::{Path, TcpShaper};
use crate::support::wait::eventually;

const PATH: Path = Path::of(1_000, 20);

/// A receiver, and a sender of MPEG-TS over one connection with a bottleneck, `before` the sink.
fn over_tcp(before: &str) -> (Pipeline, Pipeline, TcpShaper) {
    let port = tcp_port();
    let path = TcpShaper::to(port, PATH);
    let receiver = Pipeline::parse(&format!(
        "tcpserversrc host=127.0.0.1 port={port} ! fakesink sync=false async=false"
    ));
    receiver.set_state(gst::State::Playing).unwrap();
    let (encoder, to) = (encoder(3_000), path.port());
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! {before} ! tcpclientsink name=sink host=127.0.0.1 port={to}"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    (receiver, sender, path)
}

#[test]
fn tcp_behind_a_queue_comes_down_and_up_again() {
    let (_receiver, sender, path) = over_tcp("mpegtsmux ! queue");
    let abr = sender.element("abr");
    settles(&abr, 700..=1_100);
    assert_eq!(feedback(&abr), "backpressure");
    assert_eq!(stats(&abr).get::<&str>("transport"), Ok("sink"));
    let carried = carried_in(4, || path.carried());
    assert!(carried.bytes * 8 / 4_000 >= 800, "{carried:?}");
    path.set_kbps(6_000);
    settles(&abr, 2_000..=4_000);
    assert_eq!(warnings(&sender), [""; 0]);
}

#[test]
fn tcp_without_a_queue_comes_down_while_no_buffer_passes() {
    let (_receiver, sender, _path) = over_tcp("mpegtsmux");
    settles(&sender.element("abr"), 700..=1_100);
}

#[test]
fn a_tcp_server_comes_down_to_what_its_client_gets() {
    let port = tcp_port();
    let encoder = encoder(3_000);
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux ! tcpserversink name=sink host=127.0.0.1 port={port}"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let abr = sender.element("abr");
    eventually("the start", LIMIT, || target_kbps(&abr) > 0);
    let path = TcpShaper::from(port, PATH);
    let from = path.port();
    let receiver = Pipeline::parse(&format!(
        "tcpclientsrc host=127.0.0.1 port={from} ! fakesink sync=false async=false"
    ));
    receiver.set_state(gst::State::Playing).unwrap();
    settles(&abr, 600..=1_150);
    assert_eq!(feedback(&abr), "backpressure");
}

#[test]
fn rtmp_comes_down_to_what_the_server_gets() {
    let port = tcp_port();
    let Some(server) = Rtmp::start(port) else {
        return;
    };
    server.wait_for("getrlimit");
    let path = TcpShaper::to(port, PATH);
    let (encoder, to) = (encoder(3_000), path.port());
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! flvmux streamable=true ! queue ! \
         rtmp2sink location=rtmp://127.0.0.1:{to}/live/stream"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let abr = sender.element("abr");
    settles(&abr, 700..=1_100);
    assert_eq!(feedback(&abr), "backpressure");
}

#[test]
fn datagrams_alone_say_nothing_and_the_rate_stays() {
    let port = udp_port();
    let encoder = encoder(1_000);
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux alignment=7 ! udpsink host=127.0.0.1 port={port}"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let mut texts = Vec::new();
    eventually("the warning", LIMIT, || {
        texts.extend(warnings(&sender));
        !texts.is_empty()
    });
    assert!(
        texts[0].contains("udpsink") && texts[0].contains("rtpbin"),
        "{texts:?}"
    );
    let abr = sender.element("abr");
    assert_eq!(feedback(&abr), "none");
    assert_eq!(target_kbps(&abr), 1_000);
}
