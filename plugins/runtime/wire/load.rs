//! `livetune-load`: how long frames take somewhere downstream, and how long they may.

use std::time::Duration;

use livetune_core::time::nanos;

const NAME: &str = "livetune-load";

/// What a stage takes and should take at most (zero: it has no opinion).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) latency: Duration,
    pub(crate) target: Duration,
    /// Name of the element that says it.
    pub(crate) source: String,
}

impl Load {
    /// The event to send upstream.
    pub(crate) fn to_event(&self) -> gst::Event {
        let structure = gst::Structure::builder(NAME)
            .field("latency", nanos(self.latency))
            .field("target", nanos(self.target))
            .field("source", &self.source)
            .build();
        gst::event::CustomUpstream::new(structure)
    }
}

impl Load {
    /// Reads `event`, or `None` where it is another one or lacks a field.
    pub(crate) fn from_event(event: &gst::EventRef) -> Option<Self> {
        let structure = event.structure().filter(|s| s.name() == NAME)?;
        let time = |field| structure.get::<u64>(field).ok().map(Duration::from_nanos);
        Some(Self {
            latency: time("latency")?,
            target: time("target")?,
            source: structure.get("source").ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_what_was_put_in() {
        gst::init().expect("GStreamer starts");
        let load = Load {
            latency: Duration::from_millis(90),
            target: Duration::from_millis(60),
            source: "infer".to_owned(),
        };
        let event = load.to_event();
        let structure = event.structure().expect("custom events have one");
        assert_eq!(structure.name(), NAME);
        assert_eq!(structure.get("latency"), Ok(90_000_000_u64));
        assert_eq!(structure.get("target"), Ok(60_000_000_u64));
        assert_eq!(structure.get::<&str>("source"), Ok("infer"));
        assert_eq!(Load::from_event(&event), Some(load));
    }

    #[test]
    fn foreign_and_broken_events_are_left_alone() {
        gst::init().expect("GStreamer starts");
        let foreign = gst::event::Reconfigure::new();
        assert_eq!(Load::from_event(&foreign), None);
        let broken = gst::event::CustomUpstream::new(gst::Structure::new_empty(NAME));
        assert_eq!(Load::from_event(&broken), None);
    }
}
