//! Looks along the pads for the elements that matter: the encoder upstream, the RTP session downstream.

use std::collections::VecDeque;

use gst::glib::translate::{ToGlibPtr, from_glib_full};
use gst::prelude::*;

/// Pads looked at in one search: more than any pipeline has on one path, and an end for one that is linked in a ring.
const MOST_PADS: usize = 512;

/// The nearest encoder that feeds `pad`, through whatever lies between, in and out of bins.
pub(super) fn encoder_before(pad: &gst::Pad) -> Option<gst::Element> {
    walk(pad, |pad| pad.parent_element().filter(is_encoder))
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
        let element = pad.parent_element()?;
        if is_of_class(&element, "Payloader") && payloader.is_none() {
            payloader = element.static_pad("src");
        }
        let sends = pad.name().starts_with("send_rtp_sink");
        let found = sends && element.factory().is_some_and(|f| f.name() == "rtpsession");
        found.then(|| RtpPath {
            session: element,
            rtp: payloader.take().unwrap_or_else(|| pad.clone()),
        })
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

fn is_of_class(element: &gst::Element, word: &str) -> bool {
    let class = element
        .factory()
        .and_then(|f| f.metadata("klass").map(str::to_owned));
    class.is_some_and(|class| class.split('/').any(|part| part == word))
}

/// Visits the pads linked beyond `start`, nearest first, until `wanted` answers. A ghost pad is passed through to
/// what is behind it, so that bins are never asked.
fn walk<T>(start: &gst::Pad, mut wanted: impl FnMut(&gst::Pad) -> Option<T>) -> Option<T> {
    let mut todo = VecDeque::from([start.clone()]);
    let mut seen = Vec::new();
    while let Some(pad) = todo.pop_front() {
        let Some(peer) = pad.peer().filter(|peer| !seen.contains(peer)) else {
            continue;
        };
        if seen.len() >= MOST_PADS {
            return None;
        }
        if !peer.is::<gst::ProxyPad>()
            && let Some(found) = wanted(&peer)
        {
            return Some(found);
        }
        todo.extend(internal_links(&peer));
        seen.push(peer);
    }
    None
}

fn internal_links(pad: &gst::Pad) -> Vec<gst::Pad> {
    let mut found = Vec::new();
    let Some(mut links) = iterate_internal_links(pad) else {
        return found;
    };
    for _ in 0..MOST_PADS {
        match links.next() {
            Ok(Some(pad)) => found.push(pad),
            Err(gst::IteratorError::Resync) => {
                found.clear();
                links.resync();
            }
            Ok(None) | Err(gst::IteratorError::Error) => break,
        }
    }
    found
}

/// The safe form of this panics where an element has no links to show, or a pad no parent.
fn iterate_internal_links(pad: &gst::Pad) -> Option<gst::Iterator<gst::Pad>> {
    // SAFETY: the function takes a valid pad and gives an iterator over pads that is ours, or NULL.
    unsafe {
        let links = gst::ffi::gst_pad_iterate_internal_links(pad.to_glib_none().0);
        (!links.is_null()).then(|| from_glib_full(links))
    }
}
