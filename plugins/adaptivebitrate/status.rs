//! The state in figures, for `stats` and telemetry.

use livetune_core::time::MediaTime;

use super::encoder::Refusal;
use super::state::State;
use crate::runtime::figures::{Figure, Value};

impl State {
    pub(super) fn figures(&mut self, now: MediaTime) -> Vec<Figure> {
        self.observe_network();
        let limits = self.allotment.limits();
        let mut figures = self.announced.figures();
        figures.extend([
            Figure::new(
                "jitter",
                Value::Duration(self.allotment.controller().jitter().unwrap_or_default()),
                "Interarrival jitter that the receiver reports (RFC 3550)",
            ),
            Figure::new(
                "sent-bitrate",
                Value::Bitrate(self.allotment.sent_rate(now)),
                "Rate of what passed in the last half second",
            ),
            Figure::new(
                "reports",
                Value::Count(self.allotment.controller().reports()),
                "Pieces of feedback judged: reports, and messages on packets; none of a backlog",
            ),
            Figure::new(
                "min-bitrate",
                Value::Bitrate(limits.min),
                "Never below this",
            ),
            Figure::new(
                "max-bitrate",
                Value::Bitrate(limits.max),
                "Never above this",
            ),
            Figure::new(
                "estimated-bitrate",
                Value::Bitrate(self.allotment.estimate()),
                "What the network carries, headers and other streams of the transport included",
            ),
            Figure::new(
                "overhead",
                Value::Number(self.allotment.factor()),
                "Bytes on the wire for each byte of the encoder",
            ),
            Figure::new(
                "other-bitrate",
                Value::Bitrate(self.allotment.others()),
                "What else goes through the transport: audio, repairs",
            ),
            Figure::new(
                "streams",
                Value::Count(self.allotment.streams() as u64),
                "Streams that share the estimate, this one among them",
            ),
        ]);
        figures.extend(self.found(now));
        figures
    }

    /// What was found upstream and downstream.
    fn found(&self, now: MediaTime) -> [Figure; 5] {
        [
            Figure::new(
                "encoder-bitrate",
                Value::Bitrate(self.drive.asked()),
                "What the encoder was last told, for the target to come out",
            ),
            Figure::new(
                "encoder-gain",
                Value::Number(self.drive.gain()),
                "How many times its share the encoder is told, for that much to come out",
            ),
            Figure::new(
                "encoder",
                Value::Text(self.encoder_text()),
                "The encoder that is driven",
            ),
            Figure::new(
                "transport",
                Value::Text(self.network.names()),
                "The elements that carry the stream and were found",
            ),
            Figure::new(
                "feedback",
                Value::Text(self.network.kind(now).as_str().to_owned()),
                "What tells of the network: twcc, rtcp, rist, srt, backpressure or none",
            ),
        ]
    }

    fn encoder_text(&self) -> String {
        let name = self.encoder.name.as_deref().unwrap_or("none");
        match &self.encoder.handle {
            Ok(_) if self.drive.is_ignored() => format!("{name} (ignores its bit rate)"),
            Ok(_) | Err(None) => name.to_owned(),
            Err(Some(Refusal::Taken)) => format!("{name} (driven by another adaptivebitrate)"),
            Err(Some(_)) => format!("{name} (fixed)"),
        }
    }
}
