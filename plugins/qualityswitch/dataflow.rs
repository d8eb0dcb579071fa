//! Frames, events and queries on their way through the bin.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::time::MediaTime;

use super::imp::{CAT, QualitySwitch};
use super::state::{State, Way};
use super::video;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::wire::{Load, TargetBitrate};

type Flow = Result<gst::FlowSuccess, gst::FlowError>;

impl QualitySwitch {
    /// The pad `sink`, without a scaler behind it yet.
    pub(super) fn sink_pad(template: &gst::PadTemplate) -> gst::GhostPad {
        gst::GhostPad::builder_from_template(template)
            .chain_function(|pad, parent, buffer| {
                let fail = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, fail, |imp| imp.on_frame(pad, buffer))
            })
            .chain_list_function(|pad, parent, list| {
                let fail = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, fail, |imp| imp.on_frames(pad, &list))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |imp| {
                        imp.on_downstream_event(&event);
                        gst::Pad::event_default(pad, Some(&*imp.obj()), event)
                    },
                )
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |imp| imp.on_sink_query(pad, query),
                )
            })
            .proxy_pad_event_function(|pad, parent, event| {
                guard("qualityswitch's events upstream", false, || {
                    let bin = parent.and_then(GstObjectExt::parent);
                    let bin = bin.and_downcast::<super::QualitySwitch>();
                    if bin.is_some_and(|bin| bin.imp().is_own_doing(&event)) {
                        return true;
                    }
                    gst::Pad::event_default(pad, parent, event)
                })
            })
            .build()
    }

    /// The pad `src`, without a scaler before it yet.
    pub(super) fn src_pad(template: &gst::PadTemplate) -> gst::GhostPad {
        gst::GhostPad::builder_from_template(template)
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |imp| {
                        imp.on_upstream_event(&event);
                        gst::Pad::event_default(pad, Some(&*imp.obj()), event)
                    },
                )
            })
            .build()
    }

    fn on_frame(&self, pad: &gst::GhostPad, buffer: gst::Buffer) -> Flow {
        let pts = buffer.pts();
        let stopped = Way::Through(0);
        let mut now = clock::monotonic();
        let mut way = self.with_state(|state| state.on_frame(pts, false, now));
        if let Some(Way::First(order)) = way {
            self.carry_out(*order);
            now = clock::monotonic();
            way = self.with_state(|state| state.on_frame(pts, true, now));
        }
        match way.unwrap_or(stopped) {
            Way::Out => {
                gst::trace!(CAT, obj = pad, "dropping {buffer:?}");
                Ok(gst::FlowSuccess::Ok)
            }
            Way::Direct => match self.ends() {
                Some((_, src)) => self.measured(now, || src.push(buffer)),
                None => Err(gst::FlowError::Error),
            },
            Way::Through(events) => {
                let through = || gst::ProxyPad::chain_default(pad, Some(&*self.obj()), buffer);
                let flow = self.measured(now, through);
                self.with_state(|state| state.on_through(events));
                self.settle_encoder();
                flow
            }
            Way::First(_) => Ok(gst::FlowSuccess::Ok),
        }
    }

    /// Has `push` push a frame `now`, and tells how long the elements behind worked on it.
    pub(super) fn measured(&self, now: MediaTime, push: impl FnOnce() -> Flow) -> Flow {
        self.push.begin(now);
        let flow = push();
        if let Some((began, done)) = self.push.end(clock::monotonic()) {
            self.with_state(|state| state.on_pushed(0, began, done));
        }
        flow
    }

    fn on_frames(&self, pad: &gst::GhostPad, list: &gst::BufferListRef) -> Flow {
        for buffer in list.iter_owned() {
            self.on_frame(pad, buffer)?;
        }
        Ok(gst::FlowSuccess::Ok)
    }

    fn on_downstream_event(&self, event: &gst::EventRef) {
        self.with_state(State::on_event);
        match event.view() {
            gst::EventView::Caps(caps) => self.on_caps(caps.caps_owned()),
            gst::EventView::Segment(segment) => {
                let segment = segment.segment().clone().downcast().ok();
                self.with_state(|state| state.on_segment(segment));
            }
            gst::EventView::FlushStop(_) => {
                self.with_state(|state| state.on_segment(None));
            }
            _ => (),
        }
    }

    fn on_caps(&self, caps: gst::Caps) {
        if self.has_renditions() {
            gst::element_imp_error!(
                self,
                gst::StreamError::WrongType,
                ("Raw video comes to sink, and renditions have pads of their own: link one or the other")
            );
            return;
        }
        let choice = lock(&self.settings).scaler;
        let engine = caps
            .features(0)
            .and_then(|memory| choice.engine_for(memory));
        // With nothing that fits, what is there lets frames pass.
        if let Some(engine) = engine
            && let Err(error) = self.use_engine(Some(engine))
        {
            self.post_error_message(error);
        }
        let scaler = lock(&self.scaler).clone();
        let scalable = scaler.is_some_and(|scaler| scaler.takes(&caps));
        let input = video::input_of(&caps, scalable);
        let order = self.with_state(|state| {
            state.on_caps(caps.clone(), input);
            state.order()
        });
        match order.flatten() {
            Some(order) => self.carry_out(order),
            None => self.open_output(),
        }
        if self.with_state(State::tells_unscaled) == Some(true) {
            self.warn_of_unscaled(&caps);
        }
    }

    fn on_upstream_event(&self, event: &gst::EventRef) {
        if event.type_() == gst::EventType::Reconfigure {
            self.with_state(State::on_event);
        } else if let Some(target) = TargetBitrate::from_event(event) {
            gst::debug!(CAT, imp = self, "{target:?}");
            self.with_state(|state| state.on_target(target.bitrate));
        } else if let Some(load) = Load::from_event(event) {
            gst::trace!(CAT, imp = self, "{load:?}");
            let own = lock(&self.settings).latency_target();
            self.with_state(|state| state.on_load(&load, own));
        } else if let gst::EventView::Qos(qos) = event.view() {
            let (kind, proportion, jitter, _) = qos.get();
            if kind != gst::QOSType::Throttle {
                self.with_state(|state| state.on_qos(proportion, jitter));
            }
        }
    }

    /// The filter inside asks for the size of the rung, and would have upstream choose that, or hold it against video
    /// that cannot be scaled. Upstream hears what is taken behind the bin instead, in any size where that can be
    /// scaled.
    fn on_sink_query(&self, pad: &gst::GhostPad, query: &mut gst::QueryRef) -> bool {
        let Some((_, src)) = self.ends() else {
            return false;
        };
        let choice = lock(&self.settings).scaler;
        let scales = |memory: &gst::CapsFeaturesRef| choice.engine_for(memory).is_some();
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let taken = src.peer_query_caps(None);
                caps.set_result(&video::taken_for(&taken, caps.filter(), scales));
                true
            }
            // What scales now may not be what would scale those.
            gst::QueryViewMut::AcceptCaps(accept) if video::scaled(accept.caps(), scales) => {
                let taken = src.peer_query_caps(None);
                let taken = video::taken_for(&taken, Some(accept.caps()), scales);
                accept.set_result(!taken.is_empty());
                true
            }
            gst::QueryViewMut::AcceptCaps(accept) => {
                let takes = src.peer_query_accept_caps(&accept.caps_owned());
                accept.set_result(takes);
                true
            }
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }
}
