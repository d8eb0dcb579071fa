//! Sets the bit rate of an encoder: in its unit, within its range, from a thread that it bears.

mod claim;
mod controls;
mod hints;
mod learn;
pub(crate) mod property;
mod table;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use livetune_core::units::Bitrate;

use self::claim::Claim;
pub(crate) use self::hints::Hint;
pub(crate) use self::table::{Change, fits};
use self::table::{Companion, Knob, Row};
use super::guard::guard;
use super::lock::lock;
use super::walk::is_of_class;

/// An unknown encoder says its rate within this, or holds a lock that is only let go when our buffer has passed.
const ANSWER: Duration = Duration::from_millis(100);

/// Whether `element` makes a coded stream of a raw one.
pub(crate) fn is_encoder(element: &gst::Element) -> bool {
    is_of_class(element, "Encoder") && !is_of_class(element, "Muxer")
}

/// Why an encoder cannot be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another element drives it.
    Taken,
    /// It has no property for its bit rate.
    NoProperty,
    /// It reads its bit rate only when it starts.
    Fixed,
    /// It has one, and sends what it likes.
    Ignores,
}

/// What an encoder can be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Rate(Bitrate),
    /// 1 to 100.
    Quality(u32),
}

/// The handle on one encoder. Weak: it keeps no encoder alive.
#[derive(Clone, Debug)]
pub(crate) struct Encoder(Arc<Driven>);

#[derive(Debug)]
struct Driven {
    element: glib::WeakRef<gst::Element>,
    row: Option<&'static Row>,
    knob: Knob,
    /// Properties that go along with the rate, and their share of it.
    companions: Vec<(Companion, f64)>,
    /// Where it stands at the start, if it only knows a quality.
    quality: Option<u32>,
    /// It was set, and reads back as before.
    refuses: AtomicBool,
    mailbox: Mutex<Mailbox>,
    _claim: Claim,
}

/// What an encoder that nobody knows is to be set to, by a thread of its own.
#[derive(Debug, Default)]
struct Mailbox {
    next: Option<Setting>,
    read: bool,
}

impl Encoder {
    pub(crate) fn drive(element: &gst::Element) -> Result<Self, Refusal> {
        let factory = element.factory().map(|f| f.name().to_string());
        let has = |name: &str| property::usable(element, name).is_some();
        let row = factory.as_deref().and_then(|name| table::find(name, has));
        let knob = match row {
            Some(row) => row.knob,
            None => learn::learn(element).ok_or(Refusal::NoProperty)?,
        };
        if row.is_some_and(|row| row.change == Change::Never) {
            return Err(Refusal::Fixed);
        }
        let quality = match knob {
            Knob::Quality { property } => property::number(element, property),
            _ => None,
        };
        let companions = row.map_or(&[][..], |row| row.companions);
        Ok(Self(Arc::new(Driven {
            element: element.downgrade(),
            row,
            companions: companions
                .iter()
                .filter_map(|companion| Some((*companion, share(element, companion, &knob)?)))
                .collect(),
            knob,
            quality: quality.and_then(|quality| u32::try_from(quality).ok()),
            refuses: AtomicBool::new(false),
            mailbox: Mutex::default(),
            _claim: Claim::take(element).ok_or(Refusal::Taken)?,
        })))
    }

    /// The encoder is `element`.
    pub(crate) fn is(&self, element: &gst::Element) -> bool {
        self.0.element.upgrade().as_ref() == Some(element)
    }

    /// What a change costs it.
    pub(crate) fn change(&self) -> Change {
        self.0.row.map_or(Change::Live, |row| row.change)
    }

    /// It gives every frame the bits of one of the caps' frame rate.
    pub(crate) fn by_caps(&self) -> bool {
        self.0.row.is_some_and(|row| row.by_caps)
    }

    /// Where it stood when it was found, if it only knows a quality.
    pub(crate) fn quality(&self) -> Option<u32> {
        self.0.quality
    }

    /// It does not even keep what it is set to.
    pub(crate) fn refuses(&self) -> bool {
        self.0.refuses.load(Ordering::Relaxed)
    }

    /// What keeps it from following its rate.
    pub(crate) fn hints(&self) -> Vec<Hint> {
        let Some((row, element)) = self.0.row.zip(self.0.element.upgrade()) else {
            return Vec::new();
        };
        let applying = row.hints.iter().filter(|hint| hint.applies_to(&element));
        applying.copied().collect()
    }

    /// What the encoder is set to; `None` where it is gone, chooses by itself or does not say in time.
    pub(crate) fn bitrate(&self) -> Option<Bitrate> {
        let (element, knob) = (self.0.element.upgrade()?, self.0.knob);
        let bps = if self.0.row.is_some() {
            rate_of(&element, &knob)
        } else {
            let (answer, answered) = channel();
            element.call_async(move |element| {
                guard("a look at an encoder", (), || {
                    // Nobody waits any more where it took too long.
                    let _ = answer.send(rate_of(element, &knob));
                });
            });
            answered.recv_timeout(ANSWER).ok().flatten()
        };
        bps.map(Bitrate::from_bps)
    }

    /// Sets the encoder, or as near as its property allows. Call it in a streaming thread that is not inside the
    /// feedback's: vp8enc waits for the frame that it encodes. The encoders of the table let go of their locks before
    /// they push, so that they can be set from behind them; an unknown one is set by another thread.
    pub(crate) fn set(&self, setting: Setting) {
        let Some(element) = self.0.element.upgrade() else {
            return;
        };
        if self.0.row.is_some() {
            self.0.apply(&element, setting);
            return;
        }
        let mut mailbox = lock(&self.0.mailbox);
        mailbox.next = Some(setting);
        let read = std::mem::replace(&mut mailbox.read, true);
        drop(mailbox);
        if !read {
            let driven = self.0.clone();
            element.call_async(move |element| {
                guard("the setting of an encoder", (), || {
                    driven.read_mailbox(element);
                });
            });
        }
    }
}

impl Driven {
    /// Carries out the newest setting, until there is none.
    fn read_mailbox(&self, element: &gst::Element) {
        loop {
            let mut mailbox = lock(&self.mailbox);
            let Some(setting) = mailbox.next.take() else {
                mailbox.read = false;
                return;
            };
            drop(mailbox);
            self.apply(element, setting);
        }
    }

    fn apply(&self, element: &gst::Element, setting: Setting) {
        match (&self.knob, setting) {
            (Knob::Number { property, unit }, Setting::Rate(rate)) => {
                self.apply_rate(element, property, (rate.as_bps() + unit / 2) / unit);
            }
            (
                Knob::Control {
                    property,
                    field,
                    peak,
                },
                Setting::Rate(rate),
            ) => {
                let before = property::structure(element, property);
                let controls = controls::with_rate(before, field, peak, rate.as_bps());
                property::set_structure(element, property, controls);
            }
            (Knob::Quality { property }, Setting::Quality(quality)) => {
                property::set_number(element, property, quality.into());
            }
            _ => (),
        }
    }

    fn apply_rate(&self, element: &gst::Element, property: &str, units: u64) {
        let before = property::number(element, property);
        let rises = before.is_none_or(|before| units > before);
        if rises {
            self.apply_companions(element, units);
        }
        let set = property::set_number(element, property, units.max(1));
        if !rises {
            self.apply_companions(element, units);
        }
        let after = property::number(element, property);
        self.refuses
            .store(after != set && after == before, Ordering::Relaxed);
    }

    fn apply_companions(&self, element: &gst::Element, units: u64) {
        for (companion, share) in &self.companions {
            let number = (units as f64 * share) as u64;
            property::set_number(element, companion.property, number.max(1));
        }
    }
}

/// The bit/s that `knob` of `element` stands at.
fn rate_of(element: &gst::Element, knob: &Knob) -> Option<u64> {
    let bps = match knob {
        Knob::Number { property, unit } => {
            property::number(element, property)?.saturating_mul(*unit)
        }
        Knob::Control {
            property, field, ..
        } => {
            let controls = property::structure(element, property)?;
            controls::rate(&controls, field)?
        }
        Knob::Quality { .. } => return None,
    };
    (bps > 0).then_some(bps)
}

/// How much of the rate `companion` is; `None` where it is automatic or `element` has none.
fn share(element: &gst::Element, companion: &Companion, knob: &Knob) -> Option<f64> {
    let number = property::number(element, companion.property)?;
    let units = property::number(element, knob.property()).unwrap_or(0);
    let share = number as f64 / units.max(1) as f64;
    let share = match (units, companion.caps) {
        (0, _) => 1.0,
        (_, true) => share.max(1.0),
        (_, false) => share,
    };
    (number > 0).then_some(share)
}
