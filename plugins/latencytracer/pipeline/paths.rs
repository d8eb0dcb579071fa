//! The ways that frames take through a pipeline, from each source to each sink.

use std::sync::Arc;

use gst::prelude::*;

use super::inlet::End;
use super::outlet::Outlet;
use super::topology;

/// Ways that are told apart in one pipeline: more than anybody reads, and an end where many tees multiply them.
const MOST_WAYS: usize = 64;
/// Elements on one way.
const LONGEST: usize = 256;

/// Whoever measures pads.
pub(in crate::latencytracer) trait Net {
    /// What is measured at `pad`.
    fn outlet(&self, pad: &gst::Pad) -> Option<Arc<Outlet>>;
}

/// An element on a way, and the pad by which frames leave it.
#[derive(Clone)]
pub(super) struct Hop {
    pub(super) element: gst::Element,
    pub(super) pad: gst::Pad,
    pub(super) outlet: Arc<Outlet>,
}

/// From a source to where frames end.
pub(super) struct Way {
    pub(super) hops: Vec<Hop>,
    pub(super) sink: gst::Element,
    /// `None`: an element in the middle, out of which nothing came yet.
    pub(super) end: Option<Arc<End>>,
}

/// Every way through `top` that frames have taken. Takes the locks of elements and pads.
pub(super) fn find(net: &impl Net, top: &gst::Bin) -> Vec<Way> {
    let mut search = Search {
        net,
        ways: Vec::new(),
    };
    let mut elements = Vec::new();
    collect(top, &mut elements);
    for element in elements {
        for pad in element.src_pads() {
            if let Some(hop) = search.hop(&pad).filter(|hop| hop.outlet.begins()) {
                search.follow(vec![hop]);
            }
        }
    }
    search.ways
}

struct Search<'a, N> {
    net: &'a N,
    ways: Vec<Way>,
}

impl<N: Net> Search<'_, N> {
    /// The element of `pad`, where frames left by it.
    fn hop(&self, pad: &gst::Pad) -> Option<Hop> {
        Some(Hop {
            element: pad.parent_element()?,
            pad: pad.clone(),
            outlet: self.net.outlet(pad).filter(|outlet| outlet.is_used())?,
        })
    }

    fn follow(&mut self, hops: Vec<Hop>) {
        if self.ways.len() >= MOST_WAYS || hops.len() >= LONGEST {
            return;
        }
        let Some(last) = hops.last() else {
            return;
        };
        let Some(peer) = topology::peer(&last.pad) else {
            return;
        };
        let next: Vec<Hop> = topology::across(&peer)
            .iter()
            .filter(|pad| hops.iter().all(|hop| hop.pad != **pad))
            .filter_map(|pad| self.hop(pad))
            .collect();
        if next.is_empty()
            && let Some(sink) = peer.parent_element()
        {
            let end = last.outlet.end();
            self.ways.push(Way { hops, sink, end });
            return;
        }
        for hop in next {
            self.follow(hops.iter().cloned().chain([hop]).collect());
        }
    }
}

/// The elements of `bin` and of the bins in it, sources first as bins sort them last.
fn collect(bin: &gst::Bin, elements: &mut Vec<gst::Element>) {
    for element in bin.children().into_iter().rev() {
        match element.downcast::<gst::Bin>() {
            Ok(bin) => collect(&bin, elements),
            Err(element) => elements.push(element),
        }
    }
}
