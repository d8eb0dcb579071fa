//! `adaptivebitrate`: moves the encoder's bit rate with what the network carries.
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
//! gst-launch-1.0 rtpbin name=rtp rtpsession0::rtcp-min-interval=200000000 \
//!   videotestsrc is-live=true ! x264enc tune=zerolatency ! adaptivebitrate ! rtph264pay ! rtp.send_rtp_sink_0 \
//!   rtp.send_rtp_src_0 ! udpsink port=5004 \
//!   rtp.send_rtcp_src_0 ! udpsink port=5005 sync=false async=false \
//!   udpsrc port=5007 caps=application/x-rtcp ! rtp.recv_rtcp_sink_0
//! ```
//!
//! Per-packet feedback takes one more line, a capsfilter behind the payloader (and the same field in the receiver's
//! caps): `application/x-rtp,extmap-5=http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`.
//! Without it, the receiver must send RTCP back, and often: both ends need a short `rtcp-min-interval`, for the round trip is
//! measured from the sender's reports. With RTCP's regular 5 s it works too, twenty times slower.
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
//! The algorithm is `livetune_core::bitrate`: GCC (draft-ietf-rmcat-gcc-02) for receiver reports, with the drained
//! queue and snap-back of SCReAM (RFC 8298).

use gst::glib;
use gst::prelude::*;

mod acts;
mod encoder;
mod feedback;
mod imp;
mod outbox;
mod search;
mod settings;
mod state;
mod transport;
mod walk;

pub use encoder::Profile;

glib::wrapper! {
    /// The element's public Rust type.
    pub struct AdaptiveBitrate(ObjectSubclass<imp::AdaptiveBitrate>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object,
        @implements gst::Preset;
}

/// The factory's name.
pub(crate) const FACTORY: &str = "adaptivebitrate";

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let kind = AdaptiveBitrate::static_type();
    gst::Element::register(Some(plugin), FACTORY, gst::Rank::NONE, kind)
}
