//! Looks along the pads and through the pipeline for the elements that matter.

use gst::prelude::*;

use crate::runtime::walk::{is_of_class, walk};

/// The nearest encoder that feeds `pad`, through whatever lies between, in and out of bins.
pub(super) fn encoder_before(pad: &gst::Pad) -> Option<gst::Element> {
    walk(pad, |pad| pad.parent_element().filter(is_encoder).into())
}

/// The element called `name` in the pipeline that `element` is in.
pub(super) fn by_name(element: &gst::Element, name: &str) -> Option<gst::Element> {
    let mut top = element.parent()?;
    while let Some(parent) = top.parent() {
        top = parent;
    }
    top.downcast_ref::<gst::Bin>()?.by_name(name)
}

fn is_encoder(element: &gst::Element) -> bool {
    is_of_class(element, "Encoder") && !is_of_class(element, "Muxer")
}
