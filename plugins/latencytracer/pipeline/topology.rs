//! Which pads belong together. Takes the locks of pads: not for every buffer.

use gst::prelude::*;

use crate::runtime::walk::internal_links;

/// Ghost pads in ghost pads: deeper than bins are nested.
const DEEPEST: usize = 64;

/// The pad of a real element, not of a bin, that takes what `pad` pushes.
pub(super) fn peer(pad: &gst::Pad) -> Option<gst::Pad> {
    let mut peer = pad.peer()?;
    for _ in 0..DEEPEST {
        match peer.downcast::<gst::ProxyPad>() {
            Ok(proxy) => peer = proxy.internal()?.peer()?,
            Err(pad) => return Some(pad),
        }
    }
    None
}

/// The pads of the same element on its other side that belong to `pad`: all, where the element does not say.
pub(super) fn across(pad: &gst::Pad) -> Vec<gst::Pad> {
    let linked = internal_links(pad);
    if !linked.is_empty() {
        return linked;
    }
    let Some(element) = pad.parent_element() else {
        return Vec::new();
    };
    match pad.direction() {
        gst::PadDirection::Src => element.sink_pads(),
        _ => element.src_pads(),
    }
}

/// The outermost bin around `element`.
pub(in crate::latencytracer) fn top(element: &gst::Element) -> Option<gst::Bin> {
    let mut top = element.clone().upcast::<gst::Object>();
    while let Some(parent) = top.parent() {
        top = parent;
    }
    top.downcast().ok()
}
