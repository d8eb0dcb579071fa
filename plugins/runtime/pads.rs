//! Pad templates of elements with one input and one output.

/// `sink` and `src`, always there, both with `caps`.
pub(crate) fn always(caps: &gst::Caps) -> Vec<gst::PadTemplate> {
    let directions = [
        ("sink", gst::PadDirection::Sink),
        ("src", gst::PadDirection::Src),
    ];
    directions
        .into_iter()
        .filter_map(|(name, direction)| {
            gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).ok()
        })
        .collect()
}
