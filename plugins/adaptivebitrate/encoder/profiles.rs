//! Settings of an encoder for a purpose: only what it has, only what nobody else has set.

use gst::glib;
use gst::prelude::*;

use super::profile_table::settings_for;
use crate::runtime::encoder::property::{is_default, parsed, text_of, usable};

/// What an encoder is set up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneAdaptiveBitrateProfile")]
pub enum Profile {
    /// As it is.
    #[default]
    #[enum_value(name = "Leave the encoder as it is", nick = "none")]
    None,
    /// Frames leave at once, and few are larger than the others.
    #[enum_value(
        name = "No frame waits for another, constant rate, key frames only on request",
        nick = "low-latency"
    )]
    LowLatency,
    /// More time for each frame.
    #[enum_value(
        name = "Better pictures for the same bits; needs more processor time",
        nick = "high-quality"
    )]
    HighQuality,
    /// Less time for each frame.
    #[enum_value(name = "As little processor time as possible", nick = "low-power")]
    LowPower,
}

/// Why an encoder is not set up for a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum NotApplied {
    /// It runs already.
    Late,
    /// Nothing is known to set.
    Unknown,
}

/// What was set on one encoder, so that it can be told from what the user sets.
#[derive(Debug, Default)]
pub(in super::super) struct Applied {
    element: glib::WeakRef<gst::Element>,
    profile: Profile,
    /// Properties and values as gst-launch-1.0 takes them.
    settings: Vec<(String, String)>,
}

impl Applied {
    /// Sets `element` up for `profile`, unless it is already or it has its caps: most properties are read with these.
    pub(in super::super) fn update(
        &mut self,
        element: &gst::Element,
        profile: Profile,
    ) -> Result<(), NotApplied> {
        let same = self.element.upgrade().as_ref() == Some(element);
        if profile == if same { self.profile } else { Profile::None } {
            return Ok(());
        }
        if has_caps(element) {
            return Err(NotApplied::Late);
        }
        if same {
            self.undo(element);
        }
        let wanted = element
            .factory()
            .and_then(|factory| settings_for(factory.name().as_str(), profile));
        *self = Self {
            element: element.downgrade(),
            profile,
            settings: Vec::new(),
        };
        for (name, text) in wanted.unwrap_or_default() {
            self.apply(element, name, text);
        }
        wanted.map(|_| ()).ok_or(NotApplied::Unknown)
    }

    /// The encoder's factory and what was set on it, as gst-launch-1.0 takes it; `None` for nothing.
    pub(in super::super) fn text(&self) -> Option<String> {
        let factory = self.element.upgrade()?.factory()?;
        if self.settings.is_empty() {
            return None;
        }
        let settings = self.settings.iter();
        let settings = settings.map(|(name, text)| format!(" {name}={text}"));
        Some(format!(
            "{}{}",
            factory.name(),
            settings.collect::<String>()
        ))
    }

    fn apply(&mut self, element: &gst::Element, name: &str, text: &str) {
        if self.settings.iter().any(|(set, _)| set == name) {
            return;
        }
        let Some(spec) = usable(element, name).filter(|spec| is_default(element, spec)) else {
            return;
        };
        let Some(value) = parsed(&spec, text) else {
            return;
        };
        element.set_property_from_value(name, &value);
        if !is_default(element, &spec) {
            self.settings.push((name.to_owned(), text.to_owned()));
        }
    }

    /// Takes back what was set and nobody has changed since.
    fn undo(&mut self, element: &gst::Element) {
        for (name, text) in self.settings.drain(..) {
            let Some(spec) = usable(element, &name) else {
                continue;
            };
            let set = parsed(&spec, &text).and_then(|value| value.serialize().ok());
            if set.map(|text| text.to_string()) == text_of(element, &spec) {
                element.set_property_from_value(&name, spec.default_value());
            }
        }
    }
}

/// Frames of a known format have come to `element` already.
fn has_caps(element: &gst::Element) -> bool {
    let pads = element.sink_pads();
    pads.iter().any(PadExt::has_current_caps)
}
