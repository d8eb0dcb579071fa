//! What each encoder is set to for each profile. Plain data; what an encoder does not have, or does not know as a
//! value, is left out, so that a row holds for several versions of it. Of two values of one property the first that
//! the encoder knows counts.

use super::profiles::Profile;
use crate::runtime::encoder::fits;

type Settings = &'static [(&'static str, &'static str)];

struct Row {
    factory: &'static str,
    low_latency: Settings,
    high_quality: Settings,
    low_power: Settings,
}

/// A rise begins at once with these, and with the defaults of 4, 5 and 6 s after seconds of next to nothing
/// (measured). The values are libwebrtc's and webrtcsink's.
const VPX_LOW_LATENCY: Settings = &[
    ("deadline", "1"),
    ("cpu-used", "8"),
    ("end-usage", "cbr"),
    ("lag-in-frames", "0"),
    ("buffer-initial-size", "100"),
    ("buffer-optimal-size", "120"),
    ("buffer-size", "150"),
    ("keyframe-mode", "disabled"),
    ("error-resilient", "default"),
];
const VPX_HIGH_QUALITY: Settings = &[
    ("deadline", "33000"),
    ("cpu-used", "4"),
    ("end-usage", "cbr"),
    ("buffer-initial-size", "400"),
    ("buffer-optimal-size", "500"),
    ("buffer-size", "600"),
];

/// What follows a rate that changes is set in every profile. From webrtcsink, OBS and the encoders' own advice for
/// live streams; run on 1.22: x264enc, x265enc, openh264enc, vp8enc, vp9enc, av1enc, jpegenc.
const ROWS: &[Row] = &[
    Row {
        factory: "x264enc",
        low_latency: &[
            ("tune", "zerolatency"),
            ("speed-preset", "veryfast"),
            ("vbv-buf-capacity", "120"),
            ("key-int-max", "2560"),
            ("b-adapt", "false"),
            ("bframes", "0"),
        ],
        high_quality: &[
            ("speed-preset", "medium"),
            ("vbv-buf-capacity", "600"),
            ("bframes", "2"),
            ("rc-lookahead", "20"),
        ],
        low_power: &[("speed-preset", "ultrafast"), ("threads", "1")],
    },
    Row {
        factory: "x265enc",
        low_latency: &[("tune", "zerolatency"), ("speed-preset", "ultrafast")],
        // Otherwise it loses frames at every change of its rate.
        high_quality: &[("tune", "zerolatency"), ("speed-preset", "medium")],
        low_power: &[("tune", "zerolatency"), ("speed-preset", "ultrafast")],
    },
    Row {
        factory: "openh264enc",
        low_latency: &[
            ("rate-control", "bitrate"),
            ("complexity", "low"),
            ("gop-size", "2560"),
            ("scene-change-detection", "false"),
            ("background-detection", "false"),
        ],
        high_quality: &[("rate-control", "bitrate"), ("complexity", "high")],
        low_power: &[("rate-control", "bitrate"), ("complexity", "low")],
    },
    Row {
        factory: "vp8enc",
        low_latency: VPX_LOW_LATENCY,
        high_quality: VPX_HIGH_QUALITY,
        low_power: &[
            ("deadline", "1"),
            ("cpu-used", "16"),
            ("buffer-initial-size", "100"),
            ("buffer-optimal-size", "120"),
            ("buffer-size", "150"),
        ],
    },
    Row {
        factory: "vp9enc",
        low_latency: VPX_LOW_LATENCY,
        high_quality: VPX_HIGH_QUALITY,
        low_power: &[("deadline", "1"), ("cpu-used", "9")],
    },
    Row {
        factory: "av1enc",
        // Without a maximum of the quantizer the rate is ignored, and with cbr libaom 3.6 ends the process.
        low_latency: &[
            ("max-quantizer", "58"),
            ("usage-profile", "realtime"),
            ("cpu-used", "9"),
            ("end-usage", "cbr"),
            ("lag-in-frames", "0"),
        ],
        high_quality: &[("max-quantizer", "58"), ("cpu-used", "5")],
        low_power: &[
            ("max-quantizer", "58"),
            ("usage-profile", "realtime"),
            ("cpu-used", "10"),
            ("end-usage", "cbr"),
        ],
    },
    Row {
        factory: "svtav1enc",
        low_latency: &[
            ("preset", "11"),
            ("parameters-string", "lookahead=0:pred-struct=1"),
        ],
        high_quality: &[("preset", "6")],
        low_power: &[("preset", "13")],
    },
    Row {
        factory: "rav1enc",
        low_latency: &[("low-latency", "true"), ("speed-preset", "10")],
        high_quality: &[("speed-preset", "6")],
        low_power: &[("speed-preset", "10")],
    },
    Row {
        factory: "nvv4l2*",
        low_latency: &[
            ("control-rate", "constant_bitrate"),
            ("preset-level", "UltraFastPreset"),
            ("maxperf-enable", "true"),
            ("insert-sps-pps", "true"),
            ("idrinterval", "256"),
            ("num-B-Frames", "0"),
        ],
        high_quality: &[("preset-level", "SlowPreset")],
        low_power: &[("maxperf-enable", "false")],
    },
    Row {
        factory: "nv*",
        // The values of the new class (1.26, nvcuda* before) come before those of the old one.
        low_latency: &[
            ("preset", "p3"),
            ("preset", "low-latency-hq"),
            ("tune", "ultra-low-latency"),
            ("rc-mode", "cbr-ld-hq"),
            ("rc-mode", "cbr"),
            ("zerolatency", "true"),
            ("bframes", "0"),
            ("gop-size", "2560"),
        ],
        high_quality: &[
            ("preset", "p6"),
            ("preset", "hq"),
            ("tune", "high-quality"),
            ("multi-pass", "two-pass-quarter"),
            ("rc-mode", "cbr-hq"),
            ("rc-mode", "cbr"),
        ],
        low_power: &[("preset", "p1"), ("preset", "hp"), ("rc-mode", "cbr")],
    },
    Row {
        factory: "vaapi*",
        low_latency: &[
            ("rate-control", "cbr"),
            ("max-bframes", "0"),
            ("quality-level", "7"),
        ],
        high_quality: &[("rate-control", "cbr"), ("quality-level", "2")],
        low_power: &[("rate-control", "cbr"), ("tune", "low-power")],
    },
    Row {
        factory: "va*",
        low_latency: &[
            ("rate-control", "cbr"),
            ("b-frames", "0"),
            ("ref-frames", "1"),
            ("target-usage", "7"),
        ],
        high_quality: &[
            ("rate-control", "cbr"),
            ("target-usage", "2"),
            ("b-frames", "2"),
        ],
        low_power: &[("rate-control", "cbr"), ("target-usage", "7")],
    },
    Row {
        factory: "qsv*",
        low_latency: &[
            ("low-latency", "true"),
            ("rate-control", "cbr"),
            ("target-usage", "7"),
            ("b-frames", "0"),
            ("disable-hrd-conformance", "true"),
        ],
        high_quality: &[("rate-control", "cbr"), ("target-usage", "2")],
        low_power: &[("rate-control", "cbr"), ("target-usage", "7")],
    },
    Row {
        factory: "msdk*",
        low_latency: &[
            ("async-depth", "1"),
            ("rate-control", "cbr"),
            ("b-frames", "0"),
            ("target-usage", "7"),
        ],
        high_quality: &[("rate-control", "cbr"), ("target-usage", "2")],
        low_power: &[("rate-control", "cbr"), ("low-power", "true")],
    },
    Row {
        factory: "v4l2*enc",
        low_latency: &[(
            "extra-controls",
            "controls,video_bitrate_mode=(int)1,repeat_sequence_header=(int)1",
        )],
        high_quality: &[],
        low_power: &[],
    },
    Row {
        factory: "omx*",
        low_latency: &[
            ("control-rate", "low-latency"),
            ("control-rate", "constant"),
            ("b-frames", "0"),
            ("gop-mode", "low-delay-p"),
        ],
        high_quality: &[("control-rate", "variable")],
        low_power: &[],
    },
    Row {
        factory: "mf*",
        low_latency: &[
            ("low-latency", "true"),
            ("rc-mode", "cbr"),
            ("bframes", "0"),
        ],
        high_quality: &[("rc-mode", "cbr"), ("quality-vs-speed", "100")],
        low_power: &[("rc-mode", "cbr"), ("quality-vs-speed", "0")],
    },
    Row {
        factory: "vtenc_*",
        low_latency: &[
            ("realtime", "true"),
            ("allow-frame-reordering", "false"),
            ("max-keyframe-interval", "2560"),
            ("rate-control", "cbr"),
        ],
        high_quality: &[("realtime", "false")],
        low_power: &[("realtime", "true")],
    },
    Row {
        factory: "d3d12*",
        low_latency: &[("rate-control", "cbr"), ("gop-size", "2560")],
        high_quality: &[("rate-control", "cbr")],
        low_power: &[("rate-control", "cbr")],
    },
    Row {
        factory: "amf*",
        low_latency: &[
            ("usage", "ultra-low-latency"),
            ("rate-control", "cbr"),
            ("preset", "speed"),
        ],
        high_quality: &[
            ("usage", "transcoding"),
            ("rate-control", "cbr"),
            ("preset", "quality"),
        ],
        low_power: &[("rate-control", "cbr"), ("preset", "speed")],
    },
    Row {
        factory: "jpegenc",
        low_latency: &[("idct-method", "ifast")],
        high_quality: &[("quality", "90")],
        low_power: &[("idct-method", "ifast")],
    },
    Row {
        factory: "opusenc",
        low_latency: &[
            ("frame-size", "10"),
            ("audio-type", "restricted-lowdelay"),
            ("bitrate-type", "constrained-vbr"),
            ("inband-fec", "true"),
        ],
        high_quality: &[("frame-size", "20"), ("complexity", "10")],
        low_power: &[("complexity", "2")],
    },
];

/// What to set on an encoder of `factory`; `None` where it is in no row.
pub(super) fn settings_for(factory: &str, profile: Profile) -> Option<Settings> {
    if profile == Profile::None {
        return Some(&[]);
    }
    let row = ROWS.iter().find(|row| fits(row.factory, factory))?;
    Some(match profile {
        Profile::None => &[],
        Profile::LowLatency => row.low_latency,
        Profile::HighQuality => row.high_quality,
        Profile::LowPower => row.low_power,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::encoder::property::{parsed, usable};

    /// Those that exist in one version only, not here.
    const INSTALLED: [&str; 8] = [
        "x264enc",
        "x265enc",
        "openh264enc",
        "vp8enc",
        "vp9enc",
        "av1enc",
        "jpegenc",
        "opusenc",
    ];

    #[test]
    fn each_encoder_of_this_machine_has_what_its_row_sets() {
        gst::init().expect("GStreamer starts");
        let profiles = [Profile::LowLatency, Profile::HighQuality, Profile::LowPower];
        for name in INSTALLED {
            let Ok(element) = gst::ElementFactory::make(name).build() else {
                continue;
            };
            for profile in profiles {
                for (property, text) in settings_for(name, profile).expect("it has a row") {
                    let spec = usable(&element, property);
                    let spec = spec.unwrap_or_else(|| unreachable!("{name} has no {property}"));
                    assert!(parsed(&spec, text).is_some(), "{name} {property}={text}");
                }
            }
        }
    }

    #[test]
    fn what_has_no_row_is_not_set_and_none_sets_nothing() {
        assert!(settings_for("pngenc", Profile::LowLatency).is_none());
        assert_eq!(settings_for("x264enc", Profile::None), Some(&[][..]));
    }
}
