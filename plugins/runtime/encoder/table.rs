//! Which property of which encoder is its bit rate, in which unit, and what a change costs. Plain data.

use std::time::Duration;

use super::hints::{self, Hint};

/// What happens when the bit rate is set while the encoder runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// It follows, without a key frame.
    Live,
    /// It follows, but starts over with a key frame: rises not more often than this, nor for less than this part.
    Restart { interval: Duration, worth: f64 },
    /// Nothing: the rate is read when the encoder starts.
    Never,
}

/// Where the rate is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knob {
    /// A number, of so many bits per second.
    Number { property: &'static str, unit: u64 },
    /// A field (bit/s) of a structure of controls.
    Control {
        property: &'static str,
        field: &'static str,
        /// Never below the field, where it is there.
        peak: &'static str,
    },
    /// Only a quality, 1 to 100.
    Quality { property: &'static str },
}

impl Knob {
    pub(super) const fn property(&self) -> &'static str {
        match self {
            Self::Number { property, .. }
            | Self::Control { property, .. }
            | Self::Quality { property } => property,
        }
    }
}

/// A property that would cap the rate, or is a buffer of its length: 0 is automatic, anything else keeps its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Companion {
    pub(super) property: &'static str,
    /// Never below the rate.
    pub(super) caps: bool,
}

/// One encoder, or all whose names fit (`avenc_*`, `v4l2*enc`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) factory: &'static str,
    pub(super) knob: Knob,
    pub(super) change: Change,
    /// Gives every frame the bits of one of the caps' frame rate, however many come.
    pub(super) by_caps: bool,
    pub(super) companions: &'static [Companion],
    pub(super) hints: &'static [Hint],
}

const BIT: u64 = 1;
pub(super) const KBIT: u64 = 1000;
/// Measured for x265enc and openh264enc: a key frame of 300 to 600 ms of the rate at each change.
const RESTART: Change = Change::Restart {
    interval: Duration::from_secs(2),
    worth: 0.15,
};

const fn cap(property: &'static str) -> Companion {
    Companion {
        property,
        caps: true,
    }
}

const fn buffer(property: &'static str) -> Companion {
    Companion {
        property,
        caps: false,
    }
}

const fn with(factory: &'static str, knob: Knob, change: Change) -> Row {
    Row {
        factory,
        knob,
        change,
        by_caps: false,
        companions: &[],
        hints: &[],
    }
}

const fn row(factory: &'static str, property: &'static str, unit: u64, change: Change) -> Row {
    with(factory, Knob::Number { property, unit }, change)
}

/// Follows its property `bitrate` (kbit/s) while it runs.
const fn hardware(
    factory: &'static str,
    companions: &'static [Companion],
    hints: &'static [Hint],
) -> Row {
    Row {
        companions,
        hints,
        ..row(factory, "bitrate", KBIT, Change::Live)
    }
}

const V4L2: Knob = Knob::Control {
    property: "extra-controls",
    field: "video_bitrate",
    peak: "video_bitrate_peak",
};

/// Seen in the elements' sources (1.22 to 1.28); those that software encodes were measured on 1.22.
const ROWS: &[Row] = &[
    // Told 500 kbit/s at 30 frames a second, with every third or second frame left out: 343 and 259 kbit/s, where
    // openh264enc, vp8enc and vp9enc go by the time stamps.
    Row {
        by_caps: true,
        hints: hints::X264,
        ..row("x264enc", "bitrate", KBIT, Change::Live)
    },
    // Torn down and made anew at each change, 1.22 to 1.28. Of 500 kbit/s 338 and 254, as above.
    Row {
        by_caps: true,
        hints: hints::X265,
        ..row("x265enc", "bitrate", KBIT, RESTART)
    },
    Row {
        companions: &[cap("max-bitrate")],
        hints: hints::OPENH264,
        ..row("openh264enc", "bitrate", BIT, RESTART)
    },
    Row {
        hints: hints::VP8,
        ..row("vp8enc", "target-bitrate", BIT, Change::Live)
    },
    row("vp9enc", "target-bitrate", BIT, Change::Live),
    Row {
        hints: hints::AV1,
        ..row("av1enc", "target-bitrate", KBIT, Change::Live)
    },
    row("svtav1enc", "target-bitrate", KBIT, Change::Never),
    row("rav1enc", "bitrate", BIT, Change::Never),
    // Set while it plays it is not only ignored, it reads back as the old value.
    row("avenc_*", "bitrate", BIT, Change::Never),
    // nvjpegenc, vaapijpegenc, vajpegenc, qsvjpegenc as well.
    with(
        "*jpegenc",
        Knob::Quality {
            property: "quality",
        },
        Change::Live,
    ),
    Row {
        companions: &[cap("peak-bitrate")],
        ..row("nvv4l2*", "bitrate", BIT, Change::Live)
    },
    hardware(
        "nv*",
        &[cap("max-bitrate"), buffer("vbv-buffer-size")],
        hints::NVENC,
    ),
    hardware("vaapi*", &[], hints::VA),
    hardware("va*", &[buffer("cpb-size")], hints::VA),
    hardware("qsv*", &[cap("max-bitrate")], hints::QSV),
    hardware("msdk*", &[cap("max-vbv-bitrate")], hints::QSV),
    hardware("mf*", &[cap("max-bitrate")], hints::MF),
    hardware(
        "d3d12*",
        &[cap("max-bitrate"), buffer("cpb-size")],
        hints::VA,
    ),
    hardware("amf*", &[cap("max-bitrate")], hints::VA),
    hardware("vpuenc_*", &[], &[]),
    hardware("vtenc_*", &[], &[]),
    hardware("vulkan*", &[], hints::VA),
    // Some vendors' kernels have a property of their own: then that one, for what is in the structure comes second.
    row("v4l2*enc", "bitrate", BIT, Change::Live),
    with("v4l2*enc", V4L2, Change::Live),
    Row {
        hints: hints::OMX,
        ..row("omx*", "target-bitrate", BIT, Change::Live)
    },
    row("opusenc", "bitrate", BIT, Change::Live),
];

/// The first row for `factory` whose property `has` answers for.
pub(super) fn find(factory: &str, has: impl Fn(&str) -> bool) -> Option<&'static Row> {
    let rows = ROWS.iter().filter(|row| fits(row.factory, factory));
    rows.into_iter().find(|row| has(row.knob.property()))
}

/// `name` is `pattern`, where a star stands for anything.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name
            .strip_prefix(start)
            .is_some_and(|rest| rest.ends_with(end)),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(factory: &str) -> Option<u64> {
        match find(factory, |_| true)?.knob {
            Knob::Number { unit, .. } => Some(unit),
            _ => None,
        }
    }

    #[test]
    fn names_that_start_alike_share_a_row_and_the_first_row_wins() {
        assert_eq!(unit("nvv4l2h264enc"), Some(BIT));
        assert_eq!(unit("nvh264enc"), Some(KBIT));
        let never = find("avenc_mpeg4", |_| true).map(|row| row.change);
        assert_eq!(never, Some(Change::Never));
        assert!(find("x264", |_| true).is_none());
    }

    #[test]
    fn a_row_needs_its_property() {
        let controls = find("v4l2h264enc", |name| name == "extra-controls");
        assert_eq!(controls.map(|row| row.knob), Some(V4L2));
        assert_eq!(unit("v4l2h264enc"), Some(BIT));
        assert!(find("x264enc", |_| false).is_none());
    }
}
