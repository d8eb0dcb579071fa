//! The receiver: as plain as it can be. Delay and random loss of RTP are made here.

use gst::prelude::*;

use crate::cases::{Case, Transport};
use crate::child;
use crate::namespaces::SENDER_ADDRESS;
use crate::packets;
use crate::record::{Log, What};
use crate::relay;
use crate::tcp_flow::Taker;

pub const RTP_PORT: u16 = 5_004;
pub const RTCP_PORT: u16 = 5_005;
pub const RTCP_BACK_PORT: u16 = 5_007;
/// Where SRT comes to, and where it is taken behind the relay.
pub const SRT_PORT: u16 = 7_001;
const SRT_INNER_PORT: u16 = 7_002;
/// Eight round trips of this path: twice what SRT's makers advise at least.
pub const SRT_LATENCY_MS: u32 = 500;
/// The header extension that counts packets for transport-wide congestion control.
pub const TWCC: &str =
    "extmap-5=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

pub fn run(case: &'static Case) {
    child::init();
    let log = Log::default();
    let pipeline = match case.transport {
        Transport::Rtp => rtp(case, &log),
        Transport::Srt => srt(case, &log),
        // The server takes it.
        Transport::Rtmp => gst::Pipeline::new(),
    };
    let flow = case.tcp.map(|_| Taker::new(log.clone()));
    pipeline.set_state(gst::State::Playing).unwrap();
    child::obey(&pipeline, &log, |order| match (order, &flow) {
        (child::STOP_TCP, Some(flow)) => flow.stop(),
        _ => unreachable!("no such order: {order}"),
    });
}

fn rtp(case: &Case, log: &Log) -> gst::Pipeline {
    let delay = format!(
        "netsim min-delay={0} max-delay={0} allow-reordering=false",
        case.delay_ms
    );
    let share = f64::from(case.random_loss_percent) / 100.0;
    let line = format!(
        "rtpbin name=rtp rtp-profile=avpf latency=400 \
         udpsrc name=source port={RTP_PORT} buffer-size=4000000 \
         caps=\"application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96,{TWCC}\" \
         ! netsim drop-probability={share} ! {delay} ! rtp.recv_rtp_sink_0 \
         rtp. ! rtph264depay ! fakesink sync=false async=false \
         udpsrc port={RTCP_PORT} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0 \
         rtp.send_rtcp_src_0 ! {delay} ! \
         udpsink host={SENDER_ADDRESS} port={RTCP_BACK_PORT} sync=false async=false"
    );
    let pipeline = child::pipeline(&line);
    let source = pipeline.by_name("source").unwrap();
    packets::watch(&source.static_pad("src").unwrap(), log);
    pipeline
}

fn srt(case: &Case, log: &Log) -> gst::Pipeline {
    relay::start(SRT_PORT, SRT_INNER_PORT, case.delay_ms);
    let pipeline = child::pipeline(&format!(
        "srtsrc name=source uri=srt://127.0.0.1:{SRT_INNER_PORT}?mode=listener latency={SRT_LATENCY_MS} \
         ! fakesink sync=false async=false"
    ));
    let source = pipeline.by_name("source").unwrap();
    let log = log.clone();
    let probe = move |_: &gst::Pad, info: &mut gst::PadProbeInfo<'_>| {
        if let Some(buffer) = info.buffer() {
            log.note(What::Media(buffer.size() as u32));
        }
        gst::PadProbeReturn::Ok
    };
    let pad = source.static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, probe);
    pipeline
}
