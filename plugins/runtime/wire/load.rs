//! `livetune-load`: how long frames take somewhere downstream, and how long they may.

use std::time::Duration;

use livetune_core::time::nanos;

const NAME: &str = "livetune-load";

/// What a stage takes and should take at most.
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
    }
}
