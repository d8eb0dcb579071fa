//! How full the queues behind are.

use gst::glib;
use gst::prelude::*;
use livetune_core::units::Ratio;

/// What a queue holds, as `queue`, `queue2` and the pads of `multiqueue` count it.
const MEASURES: [Measure; 3] = [
    Measure {
        level: "current-level-buffers",
        least: "min-threshold-buffers",
        most: "max-size-buffers",
    },
    Measure {
        level: "current-level-bytes",
        least: "min-threshold-bytes",
        most: "max-size-bytes",
    },
    Measure {
        level: "current-level-time",
        least: "min-threshold-time",
        most: "max-size-time",
    },
];

struct Measure {
    level: &'static str,
    /// Held on purpose.
    least: &'static str,
    /// 0: no limit.
    most: &'static str,
}

/// A queue; keeps it not alive.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// What tells the levels: a queue, or the pad of one that has many.
    levels: glib::WeakRef<gst::Object>,
    limits: glib::WeakRef<gst::Object>,
}

impl Queue {
    /// The queue that `pad` leads into, where it does.
    pub(super) fn behind(pad: &gst::Pad) -> Option<Self> {
        let element = pad.parent_element()?;
        let limits = element.upcast_ref::<gst::Object>();
        let has_levels = |object: &gst::Object| object.find_property(MEASURES[0].level).is_some();
        let pad: &gst::Object = pad.upcast_ref();
        let levels = [limits, pad]
            .into_iter()
            .find(|object| has_levels(object))?;
        Some(Self {
            levels: levels.downgrade(),
            limits: limits.downgrade(),
        })
    }

    /// How full it is, by the limit that it is nearest to; `None` where it has none, or is gone.
    pub(super) fn fill(&self) -> Option<Ratio> {
        let (levels, limits) = (self.levels.upgrade()?, self.limits.upgrade()?);
        let fills = MEASURES.iter().filter_map(|measure| {
            let least = number(&limits, measure.least).unwrap_or(0);
            let most = number(&limits, measure.most)?;
            fill(number(&levels, measure.level)?, least, most)
        });
        fills.max_by(|a, b| a.as_f64().total_cmp(&b.as_f64()))
    }
}

/// The part of a queue between what it always holds and its limit; `None` where it has none.
fn fill(level: u64, least: u64, most: u64) -> Option<Ratio> {
    (most > least).then(|| Ratio::of(level.saturating_sub(least), most - least))
}

fn number(object: &gst::Object, name: &str) -> Option<u64> {
    let spec = object.find_property(name)?;
    if !spec.flags().contains(glib::ParamFlags::READABLE) {
        return None;
    }
    let value = object.property_value(name);
    let number = value.get::<u32>().map(u64::from);
    number.or_else(|_| value.get::<u64>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_on_purpose_does_not_count() {
        assert_eq!(fill(5, 0, 10), Some(Ratio::new(0.5)));
        assert_eq!(fill(8, 8, 10), Some(Ratio::ZERO));
        assert_eq!(fill(9, 8, 10), Some(Ratio::new(0.5)));
        assert_eq!(fill(20, 0, 10), Some(Ratio::new(1.0)), "it may be overfull");
        assert_eq!(fill(20, 0, 0), None, "without a limit");
    }

    #[test]
    fn queues_are_known_by_their_levels() {
        gst::init().expect("GStreamer starts");
        for (factory, pad, is_one) in [
            ("queue", "sink", true),
            ("queue2", "sink", true),
            ("multiqueue", "sink_0", true),
            ("identity", "sink", false),
        ] {
            let element = gst::ElementFactory::make(factory).build();
            let element = element.expect("an element of GStreamer itself");
            let pad = element
                .static_pad(pad)
                .or_else(|| element.request_pad_simple(pad));
            let queue = Queue::behind(&pad.expect("a pad to push into"));
            let fill = queue.map(|queue| queue.fill());
            assert_eq!(fill, is_one.then_some(Some(Ratio::ZERO)), "{factory}");
        }
    }
}
