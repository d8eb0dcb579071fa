//! Looks along the pads of a pipeline, in and out of bins.

use std::collections::VecDeque;

use gst::glib::translate::{ToGlibPtr, from_glib_full};
use gst::prelude::*;

/// Pads looked at in one search: more than any pipeline has on one path, and an end for one that is linked in a ring.
const MOST_PADS: usize = 512;

/// What to do after a pad was looked at.
pub(crate) enum Step<T> {
    /// Look behind it too.
    On,
    /// Do not look behind it, but elsewhere.
    Around,
    /// Here it is.
    Found(T),
}

impl<T> From<Option<T>> for Step<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Self::On, Self::Found)
    }
}

/// Whether the class of `element`'s factory has `word` among its parts.
pub(crate) fn is_of_class(element: &gst::Element, word: &str) -> bool {
    let class = element
        .factory()
        .and_then(|f| f.metadata("klass").map(str::to_owned));
    class.is_some_and(|class| class.split('/').any(|part| part == word))
}

/// The element called `name` in the pipeline that `element` is in.
pub(crate) fn by_name(element: &gst::Element, name: &str) -> Option<gst::Element> {
    let mut top = element.parent()?;
    while let Some(parent) = top.parent() {
        top = parent;
    }
    top.downcast_ref::<gst::Bin>()?.by_name(name)
}

/// Visits the pads linked beyond `start`, nearest first, until `wanted` answers. A ghost pad is passed through to
/// what is behind it, so that bins are never asked.
pub(crate) fn walk<T>(start: &gst::Pad, mut look: impl FnMut(&gst::Pad) -> Step<T>) -> Option<T> {
    let mut todo = VecDeque::from([start.clone()]);
    let mut seen = Vec::new();
    while let Some(pad) = todo.pop_front() {
        let Some(peer) = pad.peer().filter(|peer| !seen.contains(peer)) else {
            continue;
        };
        if seen.len() >= MOST_PADS {
            return None;
        }
        let step = if peer.is::<gst::ProxyPad>() {
            Step::On
        } else {
            look(&peer)
        };
        match step {
            Step::On => todo.extend(internal_links(&peer)),
            Step::Around => (),
            Step::Found(found) => return Some(found),
        }
        seen.push(peer);
    }
    None
}

/// The pads of the same element that `pad` leads to, or comes from.
pub(crate) fn internal_links(pad: &gst::Pad) -> Vec<gst::Pad> {
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
