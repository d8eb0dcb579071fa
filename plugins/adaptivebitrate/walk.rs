//! Looks along the pads for the elements that matter: the encoder upstream, the RTP session downstream.

use gst::prelude::*;

use crate::runtime::walk::{Step, is_of_class, walk};

/// The nearest encoder that feeds `pad`, through whatever lies between, in and out of bins.
pub(super) fn encoder_before(pad: &gst::Pad) -> Option<gst::Element> {
    walk(pad, |pad| pad.parent_element().filter(is_encoder).into())
}

/// An RTP session that `pad` feeds, and the pad on which its RTP leaves the payloader.
#[derive(Debug)]
pub(super) struct RtpPath {
    pub(super) session: gst::Element,
    pub(super) rtp: gst::Pad,
}

/// The nearest RTP session that sends what leaves `pad`: a bare one, or that of a bin (rtpbin) around it.
pub(super) fn rtp_session_after(pad: &gst::Pad) -> Option<RtpPath> {
    let mut payloader = None;
    walk(pad, |pad| {
        let Some(element) = pad.parent_element() else {
            return Step::On;
        };
        if is_of_class(&element, "Payloader") && payloader.is_none() {
            payloader = element.static_pad("src");
        }
        let sends = pad.name().starts_with("send_rtp_sink");
        let found = sends && element.factory().is_some_and(|f| f.name() == "rtpsession");
        let path = found.then(|| RtpPath {
            session: element,
            rtp: payloader.take().unwrap_or_else(|| pad.clone()),
        });
        path.into()
    })
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
