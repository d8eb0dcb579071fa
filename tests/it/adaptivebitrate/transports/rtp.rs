//! RTP with per-packet feedback, with receiver reports, and with nothing.

use gst::prelude::*;

use super::{encoder, feedback, settles, udp_port};
use crate::support::pipeline::Pipeline;
use crate::support::shaper::{Path, UdpShaper};

pub(super) const TWCC: &str =
    "extmap-5=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const RTP: &str = "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96";

struct Session {
    sender: Pipeline,
    receiver: Pipeline,
    path: UdpShaper,
}

fn rtp_session(pipeline: &Pipeline) -> gst::Element {
    let mut elements = pipeline.iterate_recurse();
    let session = elements.find(|e| e.factory().is_some_and(|f| f.name() == "rtpsession"));
    session.unwrap()
}

/// A sender and a receiver with a bottleneck between them; `extension` is in the caps of both.
fn session(start_kbps: u32, extension: &str, path: Path) -> Session {
    let [rtp, rtcp, back] = [(); 3].map(|()| udp_port());
    let path = UdpShaper::to(rtp, path);
    let there = path.port();
    let receiver = Pipeline::parse(&format!(
        "rtpbin name=rtp rtp-profile=avpf udpsrc port={rtp} caps=\"{RTP}{extension}\" ! rtp.recv_rtp_sink_0 \
         rtp. ! application/x-rtp,media=video ! fakesink sync=false async=false \
         udpsrc port={rtcp} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0 \
         rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={back} sync=false async=false"
    ));
    let encoder = encoder(start_kbps);
    let sender = Pipeline::parse(&format!(
        "rtpbin name=rtp rtp-profile=avpf {encoder} ! rtph264pay pt=96 mtu=1200 aggregate-mode=zero-latency ! \
         {RTP}{extension} ! rtp.send_rtp_sink_0 \
         rtp.send_rtp_src_0 ! udpsink host=127.0.0.1 port={there} sync=false async=false \
         rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={rtcp} sync=false async=false \
         udpsrc port={back} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0"
    ));
    for pipeline in [&receiver, &sender] {
        rtp_session(pipeline).set_property("rtcp-min-interval", 200_000_000_u64);
        pipeline.set_state(gst::State::Playing).unwrap();
    }
    Session {
        sender,
        receiver,
        path,
    }
}

#[test]
fn twcc_finds_the_capacity_and_follows_it_up() {
    let session = session(3_000, &format!(",{TWCC}"), Path::of(1_000, 20));
    let abr = session.sender.element("abr");
    settles(&abr, 750..=1_050);
    assert_eq!(feedback(&abr), "twcc");
    session.path.set_kbps(4_000);
    settles(&abr, 2_400..=4_000);
}

/// What the receiver says of each packet is enough: it reports of all together once in twenty seconds only, which is
/// too late for anything.
#[test]
fn feedback_on_packets_alone_finds_the_capacity() {
    let session = session(3_000, &format!(",{TWCC}"), Path::of(1_000, 20));
    let receiver = rtp_session(&session.receiver);
    receiver.set_property("rtcp-min-interval", 20_000_000_000_u64);
    let inside: gst::glib::Object = receiver.property("internal-session");
    // Feedback between reports is in packets of its own.
    inside.set_property("rtcp-reduced-size", true);
    inside.set_property("twcc-feedback-interval", 100_000_000_u64);
    let abr = session.sender.element("abr");
    settles(&abr, 750..=1_050);
    session.path.set_kbps(4_000);
    settles(&abr, 2_400..=4_000);
}

#[test]
fn receiver_reports_find_the_capacity() {
    let session = session(3_000, "", Path::of(1_000, 20));
    let abr = session.sender.element("abr");
    settles(&abr, 600..=1_050);
    assert_eq!(feedback(&abr), "rtcp");
}
