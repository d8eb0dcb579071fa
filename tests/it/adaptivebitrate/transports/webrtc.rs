//! webrtcbin to webrtcbin, with a bottleneck in front of the receiver's only candidate.

use std::sync::mpsc::{Receiver, channel};

use gst::glib;
use gst::prelude::*;

use super::rtp::TWCC;
use super::{encoder, feedback, settles};
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::shaper::{Path, UdpShaper};

/// Asks `peer` for an `offer` or `answer`, and makes it its own.
fn describe(peer: &gst::Element, what: &str) -> glib::Value {
    let promise = gst::Promise::new();
    let options = None::<gst::Structure>;
    peer.emit_by_name::<()>(&format!("create-{what}"), &[&options, &promise]);
    assert_eq!(promise.wait(), gst::PromiseResult::Replied);
    let reply = promise.get_reply().unwrap();
    let description = reply.value(what).unwrap().clone().into();
    set(peer, "set-local-description", &description);
    description
}

fn set(peer: &gst::Element, side: &str, description: &glib::Value) {
    let promise = gst::Promise::new();
    let values = [description.clone(), promise.to_value()];
    peer.emit_by_name_with_values(side, &values);
    assert_eq!(promise.wait(), gst::PromiseResult::Replied);
}

/// Both on the loopback alone.
fn keep_local(peer: &gst::Element) {
    let agent = peer.property::<gst::Object>("ice-agent");
    assert!(agent.emit_by_name::<bool>("add-local-ip-address", &[&"127.0.0.1"]));
}

/// The candidates of `peer` as they are found.
fn candidates(peer: &gst::Element) -> Receiver<(u32, String)> {
    let (found, candidates) = channel();
    peer.connect("on-ice-candidate", false, move |values| {
        let candidate = (values[1].get().unwrap(), values[2].get().unwrap());
        let _ = found.send(candidate);
        None
    });
    candidates
}

/// Lets the sender reach the receiver through a bottleneck, and no other way.
fn connect(sender: &gst::Element, candidates: &Receiver<(u32, String)>, path: Path) -> UdpShaper {
    loop {
        let (line, candidate) = candidates.recv_timeout(LIMIT).unwrap();
        let mut words: Vec<_> = candidate.split(' ').map(str::to_owned).collect();
        if !words[2].eq_ignore_ascii_case("udp") {
            continue;
        }
        let path = UdpShaper::to(words[5].parse().unwrap(), path);
        words[5] = path.port().to_string();
        sender.emit_by_name::<()>("add-ice-candidate", &[&line, &words.join(" ")]);
        return path;
    }
}

#[test]
fn webrtcbin_to_webrtcbin_finds_the_capacity_and_follows_it_up() {
    let encoder = encoder(3_000);
    let rtp = format!(
        "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96,rtcp-fb-transport-cc=true,{TWCC}"
    );
    let receiver = Pipeline::parse(
        "webrtcbin name=peer bundle-policy=max-bundle fakesrc num-buffers=1 ! fakesink async=false",
    );
    let sender = Pipeline::parse(&format!(
        "{encoder} ! rtph264pay pt=96 mtu=1200 aggregate-mode=zero-latency config-interval=-1 ! {rtp} ! \
         webrtcbin name=peer bundle-policy=max-bundle"
    ));
    let (there, here) = (receiver.element("peer"), sender.element("peer"));
    keep_local(&there);
    keep_local(&here);
    let into = receiver.downgrade();
    there.connect_pad_added(move |_, pad| {
        let sink = gst::ElementFactory::make("fakesink").property("async", false);
        let sink = sink.property("sync", false).build().unwrap();
        into.upgrade().unwrap().add(&sink).unwrap();
        sink.sync_state_with_parent().unwrap();
        pad.link(&sink.static_pad("sink").unwrap()).unwrap();
    });
    let preferred: gst::Caps = rtp.parse().unwrap();
    there.connect("on-new-transceiver", false, move |values| {
        let transceiver = values[1].get::<glib::Object>().unwrap();
        transceiver.set_property("codec-preferences", &preferred);
        None
    });
    let (needed, negotiate) = channel();
    here.connect("on-negotiation-needed", false, move |_| {
        let _ = needed.send(());
        None
    });
    let candidates = candidates(&there);
    receiver.set_state(gst::State::Playing).unwrap();
    sender.set_state(gst::State::Playing).unwrap();
    negotiate.recv_timeout(LIMIT).unwrap();
    set(&there, "set-remote-description", &describe(&here, "offer"));
    set(&here, "set-remote-description", &describe(&there, "answer"));
    let path = connect(&here, &candidates, Path::of(1_000, 20));
    let abr = sender.element("abr");
    settles(&abr, 700..=1_050);
    assert_eq!(feedback(&abr), "twcc");
    path.set_kbps(4_000);
    settles(&abr, 2_000..=4_000);
}
