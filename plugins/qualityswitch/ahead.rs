//! Encoders that look ahead: they hold frames before they encode them, so that neither how busy they are nor a change of
//! size is seen in time.

use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::QualitySwitch;
use crate::runtime::encoder::property::{parsed, text_of, usable};

/// An encoder may hold so many frames: one that it works on, and one that waits for that.
const MOST_FRAMES: f64 = 2.0;

/// Frames come so often where the caps do not say.
const USUAL_RATE: f64 = 30.0;

/// Settings that end it all, for those that have them.
const ALL: [(&str, &str); 2] = [("tune", "zerolatency"), ("zerolatency", "true")];

/// What holds frames, and what it has to be for none.
const PARTS: [(&str, &str); 6] = [
    ("lag-in-frames", "0"),
    ("rc-lookahead", "0"),
    ("lookahead", "0"),
    ("bframes", "0"),
    ("b-frames", "0"),
    ("max-bframes", "0"),
];

/// How long `encoder` holds frames, where that is more than a few.
fn held(encoder: &gst::Element) -> Option<Duration> {
    let (sinks, srcs) = (encoder.sink_pads(), encoder.src_pads());
    let (sink, src) = (sinks.first()?, srcs.first()?);
    let (mut before, mut after) = (gst::query::Latency::new(), gst::query::Latency::new());
    if !(sink.peer_query(&mut before) && src.query(&mut after)) {
        return None;
    }
    let own = after.result().1.saturating_sub(before.result().1);
    let own = Duration::from_nanos(own.nseconds());
    let rate = sink.current_caps().and_then(|caps| {
        let rate = caps.structure(0)?.get::<gst::Fraction>("framerate").ok()?;
        let frames = f64::from(rate.numer()) / f64::from(rate.denom());
        (frames > 0.0).then_some(frames)
    });
    let frames = own.as_secs_f64() * rate.unwrap_or(USUAL_RATE);
    (frames > MOST_FRAMES + 0.5).then_some(own)
}

/// What to set on `encoder` so that it holds none, as gst-launch-1.0 takes it; empty where that is not known.
fn advice(encoder: &gst::Element) -> String {
    let apt = |(name, good): &(&str, &str)| {
        let spec = usable(encoder, name)?;
        let wanted = parsed(&spec, good)?.serialize().ok()?;
        let set = text_of(encoder, &spec)?;
        let is_set = set.split('+').any(|part| part == wanted);
        (!is_set).then(|| format!("{name}={good}"))
    };
    ALL.iter().find_map(apt).unwrap_or_else(|| {
        let parts: Vec<String> = PARTS.iter().filter_map(apt).collect();
        parts.join(" ")
    })
}

impl QualitySwitch {
    /// Says once where the encoder behind looks ahead.
    pub(super) fn look_ahead(&self) {
        let untold = self.with_state(|state| !state.told_ahead && state.counts.frames_out > 0);
        if untold != Some(true) {
            return;
        }
        let Some(encoder) = self.find_encoder() else {
            return;
        };
        let Some(held) = held(&encoder) else {
            return;
        };
        self.with_state(|state| state.told_ahead = true);
        let advice = match advice(&encoder) {
            advice if advice.is_empty() => "Set it to no lookahead and no B-frames".to_owned(),
            advice => format!("Set {advice} on it"),
        };
        gst::element_imp_warning!(
            self,
            gst::LibraryError::Settings,
            (
                "{} looks ahead: it holds {} ms of frames before it encodes them, so that load shows in its time for a \
                 frame late or not at all, and a change of size stands still as long. {advice}; where it has to look \
                 ahead, step-mode=rate on qualityswitch avoids the standstill",
                encoder.name(),
                held.as_millis()
            )
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_it_all_comes_before_its_parts() {
        gst::init().expect("GStreamer starts");
        for (line, expected) in [
            ("x264enc", "tune=zerolatency"),
            ("x264enc tune=stillimage+fastdecode", "tune=zerolatency"),
            (
                "x264enc tune=zerolatency+fastdecode bframes=3 rc-lookahead=0",
                "bframes=0",
            ),
            ("x265enc", "tune=zerolatency"),
            ("vp9enc", "lag-in-frames=0"),
            ("jpegenc", ""),
        ] {
            if gst::ElementFactory::find(line.split(' ').next().unwrap_or_default()).is_none() {
                continue;
            }
            let encoder = gst::parse::launch(line).expect("an encoder");
            assert_eq!(advice(&encoder), expected, "{line}");
        }
    }
}
