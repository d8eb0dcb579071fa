//! An element as a stage of a path.

use gst::glib;
use gst::prelude::*;
use livetune_core::units::Ratio;

/// The levels of a queue and their limits.
const LEVELS: [(&str, &str); 3] = [
    ("current-level-buffers", "max-size-buffers"),
    ("current-level-bytes", "max-size-bytes"),
    ("current-level-time", "max-size-time"),
];

/// Its name with those of the bins around it, without the pipeline's.
pub(super) fn qualified_name(element: &gst::Element) -> String {
    let mut name = element.name().to_string();
    let mut parent = element.parent();
    while let Some(bin) = parent {
        parent = bin.parent();
        if parent.is_some() {
            name = format!("{}/{name}", bin.name());
        }
    }
    name
}

/// How full the queue is that `pad` belongs to, or `None` where it is none.
pub(super) fn fill(element: &gst::Element, pad: &gst::Pad) -> Option<Ratio> {
    let (element, pad) = (element.upcast_ref::<glib::Object>(), pad.upcast_ref());
    let holder = [element, pad]
        .into_iter()
        .find(|object| object.has_property(LEVELS[0].0));
    let Some(holder) = holder else {
        let named = element.downcast_ref::<gst::Element>();
        let factory = named.and_then(ElementExt::factory);
        return factory
            .is_some_and(|factory| factory.name() == "downloadbuffer")
            .then_some(Ratio::ZERO);
    };
    let fullest = LEVELS
        .iter()
        .filter_map(|(level, limit)| {
            let level = number(holder, level)?;
            let limit = number(holder, limit).or_else(|| number(element, limit))?;
            (limit > 0).then(|| Ratio::of(level, limit))
        })
        .fold(Ratio::ZERO, |most, one| {
            if one.as_f64() > most.as_f64() {
                one
            } else {
                most
            }
        });
    Some(fullest)
}

fn number(object: &glib::Object, property: &str) -> Option<u64> {
    let spec = object.find_property(property)?;
    if !spec.flags().contains(glib::ParamFlags::READABLE) {
        return None;
    }
    let value = object.property_value(property);
    let small = value.get::<u32>().map(u64::from);
    small.or_else(|_| value.get::<u64>()).ok()
}
