//! `adaptivebitrate`: moves the encoder's bit rate with what the network carries, on any transport.
//!
//! Place it behind the encoder (or its parser) and before the payloader, muxer or sink. It finds the encoder upstream
//! and the transport downstream by itself, and sets the encoder's bit rate between `min-bitrate` and `max-bitrate`.
//! Data pass through untouched.
//!
//! What it follows, at any depth of bins and behind any muxer, queue or tee (of several, the slowest rules):
//!
//! | transport | what tells |
//! | --- | --- |
//! | rtpbin, rtpsession, webrtcbin | every packet's arrival (TWCC) where both ends agreed on it, else RTCP receiver reports |
//! | srtsink | the round trip, as caller; of the slowest caller, as listener |
//! | ristsink | receiver reports, or what has to be sent again |
//! | rtmp2sink, rtmpsink, tcpclientsink, tcpserversink, any other sink that waits | how far it is behind |
//! | udpsink alone, souphttpclientsink | nothing: the rate stays, with a warning |
//!
//! ```text
//! gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf \
//!   videotestsrc is-live=true ! x264enc tune=zerolatency ! adaptivebitrate ! rtph264pay \
//!   ! "application/x-rtp,extmap-5=http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01" \
//!   ! rtp.send_rtp_sink_0 rtp.send_rtp_src_0 ! udpsink port=5004 \
//!   rtp.send_rtcp_src_0 ! udpsink port=5005 sync=false async=false \
//!   udpsrc port=5007 caps=application/x-rtcp ! rtp.recv_rtcp_sink_0
//! gst-launch-1.0 ... ! x264enc ! adaptivebitrate ! h264parse ! mpegtsmux ! srtsink uri=srt://example.org:7001
//! gst-launch-1.0 ... ! x264enc ! adaptivebitrate ! h264parse ! flvmux streamable=true ! rtmp2sink location=rtmp://...
//! ```
//!
//! Per-packet feedback takes one more line, the capsfilter behind the payloader above, and the same field in the receiver's
//! caps; webrtcbin negotiates it. `stats` names what tells in `feedback`.
//! Without it, the receiver must send RTCP back, and often: both ends need a short `rtcp-min-interval`, for the round trip is
//! measured from the sender's reports. With RTCP's regular 5 s it works too, twenty times slower.
//!
//! A network carries headers, and what else goes through the same session (audio, repairs): they are measured and
//! subtracted. Several `adaptivebitrate` that go through the same transport, or that are of one `group`, share what it
//! carries by `priority` and `weight` (RFC 8699).
//!
//! `mode=fixed-step` takes a step of `step-size` up or down after each `adjustment-interval` instead, by whether
//! `quality-threshold` of the packets arrived; the preset `fixed-step` has 500 kbit/s, 5 s and 0.95.
//!
//! An encoder that gives every frame the bits of one of the caps' frame rate (x264enc, x265enc) sends less than it is
//! told where frames are left out before it, as qualityswitch does. It is told more then, by the frame rate in the caps
//! over the one that flows, four times the target at most, and sends the target.
//!
//! What an encoder sends is measured, and one that sends other than it is told is told so much more or less (half to
//! double) that the target comes out. jpegenc, which knows no rate, has its quality moved by the sizes of its pictures.
//! An encoder that does not follow at all is left alone, with a warning.
//!
//! `profile` sets the encoder up for a purpose before it starts: only properties that it has, and that nobody set.
//!
//! Each change is told: the signal `bitrate-changed` (bit/s, reason), the message `livetune-bitrate`, notify of
//! `target-bitrate`, and the event `livetune-target-bitrate` upstream, by which a qualityswitch chooses its level. After
//! heavy loss the encoder is asked for a key frame.
//!
//! The algorithm is `livetune_core::bitrate`: for packets the delay-based control of GCC (draft-ietf-rmcat-gcc-02) with the
//! drained queue and snap-back of SCReAM (RFC 8298); for reports the same on round trips; for sinks that block the rule of
//! OBS Studio's dynamic bitrate.

use gst::glib;
use gst::prelude::*;

mod allotment;
mod dataflow;
mod encoder;
mod feedback;
mod imp;
mod outbox;
mod search;
mod settings;
mod sharing;
mod state;
mod status;
mod steering;
mod transport;
mod walk;

pub use encoder::Profile;

glib::wrapper! {
    /// The element's public Rust type.
    pub struct AdaptiveBitrate(ObjectSubclass<imp::AdaptiveBitrate>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object,
        @implements gst::Preset;
}

/// How the rate is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneAdaptiveBitrateMode")]
pub enum Mode {
    /// Congestion control.
    #[default]
    #[enum_value(
        name = "Congestion control: as much as the network carries",
        nick = "auto"
    )]
    Auto,
    /// A step up or down after each interval.
    #[enum_value(
        name = "One step of step-size after each adjustment-interval: up where quality-threshold was kept, else down",
        nick = "fixed-step"
    )]
    FixedStep,
}

/// The factory's name.
pub(crate) const FACTORY: &str = "adaptivebitrate";

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let kind = AdaptiveBitrate::static_type();
    gst::Element::register(Some(plugin), FACTORY, gst::Rank::NONE, kind)
}
