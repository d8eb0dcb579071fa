//! Frames, events and queries on their way through the bin.

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::{CAT, QualitySwitch};
use super::state::State;
use super::video;
use crate::runtime::guard::guard;
use crate::runtime::wire::TargetBitrate;

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
        if let Some(order) = self.with_state(State::order_for_frame).flatten() {
            self.carry_out(order);
        }
        let keep = self.with_state(|state| state.keeps(buffer.pts()));
        if keep == Some(false) {
            gst::trace!(CAT, obj = pad, "dropping {buffer:?}");
            return Ok(gst::FlowSuccess::Ok);
        }
        gst::ProxyPad::chain_default(pad, Some(&*self.obj()), buffer)
    }

    fn on_frames(&self, pad: &gst::GhostPad, list: &gst::BufferListRef) -> Flow {
        for buffer in list.iter_owned() {
            self.on_frame(pad, buffer)?;
        }
        Ok(gst::FlowSuccess::Ok)
    }

    fn on_downstream_event(&self, event: &gst::EventRef) {
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
        let input = video::input_of(&caps);
        let order = self.with_state(|state| {
            state.on_caps(caps.clone(), input);
            state.order()
        });
        match order.flatten() {
            Some(order) => self.carry_out(order),
            None => self.open_output(),
        }
        if self.with_state(State::tells_unscaled) == Some(true) {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Format,
                ("This video passes at its own size: only video in system memory, with both fields in one buffer, can \
                     be scaled. Download it before qualityswitch, or scale it where it is"),
                ["{caps}"]
            );
        }
    }

    fn on_upstream_event(&self, event: &gst::EventRef) {
        if let Some(target) = TargetBitrate::from_event(event) {
            gst::debug!(CAT, imp = self, "{target:?}");
            self.with_state(|state| state.on_target(target.bitrate));
        }
    }

    /// The filter inside asks for the size of the rung, and would have upstream choose that, or hold it against video
    /// that cannot be scaled. Upstream hears what is taken behind the bin instead, in any size where that can be
    /// scaled.
    fn on_sink_query(&self, pad: &gst::GhostPad, query: &mut gst::QueryRef) -> bool {
        let Some(src) = self.obj().static_pad("src") else {
            return false;
        };
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let taken = src.peer_query_caps(None);
                caps.set_result(&video::taken_for(&taken, caps.filter()));
                true
            }
            gst::QueryViewMut::AcceptCaps(accept) if !video::scalable(accept.caps()) => {
                let takes = src.peer_query_accept_caps(&accept.caps_owned());
                accept.set_result(takes);
                true
            }
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }
}
