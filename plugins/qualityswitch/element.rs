//! What GStreamer knows the element by: its metadata, its pads, its states.

use std::sync::LazyLock;

use gst::subclass::prelude::*;

use super::imp::QualitySwitch;
use super::simulcast;

impl GstObjectImpl for QualitySwitch {}

impl ElementImpl for QualitySwitch {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Quality switch",
                "Filter/Converter/Video/Scaler",
                "Gives up size and frame rate where machine or network are full, and gets them back: raw video scaled by \
                 the level of a quality ladder, or one of several encoded renditions, chosen by load, latency and bit \
                 rate, or by hand",
                "livetune developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(templates);
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        self.add_rendition(template, name)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        self.remove_rendition(pad);
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if let Err(problem) = self.prepare(transition) {
            self.post_error_message(problem);
            return Err(gst::StateChangeError);
        }
        let outcome = self.parent_change_state(transition);
        let ends = [
            gst::StateChange::PausedToReady,
            gst::StateChange::ReadyToNull,
        ];
        if ends.contains(&transition) {
            self.stop();
        }
        outcome
    }
}

impl BinImpl for QualitySwitch {}

impl PresetImpl for QualitySwitch {}

fn templates() -> Vec<gst::PadTemplate> {
    let raw = gst::Caps::builder("video/x-raw").any_features().build();
    let encoded = simulcast::encoded();
    let mut both = raw.clone();
    both.merge(encoded.clone());
    let (always, request) = (gst::PadPresence::Always, gst::PadPresence::Request);
    let templates = [
        ("sink", gst::PadDirection::Sink, always, &raw),
        ("src", gst::PadDirection::Src, always, &both),
        (
            simulcast::TEMPLATE,
            gst::PadDirection::Sink,
            request,
            &encoded,
        ),
    ];
    let made = templates
        .into_iter()
        .filter_map(|(name, direction, presence, caps)| {
            gst::PadTemplate::new(name, direction, presence, caps).ok()
        });
    made.collect()
}
