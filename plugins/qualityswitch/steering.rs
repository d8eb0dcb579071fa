//! The encoder behind goes along with the level: its bit rate goes down before a step down, and up after a step up.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::quality::Governor;
use livetune_core::units::Bitrate;

use super::imp::{CAT, QualitySwitch};
use super::state::{Order, State};
use crate::runtime::encoder::{Encoder, Setting, is_encoder};
use crate::runtime::lock::lock;
use crate::runtime::walk::{Step, by_name, walk};

/// Who sets bit rates by what the network carries.
const RIVAL: &str = "adaptivebitrate";

/// The rate that is read is the one that was told, but for the unit that the encoder rounds to.
const ROUNDING: f64 = 0.02;

/// One encoder, and what it is told.
#[derive(Clone, Debug)]
pub(super) struct Steering {
    encoder: Encoder,
    name: String,
    /// What the user set it to: for the best rung.
    full: Bitrate,
    told: Bitrate,
}

impl Steering {
    /// The name of the encoder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it was told last.
    pub(super) fn told(&self) -> Bitrate {
        self.told
    }

    /// What it should send on the rung `place`: as much less than on the best as that needs less, and no more than the
    /// network carries.
    fn rate_on(
        &self,
        place: usize,
        governor: &Governor,
        target: Option<Bitrate>,
    ) -> Option<Bitrate> {
        let (best, rung) = (governor.fitted(0)?, governor.fitted(place)?);
        let part = rung.need.as_bps() as f64 / best.need.as_bps().max(1) as f64;
        let rate = self.full.scaled(part);
        let rate = target.map_or(rate, |target| rate.min(target));
        // One that goes by the frame rate of the caps sends less where frames are left out.
        let thinned = match self.encoder.by_caps() && rung.decimates {
            true => best.rate.as_f64() / rung.rate.as_f64(),
            false => 1.0,
        };
        Some(rate.scaled(thinned.max(1.0)))
    }
}

/// An encoder and what to set it to.
type Errand = (Encoder, Bitrate);

impl State {
    /// What to tell the encoder before frames of `order` come to it.
    fn lower_encoder(&mut self, order: &Order) -> Option<Errand> {
        self.errand(order.rung, |wanted, told| wanted < told)
    }

    /// What to tell the encoder after frames of the rung came to it.
    fn settle_encoder(&mut self) -> Option<Errand> {
        self.errand(self.applied?, differs)
    }

    fn errand(&mut self, rung: usize, due: impl Fn(Bitrate, Bitrate) -> bool) -> Option<Errand> {
        let steering = self.steering.as_mut()?;
        let wanted = steering.rate_on(rung, &self.governor, self.target)?;
        if !due(wanted, steering.told) {
            return None;
        }
        steering.told = wanted;
        Some((steering.encoder.clone(), wanted))
    }

    /// The user set the encoder to `rate`: that is for the rung that holds.
    fn on_users_rate(&mut self, rate: Bitrate) {
        let (Some(steering), Some(applied)) = (&mut self.steering, self.applied) else {
            return;
        };
        let wanted = steering.rate_on(applied, &self.governor, None);
        if let Some(wanted) = wanted.filter(|wanted| *wanted > Bitrate::ZERO) {
            let more = rate.as_bps() as f64 / wanted.as_bps() as f64;
            steering.full = steering.full.scaled(more);
            steering.told = rate;
        }
    }
}

impl QualitySwitch {
    /// Finds the encoder, or one that is there now, unless somebody else sets its rate.
    pub(super) fn look_for_encoder(&self) {
        let found = self.find_encoder().filter(|encoder| !has_rival(encoder));
        let Some(found) = found else {
            self.let_go_of_encoder();
            return;
        };
        let steering = self.with_state(|state| state.steering.clone()).flatten();
        match steering {
            Some(steering) if steering.encoder.is(&found) => {
                let rate = steering.encoder.bitrate();
                if let Some(rate) = rate.filter(|rate| differs(*rate, steering.told)) {
                    self.with_state(|state| state.on_users_rate(rate));
                }
            }
            _ => self.take_encoder(&found),
        }
    }

    fn take_encoder(&self, element: &gst::Element) {
        self.let_go_of_encoder();
        let Ok(encoder) = Encoder::drive(element) else {
            return;
        };
        let Some(full) = encoder.bitrate() else {
            return;
        };
        gst::debug!(CAT, imp = self, "{} is set to {full:?}", element.name());
        let steering = Steering {
            encoder,
            name: element.name().into(),
            full,
            told: full,
        };
        self.with_state(|state| state.steering = Some(steering));
    }

    /// Leaves the encoder to others, as the user set it.
    pub(super) fn let_go_of_encoder(&self) {
        let left = self.with_state(|state| state.steering.take()).flatten();
        if let Some(left) = left.filter(|left| left.told != left.full) {
            left.encoder.set(Setting::Rate(left.full));
        }
    }

    pub(super) fn find_encoder(&self) -> Option<gst::Element> {
        let name = lock(&self.settings).encoder.clone();
        match name {
            Some(name) => by_name(self.obj().upcast_ref(), &name),
            None => {
                let (_, src) = self.ends()?;
                walk(src.upcast_ref(), |pad| {
                    pad.parent_element().filter(is_encoder).into()
                })
            }
        }
    }

    /// Before frames of `order` come to the encoder.
    pub(super) fn lower_encoder(&self, order: &Order) {
        let errand = self.with_state(|state| state.lower_encoder(order));
        self.tell_encoder(errand.flatten());
    }

    /// After a frame of the rung came to the encoder.
    pub(super) fn settle_encoder(&self) {
        let errand = self.with_state(State::settle_encoder);
        self.tell_encoder(errand.flatten());
    }

    fn tell_encoder(&self, errand: Option<Errand>) {
        if let Some((encoder, rate)) = errand {
            gst::debug!(CAT, imp = self, "the encoder is told {rate:?}");
            encoder.set(Setting::Rate(rate));
        }
    }
}

fn differs(rate: Bitrate, told: Bitrate) -> bool {
    let (rate, told) = (rate.as_bps() as f64, told.as_bps() as f64);
    (rate - told).abs() > told * ROUNDING
}

/// Whether somebody behind `encoder` sets its rate.
fn has_rival(encoder: &gst::Element) -> bool {
    let is_rival = |element: &gst::Element| element.factory().is_some_and(|f| f.name() == RIVAL);
    encoder.src_pads().iter().any(|src| {
        let found = walk(src, |pad| {
            match pad.parent_element().is_some_and(|e| is_rival(&e)) {
                true => Step::Found(()),
                false => Step::On,
            }
        });
        found.is_some()
    })
}
