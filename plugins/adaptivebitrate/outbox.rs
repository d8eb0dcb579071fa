//! What the element says: the change of the rate, its figures, its troubles.

use std::time::Duration;

use livetune_core::bitrate::{Config, Reason};
use livetune_core::units::{Bitrate, Ratio};

use super::encoder::{Hint, NotApplied, Refusal};
use crate::runtime::figures::{Figure, Value};
use crate::runtime::wire::TargetBitrate;

/// The name of the message on the bus.
pub(super) const MESSAGE: &str = "livetune-bitrate";

/// The rate changed, and what was known of the network then.
#[derive(Clone, Debug)]
pub(super) struct Announcement {
    pub(super) bitrate: Bitrate,
    pub(super) previous: Bitrate,
    pub(super) reason: Reason,
    pub(super) loss: Ratio,
    pub(super) rtt: Option<Duration>,
    pub(super) queue_delay: Option<Duration>,
}

impl Announcement {
    pub(super) fn figures(&self) -> Vec<Figure> {
        let known = |time: Option<Duration>| Value::Duration(time.unwrap_or_default());
        let reason = self.reason.as_str().to_owned();
        vec![
            Figure::new(
                "bitrate",
                Value::Bitrate(self.bitrate),
                "Rate that the encoder is to send",
            ),
            Figure::new(
                "previous",
                Value::Bitrate(self.previous),
                "Rate before the last change",
            ),
            Figure::new("reason", Value::Text(reason), "Why the rate last changed"),
            Figure::new(
                "loss",
                Value::Ratio(self.loss),
                "Part of the packets that get lost",
            ),
            Figure::new("rtt", known(self.rtt), "Last round trip, 0 while unknown"),
            Figure::new(
                "queue-delay",
                known(self.queue_delay),
                "Last round trip above the shortest of the last 30 s",
            ),
        ]
    }

    pub(super) fn event(&self, limits: Config) -> gst::Event {
        let target = TargetBitrate {
            bitrate: self.bitrate,
            min: limits.min,
            max: limits.max,
            congested: self.reason.is_congestion(),
        };
        target.to_event()
    }
}

/// What keeps the element from its work; said once each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    NoEncoder,
    NoEncoderCalled(String),
    Refused(String, Refusal),
    NoTransport,
    NoTransportCalled(String),
    TransportGone(String),
    Deaf(String),
    /// The encoder is set so that it cannot follow its rate.
    Misset(String, Hint),
    NotSetUp(String, NotApplied),
    NoReports,
}

impl Trouble {
    /// One trouble of its kind is enough, whatever the name.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Refused(_, a), Self::Refused(_, b)) => a == b,
            (Self::Misset(_, a), Self::Misset(_, b)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// What is wrong, and what to do.
    pub(super) fn text(&self) -> String {
        match self {
            Self::NoEncoder => "No encoder found upstream, so no bit rate is set: place adaptivebitrate behind an \
                encoder (x264enc ! adaptivebitrate ! rtph264pay), or name it with the property encoder"
                .to_owned(),
            Self::NoEncoderCalled(name) => format!(
                "No element called {name} in this pipeline, so no bit rate is set: set the property encoder to the \
                 name of the encoder, or leave it out to search upstream"
            ),
            Self::Refused(name, Refusal::Taken) => format!(
                "Another adaptivebitrate sets the bit rate of {name} already, so this one does nothing: remove one \
                 of them"
            ),
            Self::Refused(name, Refusal::NoProperty) => format!(
                "{name} has no property bitrate or target-bitrate, so it stays as it is: use an encoder that has \
                 one, for example x264enc"
            ),
            Self::Refused(name, Refusal::Fixed) => format!(
                "{name} cannot change its bit rate while it runs, so it stays as it is: use an encoder that can, \
                 for example x264enc"
            ),
            Self::Refused(name, Refusal::Ignores) => format!(
                "{name} does not follow the bit rate that it is told, so it is left alone and the target does not \
                 rise: look whether its rate control is on, or give it a smaller picture if it cannot send less"
            ),
            Self::Misset(name, hint) => hint.text(name),
            Self::NotSetUp(name, NotApplied::Unknown) => format!(
                "No profile is known for {name}, so it stays as it is: set its properties, or profile=none"
            ),
            Self::NotSetUp(name, NotApplied::Late) => format!(
                "{name} was linked when data flowed already, so the profile is not set on it: set its properties \
                 before it is linked"
            ),
            Self::NoTransport => "Nothing found downstream that carries the stream away, so nothing is known of the \
                network and the bit rate stays as it is: link a transport (rtpbin, webrtcbin, srtsink, ristsink, \
                rtmp2sink, tcpclientsink), or name it with the property transport"
                .to_owned(),
            Self::NoTransportCalled(name) => format!(
                "No transport called {name} in this pipeline, so nothing is known of the network and the bit rate \
                 stays as it is: set the property transport to the name of an rtpbin, webrtcbin or sink, or leave \
                 it out to search downstream"
            ),
            Self::TransportGone(name) => format!(
                "{name} no longer carries the stream, so nothing is known of the network and the bit rate stays as \
                 it is: link another transport, it is found within a second"
            ),
            Self::Deaf(name) => format!(
                "{name} says nothing of the network, so the bit rate stays as it is: send RTP through rtpbin or \
                 rtpsession with RTCP coming back (rtph264pay ! rtpbin.send_rtp_sink_0), or use srtsink or ristsink"
            ),
            Self::NoReports => "No RTCP receiver report has arrived for 15 s, so the bit rate stays as it is: let \
                the receiver send RTCP back (its rtpbin.send_rtcp_src_0 ! udpsink) and feed it into this session \
                (udpsrc caps=application/x-rtcp ! rtpbin.recv_rtcp_sink_0)"
                .to_owned(),
        }
    }
}
