//! Looks along the pads and through the pipeline for the elements that matter.

use gst::prelude::*;

use crate::runtime::encoder::is_encoder;
use crate::runtime::walk::walk;

/// The nearest encoder that feeds `pad`, through whatever lies between, in and out of bins.
pub(super) fn encoder_before(pad: &gst::Pad) -> Option<gst::Element> {
    walk(pad, |pad| pad.parent_element().filter(is_encoder).into())
}
