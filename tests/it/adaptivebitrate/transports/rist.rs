//! RIST: the receiver's reports of the session inside the sink.

use std::net::UdpSocket;

use gst::prelude::*;

use super::{encoder, feedback, settles};
use crate::support::pipeline::Pipeline;
use crate::support::shaper::{Path, UdpShaper};

/// An even port and the odd one after it, both free a moment ago.
fn pair_of_ports() -> u16 {
    let pairs = (0..).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    let ports = pairs.map(|socket| socket.local_addr().unwrap().port() & !1);
    let free = |port: &u16| {
        let both = [*port, port + 1];
        both.iter()
            .all(|port| UdpSocket::bind(("127.0.0.1", *port)).is_ok())
    };
    ports.take(100).find(free).unwrap()
}

#[test]
fn rist_comes_down_to_what_the_path_carries() {
    let (to, port) = (pair_of_ports(), pair_of_ports());
    let path = Path::of(1_000, 20);
    let _rtp = UdpShaper::between(to, port, path);
    let _rtcp = UdpShaper::between(to + 1, port + 1, Path::of(10_000, 20));
    let receiver = Pipeline::parse(&format!(
        "ristsrc address=127.0.0.1 port={port} ! fakesink sync=false async=false"
    ));
    receiver.set_state(gst::State::Playing).unwrap();
    let encoder = encoder(3_000);
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux alignment=7 ! rtpmp2tpay ! ristsink address=127.0.0.1 port={to}"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let abr = sender.element("abr");
    settles(&abr, 500..=1_050);
    assert_eq!(feedback(&abr), "rist");
}
