//! The sender: a test picture, x264enc, whoever controls it, and a transport, as a user would write them.

use gst::prelude::*;

use crate::cases::{Case, Transport, Who};
use crate::child;
use crate::namespaces::RECEIVER_ADDRESS;
use crate::packets;
use crate::receiver::{RTCP_BACK_PORT, RTCP_PORT, RTP_PORT, SRT_LATENCY_MS, SRT_PORT, TWCC};
use crate::record::{Log, What};
use crate::rtmp_server;
use crate::tcp_flow;

/// Its noise needs any bit rate that is asked for.
const MOVING: &str = "smpte";
const STILL: &str = "black";

pub fn run(case: &'static Case, who: Who) {
    child::init();
    let pipeline = child::pipeline(&line(case, who));
    let log = Log::default();
    match case.transport {
        Transport::Rtp => packets::watch(&sink_pad(&pipeline), &log),
        Transport::Srt => {}
        Transport::Rtmp => watch_age(&pipeline, &log),
    }
    match who {
        Who::Ours => watch_ours(&pipeline, &log),
        Who::Rtpgccbwe => drive_by_peer(&pipeline, &log),
    }
    child::obey(&pipeline, &log, |order| match order {
        child::PLAY => {
            pipeline.set_state(gst::State::Playing).unwrap();
        }
        child::MOVE_PICTURE => {
            let picture = pipeline.by_name("picture").unwrap();
            picture.set_property_from_str("pattern", MOVING);
        }
        child::START_TCP => tcp_flow::send(),
        _ => unreachable!("no such order: {order}"),
    });
}

fn line(case: &Case, who: Who) -> String {
    let pattern = if case.still_until > 0 { STILL } else { MOVING };
    let start = case.start;
    let bps = |kbit: u32| kbit * 1000;
    let limits = format!(
        "min-bitrate={} max-bitrate={}",
        bps(case.min),
        bps(case.max)
    );
    let start_bps = bps(start);
    let (ours, peer) = match who {
        Who::Ours => (
            format!("! adaptivebitrate name=control {limits} start-bitrate={start_bps}"),
            String::new(),
        ),
        Who::Rtpgccbwe => (
            String::new(),
            format!("! rtpgccbwe name=control {limits} estimated-bitrate={start_bps}"),
        ),
    };
    let encoded = format!(
        "videotestsrc name=picture is-live=true pattern={pattern} \
         ! video/x-raw,width=640,height=360,framerate=30/1 ! queue max-size-buffers=2 \
         ! x264enc name=encoder tune=zerolatency speed-preset=ultrafast bitrate={start} \
         key-int-max=2560 vbv-buf-capacity=120 ! video/x-h264,profile=constrained-baseline {ours}"
    );
    match case.transport {
        Transport::Rtp => rtp(&encoded, &peer),
        Transport::Srt => format!(
            "{encoded} ! h264parse ! mpegtsmux alignment=7 ! srtsink name=sink \
             uri=srt://{RECEIVER_ADDRESS}:{SRT_PORT}?mode=caller latency={SRT_LATENCY_MS}"
        ),
        Transport::Rtmp => format!(
            "{encoded} ! h264parse ! flvmux streamable=true ! rtmp2sink name=sink location={}",
            rtmp_server::url()
        ),
    }
}

fn rtp(encoded: &str, peer: &str) -> String {
    format!(
        "rtpbin name=rtp rtp-profile=avpf \
         {encoded} ! rtph264pay pt=96 mtu=1200 config-interval=-1 aggregate-mode=zero-latency \
         ! application/x-rtp,{TWCC} {peer} ! rtp.send_rtp_sink_0 \
         rtp.send_rtp_src_0 ! udpsink name=sink host={RECEIVER_ADDRESS} port={RTP_PORT} sync=false async=false \
         rtp.send_rtcp_src_0 ! udpsink host={RECEIVER_ADDRESS} port={RTCP_PORT} sync=false async=false \
         udpsrc port={RTCP_BACK_PORT} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0"
    )
}

fn sink_pad(pipeline: &gst::Pipeline) -> gst::Pad {
    let sink = pipeline.by_name("sink").unwrap();
    sink.static_pad("sink").unwrap()
}

fn watch_ours(pipeline: &gst::Pipeline, log: &Log) {
    let log = log.clone();
    let control = pipeline.by_name("control").unwrap();
    control.connect_notify(Some("target-bitrate"), move |control, _| {
        log.note(What::Target(control.property("target-bitrate")));
    });
}

/// What the peer's documentation leaves to the application: to tell the encoder.
fn drive_by_peer(pipeline: &gst::Pipeline, log: &Log) {
    let log = log.clone();
    let encoder = pipeline.by_name("encoder").unwrap();
    let control = pipeline.by_name("control").unwrap();
    control.connect_notify(Some("estimated-bitrate"), move |control, _| {
        let estimate: u32 = control.property("estimated-bitrate");
        log.note(What::Target(estimate));
        encoder.set_property("bitrate", (estimate / 1000).max(1));
    });
}

/// Notes how old media is where it enters the sink: what waits for a sink that blocks grows older.
fn watch_age(pipeline: &gst::Pipeline, log: &Log) {
    let log = log.clone();
    let running = pipeline.downgrade();
    let probe = move |_: &gst::Pad, info: &mut gst::PadProbeInfo<'_>| {
        let now = running.upgrade().and_then(|it| it.current_running_time());
        let captured = info.buffer().and_then(|buffer| buffer.pts());
        if let (Some(now), Some(captured)) = (now, captured) {
            let age = now.saturating_sub(captured);
            log.note(What::Age(age.nseconds() as f64 / 1e6));
        }
        gst::PadProbeReturn::Ok
    };
    sink_pad(pipeline).add_probe(gst::PadProbeType::BUFFER, probe);
}
