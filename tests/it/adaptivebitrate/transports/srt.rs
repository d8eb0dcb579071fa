//! SRT: the sink calls, or is called.

use gst::prelude::*;

use super::{carried_in, encoder, feedback, settles, udp_port};
use crate::support::pipeline::Pipeline;
use crate::support::shaper::{Path, UdpShaper};

const PATH: Path = Path::of(2_000, 25);

#[test]
fn a_caller_comes_down_to_what_the_path_carries() {
    let port = udp_port();
    let path = UdpShaper::to(port, PATH);
    let receiver = Pipeline::parse(&format!(
        "srtsrc uri=srt://127.0.0.1:{port}?mode=listener latency=500 ! fakesink sync=false async=false"
    ));
    receiver.set_state(gst::State::Playing).unwrap();
    let (encoder, to) = (encoder(3_000), path.port());
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux alignment=7 ! srtsink uri=srt://127.0.0.1:{to} latency=500"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let abr = sender.element("abr");
    settles(&abr, 1_400..=1_950);
    assert_eq!(feedback(&abr), "srt");
    let carried = carried_in(8, || path.carried());
    assert!(carried.bytes * 8 / 8_000 >= 1_600, "{carried:?}");
    assert!(carried.dropped * 50 <= carried.packets, "{carried:?}");
}

#[test]
fn a_listener_comes_down_to_what_its_slowest_caller_gets() {
    let port = udp_port();
    let encoder = encoder(3_000);
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux alignment=7 ! \
         srtsink uri=srt://127.0.0.1:{port}?mode=listener latency=500 wait-for-connection=false"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let path = UdpShaper::from(port, PATH);
    let callers = [path.port(), port].map(|port| {
        let caller = Pipeline::parse(&format!(
            "srtsrc uri=srt://127.0.0.1:{port}?mode=caller latency=500 ! fakesink sync=false async=false"
        ));
        caller.set_state(gst::State::Playing).unwrap();
        caller
    });
    let abr = sender.element("abr");
    settles(&abr, 1_200..=1_950);
    assert_eq!(feedback(&abr), "srt");
    drop(callers);
}
