//! Sets the bit rate of an encoder: in its unit, within its range, as often as it bears.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use super::encoder_table::{Change, LIKELY_PROPERTIES, find, unit_of};
use crate::runtime::lock::lock;

/// An encoder that makes a key frame of every change bears one in 2 s, and only for this much (measured: x265enc and
/// openh264enc).
const KEY_FRAME_INTERVAL: Duration = Duration::from_secs(2);
const KEY_FRAME_WORTH: f64 = 0.15;

/// Why an encoder cannot be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another adaptivebitrate drives it.
    Taken,
    /// It has no property for its bit rate.
    NoProperty,
    /// It reads its bit rate only when it starts.
    Fixed,
}

/// The handle on one encoder. Weak: it keeps no encoder alive.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    element: glib::WeakRef<gst::Element>,
    property: String,
    unit: u64,
    pub(super) change: Change,
    /// Gives every frame the bits of one of the caps' frame rate.
    pub(super) by_caps: bool,
    _claim: Arc<Claim>,
}

impl Encoder {
    pub(super) fn drive(element: &gst::Element) -> Result<Self, Refusal> {
        let factory = element.factory().map(|f| f.name().to_string());
        let row = factory.as_deref().and_then(find);
        let row = row.filter(|row| element.find_property(row.property).is_some());
        let (property, unit, change) = match row {
            Some(row) => (row.property.to_owned(), row.unit, row.change),
            None => learn(element).ok_or(Refusal::NoProperty)?,
        };
        if change == Change::Never {
            return Err(Refusal::Fixed);
        }
        Ok(Self {
            element: element.downgrade(),
            property,
            unit,
            change,
            by_caps: row.is_some_and(|row| row.by_caps),
            _claim: Arc::new(Claim::take(element).ok_or(Refusal::Taken)?),
        })
    }

    /// The encoder is `element`.
    pub(super) fn is(&self, element: &gst::Element) -> bool {
        self.element.upgrade().as_ref() == Some(element)
    }

    /// What the encoder is set to; `None` where it is gone or chooses by itself.
    pub(super) fn bitrate(&self) -> Option<Bitrate> {
        let value = self.element.upgrade()?.property_value(&self.property);
        let units = value.get::<u32>().map(u64::from).ok();
        let units = units.or_else(|| u64::try_from(value.get::<i32>().ok()?).ok())?;
        let bitrate = Bitrate::from_bps(units.saturating_mul(self.unit));
        (bitrate != Bitrate::ZERO).then_some(bitrate)
    }

    /// Sets the encoder to `bitrate`, or as near as its property allows. Call it in a streaming thread that is not
    /// inside the feedback's: vp8enc waits for the frame that it encodes.
    pub(super) fn set(&self, bitrate: Bitrate) {
        let Some(element) = self.element.upgrade() else {
            return;
        };
        let Some(spec) = element.find_property(&self.property) else {
            return;
        };
        let units = (bitrate.as_bps() + self.unit / 2) / self.unit;
        if let Some(value) = fitting(&spec, units.max(1)) {
            element.set_property_from_value(&self.property, &value);
        }
    }
}

/// `units` as a value that the property `spec` takes.
fn fitting(spec: &glib::ParamSpec, units: u64) -> Option<glib::Value> {
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecUInt>() {
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        return Some(units.clamp(spec.minimum(), spec.maximum()).to_value());
    }
    let spec = spec.downcast_ref::<glib::ParamSpecInt>()?;
    let units = i32::try_from(units).unwrap_or(i32::MAX);
    Some(units.clamp(spec.minimum(), spec.maximum()).to_value())
}

/// An encoder in no row: what its properties say of themselves.
fn learn(element: &gst::Element) -> Option<(String, u64, Change)> {
    let likely = LIKELY_PROPERTIES.iter();
    let spec = likely
        .filter_map(|name| element.find_property(name))
        .find(|spec| {
            let flags = spec.flags();
            flags.contains(glib::ParamFlags::READWRITE) && fitting(spec, 1).is_some()
        })?;
    let unit = unit_of(spec.blurb().unwrap_or_default());
    Some((spec.name().to_owned(), unit, Change::Live))
}

/// Decides when a new target goes to the encoder.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    last: Option<(Bitrate, MediaTime)>,
}

impl Pace {
    /// Nothing was set yet.
    pub(super) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// Answers whether the `target` is to be set `now`. Down at once, for the network waits for nobody.
    pub(super) fn is_due(&mut self, target: Bitrate, change: Change, now: MediaTime) -> bool {
        let due = match self.last {
            None => true,
            Some((last, _)) if target == last => false,
            Some((last, _)) if target < last || change != Change::KeyFrame => true,
            Some((last, at)) => {
                now.since(at) >= KEY_FRAME_INTERVAL && target >= last.scaled(1.0 + KEY_FRAME_WORTH)
            }
        };
        if due {
            self.last = Some((target, now));
        }
        due
    }
}

/// The encoders that are driven, by address. An entry ends with its claim.
static CLAIMED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Claim(usize);

impl Claim {
    fn take(element: &gst::Element) -> Option<Self> {
        let address = element.as_ptr() as usize;
        let mut claimed = lock(&CLAIMED);
        if claimed.contains(&address) {
            return None;
        }
        claimed.push(address);
        Some(Self(address))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&CLAIMED).retain(|address| *address != self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_restarts_rises_rarely_and_falls_at_once() {
        let mut pace = Pace::default();
        let kbps = Bitrate::from_kbps;
        let mut at =
            |rate, ms| pace.is_due(kbps(rate), Change::KeyFrame, MediaTime::from_millis(ms));
        assert!(at(1_000, 0));
        assert!(!at(1_300, 1_900));
        assert!(at(1_300, 2_000));
        assert!(!at(1_400, 9_000));
        assert!(at(1_200, 9_001));
    }
}
