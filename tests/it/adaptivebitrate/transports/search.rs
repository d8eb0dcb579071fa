//! Which transport is found, which is named, and what happens when it goes.

use gst::prelude::*;

use super::super::warnings;
use super::{encoder, feedback, settles, target_kbps, tcp_port, udp_port};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::shaper::{Path, TcpShaper};
use crate::support::wait::eventually;

fn transport(abr: &gst::Element) -> String {
    stats(abr).get("transport").unwrap()
}

/// One stream to a receiver at 1 Mbit/s, and to a file that takes anything.
fn to_two(property: &str) -> (Pipeline, Pipeline, TcpShaper) {
    let port = tcp_port();
    let path = TcpShaper::to(port, Path::of(1_000, 20));
    let receiver = Pipeline::parse(&format!(
        "tcpserversrc host=127.0.0.1 port={port} ! fakesink sync=false async=false"
    ));
    receiver.set_state(gst::State::Playing).unwrap();
    let (encoder, to) = (encoder(2_000), path.port());
    let sender = Pipeline::parse(&format!(
        "{encoder} {property} ! h264parse ! mpegtsmux ! tee name=t \
         t. ! queue leaky=downstream ! tcpclientsink name=slow host=127.0.0.1 port={to} \
         t. ! queue ! bin.( filesink name=fast location=/dev/null async=false )"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    (receiver, sender, path)
}

#[test]
fn of_several_sinks_the_slowest_rules() {
    let (_receiver, sender, _path) = to_two("");
    let abr = sender.element("abr");
    settles(&abr, 600..=1_150);
    let names = transport(&abr);
    assert!(names.contains("slow") && names.contains("fast"), "{names}");
}

#[test]
fn the_named_sink_rules_alone() {
    let (_receiver, sender, _path) = to_two("transport=fast");
    let abr = sender.element("abr");
    settles(&abr, 3_500..=4_000);
    assert_eq!(transport(&abr), "fast");
}

#[test]
fn a_name_that_nobody_has_is_said_once() {
    let encoder = encoder(500);
    let sender = Pipeline::parse(&format!("{encoder} transport=nobody ! fakesink"));
    sender.set_state(gst::State::Playing).unwrap();
    let mut texts = Vec::new();
    eventually("the warning", LIMIT, || {
        texts.extend(warnings(&sender));
        !texts.is_empty()
    });
    assert!(texts[0].contains("nobody"), "{texts:?}");
}

#[test]
fn a_transport_that_goes_is_said_and_the_next_is_found() {
    let port = udp_port();
    let encoder = encoder(500);
    let sender = Pipeline::parse(&format!(
        "{encoder} ! h264parse ! mpegtsmux ! tee name=t allow-not-linked=true \
         t. ! queue name=q ! filesink name=first location=/dev/null async=false"
    ));
    sender.set_state(gst::State::Playing).unwrap();
    let abr = sender.element("abr");
    eventually("the first transport", LIMIT, || transport(&abr) == "first");
    let (tee, queue) = (sender.element("t"), sender.element("q"));
    let first = sender.element("first");
    let branch = queue.static_pad("sink").unwrap().peer().unwrap();
    tee.release_request_pad(&branch);
    sender.remove_many([&queue, &first]).unwrap();
    for element in [&queue, &first] {
        element.set_state(gst::State::Null).unwrap();
    }
    let mut texts = Vec::new();
    eventually("the warning", LIMIT, || {
        texts.extend(warnings(&sender));
        !texts.is_empty()
    });
    assert!(texts[0].contains("first"), "{texts:?}");
    assert_eq!(feedback(&abr), "none");
    let held = target_kbps(&abr);
    let next = gst::ElementFactory::make("udpsink").name("next");
    let next = next
        .property("port", i32::from(port))
        .property("async", false);
    let next = next.property("host", "127.0.0.1").build().unwrap();
    sender.add(&next).unwrap();
    next.sync_state_with_parent().unwrap();
    tee.link(&next).unwrap();
    eventually("the next transport", LIMIT, || transport(&abr) == "next");
    assert_eq!(target_kbps(&abr), held);
    texts.extend(warnings(&sender));
    assert_eq!(texts.len(), 2, "{texts:?}");
}
