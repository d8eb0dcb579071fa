//! Renditions in the bin: their pads come and go, and the level chooses one.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::quality::Rendition;

use super::{Renditions, TEMPLATE, best, of_rung};
use crate::qualityswitch::imp::{CAT, QualitySwitch};
use crate::qualityswitch::state::Order;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

impl QualitySwitch {
    /// A pad for one rendition more.
    pub(in crate::qualityswitch) fn add_rendition(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
    ) -> Option<gst::Pad> {
        guard("qualityswitch's new pad", None, || {
            let part = self.renditions_or_new()?;
            let inner = part.pad_template(TEMPLATE)?;
            let target = part.request_pad(&inner, name, None)?;
            let pad = gst::GhostPad::builder_from_template_with_target(template, &target);
            let pad = pad.ok()?.name(target.name()).build();
            let _ = pad.set_active(true);
            self.obj().add_pad(&pad).ok()?;
            Some(pad.upcast())
        })
    }

    /// The pad of a rendition is no longer needed.
    pub(in crate::qualityswitch) fn remove_rendition(&self, pad: &gst::Pad) {
        guard("qualityswitch's released pad", (), || {
            let target = pad.downcast_ref::<gst::GhostPad>();
            let target = target.and_then(GhostPadExt::target);
            let _ = pad.set_active(false);
            let _ = self.obj().remove_pad(pad);
            if let Some((part, target)) = self.renditions().zip(target) {
                part.release_request_pad(&target);
            }
            self.on_renditions();
        });
    }

    /// What lets one rendition through, where there are any.
    pub(in crate::qualityswitch) fn renditions(&self) -> Option<Renditions> {
        lock(&self.renditions).clone()
    }

    fn renditions_or_new(&self) -> Option<Renditions> {
        if let Some(part) = self.renditions() {
            return Some(part);
        }
        let part = Renditions::new(&self.obj());
        let src = self.ends()?.1;
        self.obj().add(&part).ok()?;
        src.set_target(Some(&part.output())).ok()?;
        part.sync_state_with_parent().ok()?;
        *lock(&self.renditions) = Some(part.clone());
        Some(part)
    }

    /// Renditions came, went or changed their size: the ladder is fitted to the best.
    pub(in crate::qualityswitch) fn on_renditions(&self) {
        let Some(part) = self.renditions() else {
            return;
        };
        if !part.are_known() {
            return;
        }
        let known = part.known();
        let Some(best) = best(&known) else {
            return;
        };
        gst::debug!(CAT, imp = self, "renditions {known:?}");
        self.with_state(|state| {
            state.on_renditions(best.video, |rung| {
                let known = of_rung(&known, rung);
                known.map(|known| known.video)
            });
        });
        self.on_rendition_frame();
    }

    /// A frame of some rendition came, or went on: the level may be another one.
    pub(in crate::qualityswitch) fn on_rendition_frame(&self) {
        if self.with_state(|state| state.input.is_none()) == Some(true) {
            self.on_renditions();
        } else if let Some(order) = self
            .with_state(|state| state.order_due(clock::monotonic()))
            .flatten()
        {
            self.choose_rendition(&order);
        }
    }

    /// Has the rendition of the rung go on; the level holds when it does.
    fn choose_rendition(&self, order: &Order) {
        let Some(part) = self.renditions() else {
            return;
        };
        let Some(chosen) = of_rung(&part.known(), &order.fitted) else {
            return;
        };
        if part.current() == Some(chosen.id) {
            self.on_applied(order);
        } else {
            part.want(chosen.id);
        }
    }

    /// Whether there are renditions, so that no raw video can come.
    pub(in crate::qualityswitch) fn has_renditions(&self) -> bool {
        let part = self.renditions();
        part.is_some_and(|part| part.num_sink_pads() > 0)
    }

    /// The number of the pad whose rendition goes on.
    pub(in crate::qualityswitch) fn current_rendition(&self) -> Option<u32> {
        let Rendition(number) = self.renditions()?.current()?;
        Some(number)
    }
}
