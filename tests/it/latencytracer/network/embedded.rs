//! Inside the video: transports that have no place for a time carry it nevertheless.

use gst::prelude::*;

use super::super::stat;
use super::{
    CAMERA, ENCODER, delayed_camera, free_port, the_latency_is_the_true_one,
    the_latency_is_the_true_one_when,
};
use crate::support::nginx::Rtmp;
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

/// A receiver behind `source` and `demuxer`, and a sender that ends with `muxer` and `sink`.
fn carried(source: &str, demuxer: &str, encoder: &str, muxer_and_sink: &str) {
    let receiver = format!(
        "{source} ! {demuxer} ! latencytracer name=displayed ! decodebin ! latencytracer name=decoded ! fakesink"
    );
    let camera = delayed_camera("");
    let sender = format!("{camera} ! {encoder} ! latencytracer sei=true ! {muxer_and_sink}");
    let (receiver, _sender) = the_latency_is_the_true_one(&receiver, &sender);
    let decoded = receiver.element("decoded");
    eventually("decoded frames", LIMIT, || stat(&decoded, "count") > 20);
    assert_eq!(
        stat(&decoded, "network"),
        0,
        "it goes on from the first tap here"
    );
    let [first, second] = [&receiver.element("displayed"), &decoded].map(|tap| stat(tap, "min"));
    assert!(second >= first, "{second} ns after {first}");
}

fn carried_over_tcp(demuxer: &str, encoder: &str, muxer: &str) {
    let port = free_port();
    carried(
        &format!("tcpserversrc host=127.0.0.1 port={port}"),
        demuxer,
        encoder,
        &format!("{muxer} ! tcpclientsink host=127.0.0.1 port={port} sync=false async=false"),
    );
}

#[test]
fn srt_carries_it_in_a_transport_stream() {
    let port = free_port();
    carried(
        &format!("srtsrc uri=srt://127.0.0.1:{port}?mode=listener latency=20"),
        "tsdemux",
        ENCODER,
        &format!(
            "mpegtsmux ! srtsink uri=srt://127.0.0.1:{port}?mode=caller latency=20 sync=false async=false"
        ),
    );
}

#[test]
fn a_transport_stream_carries_it_in_h265() {
    let encoder = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=30";
    carried_over_tcp("tsdemux ! h265parse", encoder, "mpegtsmux");
}

#[test]
fn flv_carries_it() {
    let encoder = format!("{ENCODER} ! h264parse ! video/x-h264,stream-format=avc");
    carried_over_tcp("flvdemux", &encoder, "flvmux streamable=true");
}

#[test]
fn rtmp_carries_it() {
    let Some(server) = Rtmp::start(free_port()) else {
        return;
    };
    let url = server.url();
    server.wait_for("getrlimit");
    let receiver =
        format!("rtmp2src location={url} ! flvdemux ! latencytracer name=displayed ! fakesink");
    let camera = delayed_camera("");
    let sender = format!(
        "{camera} ! {ENCODER} ! latencytracer sei=true ! h264parse ! flvmux streamable=true \
         ! rtmp2sink location={url} sync=false async=false"
    );
    the_latency_is_the_true_one_when(&receiver, &sender, || server.wait_for("play: "));
}

#[test]
fn matroska_carries_it_in_either_codec() {
    let muxer = "matroskamux streamable=true";
    carried_over_tcp("matroskademux ! h264parse", ENCODER, muxer);
    let encoder = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=30 \
                   ! h265parse ! video/x-h265,stream-format=hvc1";
    carried_over_tcp("matroskademux", encoder, muxer);
}

#[test]
fn a_frame_gets_one_time_and_keeps_all_else() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! {ENCODER} ! tee name=tee tee. ! queue ! fakesink name=plain \
         tee. ! queue ! latencytracer sei=true ! latencytracer sei=true ! fakesink name=timed"
    ));
    let [plain, timed] = ["plain", "timed"].map(|sink| {
        let (send, receive) = std::sync::mpsc::channel();
        let pad = pipeline.element(sink).static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let buffer = info.buffer().unwrap();
            let bytes = buffer.map_readable().unwrap().to_vec();
            // Tells pools that the memories are others.
            let flags = buffer.flags() - gst::BufferFlags::TAG_MEMORY;
            let _ = send.send((buffer.pts(), buffer.dts(), flags, bytes));
            gst::PadProbeReturn::Ok
        });
        receive
    });
    pipeline.run_to_eos();
    let both = plain.try_iter().zip(timed.try_iter());
    let mut frames = 0;
    for (plain, timed) in both {
        assert_eq!((plain.0, plain.1, plain.2), (timed.0, timed.1, timed.2));
        let added = timed.3.len() - plain.3.len();
        assert!((30..40).contains(&added), "{added} bytes");
        let same = plain.3.iter().zip(&timed.3);
        let front = same.take_while(|(a, b)| a == b).count();
        assert_eq!(plain.3[front..], timed.3[front + added..]);
        frames += 1;
    }
    assert_eq!(frames, 60);
}

#[test]
fn video_that_cannot_hold_it_passes_with_one_warning() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap sei=true ! fakesink"
    ));
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let kinds = [gst::MessageType::Warning, gst::MessageType::Eos];
    let limit = gst::ClockTime::try_from(LIMIT).unwrap();
    let warning = bus.timed_pop_filtered(limit, &kinds).unwrap();
    let gst::MessageView::Warning(warning) = warning.view() else {
        panic!("no warning");
    };
    assert!(warning.error().to_string().contains("behind the encoder"));
    let end = bus.timed_pop_filtered(limit, &kinds).unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos);
    assert_eq!(stat(&pipeline.element("tap"), "count"), 60);
}
