//! Finds what carries the stream away: RTP sessions and sinks downstream, at any depth of bins.

use gst::prelude::*;

use crate::runtime::walk::{Step, is_of_class, walk};

/// Branches of one stream that are followed.
const MOST: usize = 16;

/// What carries the stream, and how it can be asked.
#[derive(Clone, Debug)]
pub(in super::super) struct Found {
    /// The element that is asked.
    pub(in super::super) element: gst::Element,
    pub(super) way: Way,
}

#[derive(Clone, Debug)]
pub(super) enum Way {
    /// An RTP session, and the pad on which its RTP leaves the payloader.
    Session(gst::Pad),
    Srt,
    /// A sink that lets its input wait, and the pad where it does.
    Pressure(gst::Pad),
    /// A sink that says nothing and never waits.
    Deaf,
}

impl Found {
    fn new(element: &gst::Element, way: Way) -> Self {
        Self {
            element: element.clone(),
            way,
        }
    }

    /// What is asked is `named`, or part of it.
    fn belongs_to(&self, named: &gst::Element) -> bool {
        self.element == *named || self.element.has_as_ancestor(named)
    }
}

/// Everything that carries what leaves `pad`.
pub(in super::super) fn behind(pad: &gst::Pad) -> Vec<Found> {
    let mut found = Vec::new();
    let mut payloader = None;
    walk::<()>(pad, |pad| {
        let Some(element) = pad.parent_element() else {
            return Step::On;
        };
        if is_of_class(&element, "Payloader") && payloader.is_none() {
            payloader = element.static_pad("src");
        }
        let Some(way) = way(&element, pad, payloader.as_ref()) else {
            return Step::On;
        };
        if found.len() < MOST {
            found.push(Found::new(&element, way));
        }
        Step::Around
    });
    found
}

/// What carries the stream in `named`: of what `behind` found, or the element itself.
pub(in super::super) fn in_element(named: &gst::Element, behind: Vec<Found>) -> Vec<Found> {
    let (within, _): (Vec<_>, Vec<_>) = behind.into_iter().partition(|f| f.belongs_to(named));
    if !within.is_empty() {
        return within;
    }
    let pads = named.sink_pads().into_iter();
    pads.filter_map(|pad| way(named, &pad, None).map(|way| Found::new(named, way)))
        .take(1)
        .collect()
}

fn way(element: &gst::Element, pad: &gst::Pad, payloader: Option<&gst::Pad>) -> Option<Way> {
    let factory = element.factory()?.name();
    match factory.as_str() {
        "rtpsession" => {
            let sends = pad.name().starts_with("send_rtp_sink");
            sends.then(|| Way::Session(payloader.unwrap_or(pad).clone()))
        }
        "srtsink" | "srtclientsink" | "srtserversink" => Some(Way::Srt),
        // Datagrams and what throws away never wait; souphttpclientsink queues without a limit.
        "udpsink" | "multiudpsink" | "dynudpsink" | "fakesink" | "souphttpclientsink" => {
            Some(Way::Deaf)
        }
        _ => {
            let sink = element.element_flags().contains(gst::ElementFlags::SINK);
            (sink && !element.is::<gst::Bin>()).then(|| Way::Pressure(pad.clone()))
        }
    }
}
