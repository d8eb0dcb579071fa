//! Settings with which an encoder cannot follow a bit rate, and what to set instead. Plain data.

use gst::prelude::*;

use super::property::text_of;

/// Values of a property with which the rate has no effect, or a bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    property: &'static str,
    bad: Bad,
    /// What comes of it; follows the encoder's name.
    effect: &'static str,
    /// What to set instead, as gst-launch-1.0 takes it.
    instead: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bad {
    Is(&'static [&'static str]),
    IsNot(&'static str),
}

const DEAF: &str = "does not follow its bit rate";

const fn hint(property: &'static str, bad: &'static [&'static str], instead: &'static str) -> Hint {
    Hint {
        property,
        bad: Bad::Is(bad),
        effect: DEAF,
        instead,
    }
}

pub(super) const X264: &[Hint] = &[
    // Measured on 1.22: without a buffer a new rate changes nothing.
    hint("vbv-buf-capacity", &["0"], "vbv-buf-capacity=120"),
    hint("pass", &["quant", "qual"], "pass=cbr"),
];
pub(super) const X265: &[Hint] = &[
    Hint {
        property: "qp",
        bad: Bad::IsNot("-1"),
        effect: DEAF,
        instead: "qp=-1",
    },
    // Measured on 1.22: what it has looked ahead at is gone when it starts over.
    Hint {
        property: "tune",
        bad: Bad::IsNot("zerolatency"),
        effect: "loses frames at every change of its bit rate",
        instead: "tune=zerolatency",
    },
];
pub(super) const OPENH264: &[Hint] = &[Hint {
    effect: "prefers quality to its bit rate",
    ..hint(
        "rate-control",
        &["quality", "buffer", "off"],
        "rate-control=bitrate",
    )
}];
/// Measured on 1.22: told to go from 0.5 to 2 Mbit/s, it sent 57 to 174 kbit/s for 4 s.
pub(super) const VP8: &[Hint] = &[Hint {
    effect: "sends next to nothing for seconds when its bit rate rises",
    ..hint(
        "buffer-size",
        &["6000"],
        "buffer-initial-size=100 buffer-optimal-size=120 buffer-size=150",
    )
}];
pub(super) const AV1: &[Hint] = &[
    // With end-usage=cbr libaom 3.6 even ends the process.
    hint("max-quantizer", &["0"], "max-quantizer=58"),
    hint("end-usage", &["q"], "end-usage=cbr"),
];
pub(super) const NVENC: &[Hint] = &[hint("rc-mode", &["constqp", "cqp"], "rc-mode=cbr")];
pub(super) const VA: &[Hint] = &[hint("rate-control", &["cqp", "icq"], "rate-control=cbr")];
pub(super) const QSV: &[Hint] = &[hint(
    "rate-control",
    &["cqp", "icq", "la_icq"],
    "rate-control=cbr",
)];
pub(super) const MF: &[Hint] = &[hint("rc-mode", &["qvbr"], "rc-mode=cbr")];
pub(super) const OMX: &[Hint] = &[hint("control-rate", &["disable"], "control-rate=constant")];

impl Hint {
    /// `element` is set that way.
    pub(super) fn applies_to(&self, element: &gst::Element) -> bool {
        let Some(spec) = element.find_property(self.property) else {
            return false;
        };
        let Some(value) = text_of(element, &spec) else {
            return false;
        };
        match self.bad {
            Bad::Is(values) => values.contains(&value.as_str()),
            Bad::IsNot(good) => value != good,
        }
    }

    /// What is wrong with the encoder `name`, and what to do.
    pub(crate) fn text(&self, name: &str) -> String {
        format!(
            "{name} {} with this {}: set {} on it (the profiles do, where it is not set)",
            self.effect, self.property, self.instead
        )
    }
}
