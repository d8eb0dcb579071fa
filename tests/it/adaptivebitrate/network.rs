//! `adaptivebitrate` between real encoders, a real RTP session and a receiver that reports over UDP.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;

use super::{kbps, warnings};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// A receiver reports that often, a sender says its time that often: quick enough for a test.
const RTCP_INTERVAL_NS: u64 = 200_000_000;

/// Ports that were free a moment ago: RTP, RTCP to the receiver, RTCP back.
fn ports() -> [u16; 3] {
    let sockets = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().port())
}

/// A sender's `line` (it ends before the RTP session) and a receiver that sends reports back. `network` stands
/// between the session and the socket.
pub(super) fn over_udp(line: &str, network: &str) -> (Pipeline, Pipeline) {
    let [rtp, rtcp, back] = ports();
    let receiver = Pipeline::parse(&format!(
        "rtpbin name=rtp udpsrc port={rtp} caps=\"application/x-rtp,media=video,clock-rate=90000,\
         encoding-name=H264,payload=96\" ! rtp.recv_rtp_sink_0 rtp. ! application/x-rtp,media=video ! fakesink sync=false async=false \
         udpsrc port={rtcp} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0 \
         rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={back} sync=false async=false"
    ));
    let sender = Pipeline::parse(&format!(
        "rtpbin name=rtp {line} ! rtp.send_rtp_sink_0 \
         rtp.send_rtp_src_0 ! {network} ! udpsink host=127.0.0.1 port={rtp} sync=false async=false \
         rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={rtcp} sync=false async=false \
         udpsrc port={back} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0"
    ));
    for pipeline in [&receiver, &sender] {
        let session = session(pipeline);
        session.set_property("rtcp-min-interval", RTCP_INTERVAL_NS);
        pipeline.set_state(gst::State::Playing).unwrap();
    }
    (sender, receiver)
}

fn session(pipeline: &Pipeline) -> gst::Element {
    let mut elements = pipeline.iterate_recurse();
    elements
        .find(|element| element.factory().is_some_and(|f| f.name() == "rtpsession"))
        .unwrap()
}

pub(super) const SNOW: &str =
    "videotestsrc is-live=true pattern=snow ! video/x-raw,width=320,height=240,framerate=30/1";

/// The rates in the events that pass `pad` on their way up.
fn targets_at(pad: &gst::Pad) -> Arc<Mutex<Vec<u32>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        let structure = info.event().and_then(|event| event.structure());
        if let Some(target) = structure.filter(|s| s.name() == "livetune-target-bitrate") {
            #[allow(clippy::disallowed_methods, reason = "no lock of ours to poison")]
            into.lock().unwrap().push(target.get("bitrate").unwrap());
        }
        gst::PadProbeReturn::Ok
    });
    seen
}

#[allow(clippy::disallowed_methods, reason = "no lock of ours to poison")]
fn seen(targets: &Mutex<Vec<u32>>) -> Vec<u32> {
    targets.lock().unwrap().clone()
}

#[test]
fn rises_to_the_maximum_where_nothing_is_lost_and_tells_everybody() {
    let line = format!(
        "{SNOW} ! x264enc name=enc tune=zerolatency speed-preset=ultrafast bitrate=300 ! h264parse ! \
         adaptivebitrate name=abr max-bitrate=1500000 ! rtph264pay"
    );
    let (sender, _receiver) = over_udp(&line, "identity");
    let (encoder, abr) = (sender.element("enc"), sender.element("abr"));
    let targets = targets_at(&encoder.static_pad("sink").unwrap());
    let notified = Arc::new(AtomicU32::new(0));
    let count = notified.clone();
    abr.connect_notify(Some("target-bitrate"), move |abr, _| {
        count.store(abr.property("target-bitrate"), Ordering::Relaxed);
    });
    let first = sender.wait_for_element_message("livetune-bitrate");
    assert_eq!(first.get::<&str>("reason"), Ok("start"));
    assert_eq!(first.get::<u32>("bitrate"), Ok(300_000));
    let next = sender.wait_for_element_message("livetune-bitrate");
    assert_eq!(next.get::<&str>("reason"), Ok("increase"));
    assert_eq!(next.get::<u32>("previous"), Ok(300_000));
    assert!(next.get::<u32>("bitrate").unwrap() > 300_000);
    assert!(next.get::<f64>("loss").unwrap() < 0.1);
    assert!(next.has_field_with_type("rtt", u64::static_type()));
    assert!(next.has_field_with_type("queue-delay", u64::static_type()));
    eventually("the encoder at the maximum", LIMIT, || {
        kbps(&encoder) == 1_500
    });
    eventually("the maximum notified", LIMIT, || {
        notified.load(Ordering::Relaxed) == 1_500_000
    });
    let seen = seen(&targets);
    assert!(seen.len() > 2 && seen[0] == 300_000, "{seen:?}");
    assert_eq!(seen.last(), Some(&1_500_000));
    let stats = stats(&abr);
    assert_eq!(stats.get::<&str>("encoder"), Ok("enc"));
    assert!(
        stats
            .get::<&str>("transport")
            .unwrap()
            .starts_with("rtpsession")
    );
    assert!(stats.get::<u64>("reports").unwrap() >= 3);
    assert_eq!(stats.get::<u32>("max-bitrate"), Ok(1_500_000));
    assert_eq!(warnings(&sender), [""; 0]);
}

#[test]
fn falls_to_the_minimum_where_a_third_is_lost() {
    let line = format!(
        "{SNOW} ! x264enc name=enc tune=zerolatency speed-preset=ultrafast ! \
         adaptivebitrate name=abr min-bitrate=200000 start-bitrate=1500000 ! rtph264pay mtu=400"
    );
    let (sender, _receiver) = over_udp(&line, "netsim drop-probability=0.3");
    let encoder = sender.element("enc");
    let message = std::iter::repeat_with(|| sender.wait_for_element_message("livetune-bitrate"))
        .find(|message| message.get::<&str>("reason") == Ok("loss"))
        .unwrap();
    assert!(message.get::<u32>("bitrate").unwrap() < message.get::<u32>("previous").unwrap());
    assert!(message.get::<f64>("loss").unwrap() > 0.1);
    eventually("the encoder at the minimum", LIMIT, || {
        kbps(&encoder) == 200
    });
}

#[test]
fn vp8enc_is_driven_in_bits_and_through_bins() {
    let line = "videotestsrc is-live=true pattern=snow ! video/x-raw,width=160,height=120 ! \
        bin.( vp8enc name=enc deadline=1 target-bitrate=300000 ! queue ) ! bin.( bin.( identity ! \
        adaptivebitrate name=abr max-bitrate=600000 ) ) ! queue ! rtpvp8pay";
    let (sender, _receiver) = over_udp(line, "identity");
    let encoder = sender.element("enc");
    eventually("the encoder at the maximum", LIMIT, || {
        encoder.property::<i32>("target-bitrate") == 600_000
    });
    assert_eq!(
        stats(&sender.element("abr")).get::<&str>("encoder"),
        Ok("enc")
    );
}

#[test]
fn starts_and_stops_a_hundred_times() {
    let line = format!(
        "{SNOW} ! x264enc tune=zerolatency speed-preset=ultrafast ! adaptivebitrate ! rtph264pay"
    );
    let (sender, _receiver) = over_udp(&line, "identity");
    for _ in 0..100 {
        sender.set_state(gst::State::Playing).unwrap();
        let _ = sender.state(gst::ClockTime::from_mseconds(5));
        sender.set_state(gst::State::Null).unwrap();
    }
    assert_eq!(warnings(&sender), [""; 0]);
}

/// Puts a new element, made by `line`, in the place of the element `old` while data flow.
pub(super) fn replace(pipeline: &Pipeline, old: &gst::Element, line: &str) -> gst::Element {
    let new = gst::parse::launch(line).unwrap();
    pipeline.add(&new).unwrap();
    let before = old.static_pad("sink").unwrap().peer().unwrap();
    let after = old.static_pad("src").unwrap().peer().unwrap();
    let (leaving, coming) = (old.clone(), new.clone());
    before
        .clone()
        .add_probe(gst::PadProbeType::IDLE, move |_, _| {
            before.unlink(&leaving.static_pad("sink").unwrap()).unwrap();
            leaving.static_pad("src").unwrap().unlink(&after).unwrap();
            before.link(&coming.static_pad("sink").unwrap()).unwrap();
            coming.static_pad("src").unwrap().link(&after).unwrap();
            coming.sync_state_with_parent().unwrap();
            gst::PadProbeReturn::Remove
        });
    eventually("the relinking", LIMIT, || {
        new.static_pad("src").unwrap().is_linked()
    });
    pipeline.remove(old).unwrap();
    old.set_state(gst::State::Null).unwrap();
    new
}

#[test]
fn an_encoder_that_takes_the_place_of_another_gets_the_target() {
    let line = format!(
        "{SNOW} ! x264enc name=enc tune=zerolatency speed-preset=ultrafast bitrate=300 ! \
         adaptivebitrate name=abr max-bitrate=1000000 ! rtph264pay"
    );
    let (sender, _receiver) = over_udp(&line, "identity");
    let encoder = sender.element("enc");
    eventually("the first at the maximum", LIMIT, || {
        kbps(&encoder) == 1_000
    });
    let next = replace(&sender, &encoder, "x264enc bitrate=400 tune=zerolatency");
    drop(encoder);
    eventually("the second at the maximum", LIMIT, || kbps(&next) == 1_000);
    let name = next.name();
    assert_eq!(
        stats(&sender.element("abr")).get::<&str>("encoder"),
        Ok(name.as_str())
    );
}
