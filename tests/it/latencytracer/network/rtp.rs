//! Over RTP: payloaders carry the capture time with nothing set but `network=true`.

use std::path::Path;

use gst::prelude::*;

use super::super::{captures, ntp_stamps, stat};
use super::{CAMERA, ENCODER, delayed_camera, free_port, the_latency_is_the_true_one};
use crate::support::launch::gstreamer;
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

const ENDLESS: &str =
    "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=30/1";

const PACKETS: gst::PadProbeType = gst::PadProbeType::BUFFER.union(gst::PadProbeType::BUFFER_LIST);

const NTP64: &str = "urn:ietf:params:rtp-hdrext:ntp-64";

fn rtp_source(port: u16, id: u32) -> String {
    format!(
        "udpsrc port={port} caps=\"application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96,\
         extmap-{id}=(string){NTP64}\""
    )
}

#[test]
fn a_plain_payloader_carries_the_capture() {
    let port = free_port();
    let source = rtp_source(port, 1);
    let receiver = format!(
        "{source} ! rtph264depay ! avdec_h264 max-threads=1 ! latencytracer name=displayed \
         ! identity sleep-time=5000 ! latencytracer name=later ! fakesink"
    );
    let camera = delayed_camera("network=true");
    let sender = format!(
        "{camera} ! {ENCODER} ! rtph264pay mtu=500 ! udpsink host=127.0.0.1 port={port} async=false"
    );
    let (receiver, sender) = the_latency_is_the_true_one(&receiver, &sender);
    assert_eq!(stat(&sender.element("captured"), "payloaders"), 1);
    let [displayed, later] = ["displayed", "later"].map(|tap| receiver.element(tap));
    assert_eq!(
        stat(&later, "network"),
        0,
        "it goes on from the first tap here"
    );
    assert!(stat(&later, "p50") >= stat(&displayed, "p50") + 4_000_000);
}

#[test]
fn rtp_sessions_leave_the_capture_alone_and_caps_choose_the_number() {
    let port = free_port();
    let source = rtp_source(port, 5);
    let receiver = format!(
        "{source} ! rtpbin add-reference-timestamp-meta=true latency=50 ! rtph264depay \
         ! avdec_h264 max-threads=1 ! latencytracer name=displayed ! fakesink"
    );
    let camera = delayed_camera("network=true");
    let sender = format!(
        "rtpbin name=rtp {camera} ! {ENCODER} ! rtph264pay mtu=500 \
         ! application/x-rtp,extmap-5=(string){NTP64} \
         ! rtp.send_rtp_sink_0 rtp.send_rtp_src_0 ! udpsink host=127.0.0.1 port={port} async=false"
    );
    the_latency_is_the_true_one(&receiver, &sender);
}

#[test]
fn a_tap_behind_the_encoder_will_do() {
    let port = free_port();
    let source = rtp_source(port, 1);
    let receiver = format!("{source} ! rtph264depay ! latencytracer name=displayed ! fakesink");
    let delay = delayed_camera("network=false");
    let sender = format!(
        "rtpbin name=rtp {delay} ! {ENCODER} ! latencytracer network=true ! rtph264pay mtu=500 \
         ! rtp.send_rtp_sink_0 rtp.send_rtp_src_0 ! udpsink host=127.0.0.1 port={port} async=false"
    );
    the_latency_is_the_true_one(&receiver, &sender);
}

/// The numbers of the extension in the caps that came to the `sinks`.
fn numbers(pipeline: &Pipeline, sinks: &[&str]) -> Vec<Vec<u32>> {
    let of = |sink: &&str| {
        let caps = pipeline.element(sink).static_pad("sink").unwrap();
        let caps = caps.current_caps().unwrap();
        let structure = caps.structure(0).unwrap();
        let is_it = |id: &u32| structure.get(format!("extmap-{id}")) == Ok(NTP64);
        (1..15).filter(is_it).collect()
    };
    sinks.iter().map(of).collect()
}

#[test]
fn every_payloader_behind_the_tap_carries_it_and_those_before_do_not() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! tee name=all all. ! queue ! jpegenc ! rtpjpegpay ! fakesink name=other \
         all. ! queue ! latencytracer ! latencytracer name=tap network=true ! latencytracer network=true \
         ! tee name=tee \
         tee. ! queue ! bin.( {ENCODER} ! bin.( rtph264pay ) ) ! fakesink name=one \
         tee. ! queue ! jpegenc ! rtpjpegpay ! fakesink name=two \
         tee. ! queue ! jpegenc ! rtpjpegpay ! rtpjpegdepay ! rtpjpegpay ! fakesink name=three"
    ));
    pipeline.run_to_eos();
    let found = numbers(&pipeline, &["other", "one", "two", "three"]);
    assert_eq!(found, [vec![], vec![1], vec![1], vec![1]]);
    assert_eq!(stat(&pipeline.element("tap"), "payloaders"), 4);
}

#[test]
fn an_extension_of_the_application_keeps_its_number() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap network=true ! jpegenc ! rtpjpegpay name=pay \
         ! rtpjpegdepay name=depay ! latencytracer name=after ! fakesink name=sink"
    ));
    let payloader = pipeline.element("pay");
    let twcc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    let theirs: gst::Element = payloader.emit_by_name("request-extension", &[&1_u32, &twcc]);
    payloader.emit_by_name::<()>("add-extension", &[&theirs]);
    pipeline.run_to_eos();
    let caps = payloader.static_pad("src").unwrap().current_caps().unwrap();
    let structure = caps.structure(0).unwrap();
    assert_eq!(structure.get("extmap-1"), Ok(twcc));
    assert_eq!(structure.get("extmap-2"), Ok(NTP64));
}

#[test]
fn a_payloader_that_comes_later_carries_it_too() {
    let pipeline = Pipeline::parse(&format!(
        "{ENDLESS} ! latencytracer name=tap network=true ! tee name=tee ! queue ! fakesink"
    ));
    pipeline.play();
    let tap = pipeline.element("tap");
    eventually("frames", LIMIT, || stat(&tap, "count") > 2);
    assert_eq!(stat(&tap, "payloaders"), 0);
    let line = "queue ! jpegenc ! rtpjpegpay ! fakesink name=sink async=false";
    let branch = gst::parse::bin_from_description(line, true).unwrap();
    let sink = branch.by_name("sink").unwrap().static_pad("sink").unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    sink.add_probe(PACKETS, move |pad, _| {
        let _ = send.send(pad.current_caps());
        gst::PadProbeReturn::Remove
    });
    pipeline.add(&branch).unwrap();
    branch.sync_state_with_parent().unwrap();
    pipeline.element("tee").link(&branch).unwrap();
    let caps = receive.recv_timeout(LIMIT).unwrap().unwrap();
    let known = caps.structure(0).unwrap().get("extmap-1");
    assert_eq!(known, Ok(NTP64), "before the first packet");
    assert_eq!(stat(&tap, "payloaders"), 1);
}

#[test]
fn a_tap_that_is_told_while_it_plays_takes_over_what_the_payloader_does_itself() {
    let pipeline = Pipeline::parse(&format!(
        "{ENDLESS} ! latencytracer name=tap ! jpegenc ! rtpjpegpay name=pay mtu=400 \
         ! application/x-rtp,extmap-3=(string){NTP64} ! fakesink"
    ));
    let (send, receive) = std::sync::mpsc::channel();
    let pad = pipeline.element("pay").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER_LIST, move |_, info| {
        let list = info.buffer_list().unwrap();
        let extended = list.iter().filter(|packet| {
            let first = packet.map_readable().unwrap()[0];
            // RFC 3550 5.1: the bit X.
            first & 0x10 != 0
        });
        let _ = send.send((extended.count(), list.len()));
        gst::PadProbeReturn::Ok
    });
    pipeline.play();
    let (extended, packets) = receive.recv_timeout(LIMIT).unwrap();
    assert!(extended == 1 && packets > 2, "{extended} of {packets}");
    let tap = pipeline.element("tap");
    tap.set_property("network", true);
    eventually("times in every packet", LIMIT, || {
        let frames = receive.try_iter();
        frames.filter(|(with, all)| with == all).count() > 0
    });
    assert_eq!(stat(&tap, "payloaders"), 1);
}

#[test]
fn without_the_extension_a_warning_says_what_to_install_and_frames_go_on() {
    let tools = ["coreelements", "videotestsrc", "jpeg", "rtp"];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-rtpmanager");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    crate::support::init();
    for tool in tools {
        let plugin = gst::Registry::get().find_plugin(tool).unwrap();
        let file = plugin.filename().unwrap();
        let link = folder.join(file.file_name().unwrap());
        std::os::unix::fs::symlink(file, link).unwrap();
    }
    let line = format!("{CAMERA} ! latencytracer network=true ! jpegenc ! rtpjpegpay ! fakesink");
    let output = gstreamer("gst-launch-1.0")
        .env("GST_PLUGIN_SYSTEM_PATH_1_0", &folder)
        .env("GST_REGISTRY", folder.join("registry.bin"))
        .args(line.split_whitespace())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let warnings = said.matches("gstreamer1.0-plugins-good").count();
    assert_eq!(warnings, 1, "{said}");
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
