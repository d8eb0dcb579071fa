//! `livetune-target-bitrate`: what the network can carry, from adaptivebitrate up through the encoder.

use livetune_core::units::Bitrate;

const NAME: &str = "livetune-target-bitrate";

/// The rate that the encoder was told, and the limits that it is chosen between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetBitrate {
    pub(crate) bitrate: Bitrate,
    pub(crate) min: Bitrate,
    pub(crate) max: Bitrate,
    /// The network dropped or delayed packets; the rate was just lowered for that.
    pub(crate) congested: bool,
}

impl TargetBitrate {
    /// The event to send upstream.
    pub(crate) fn to_event(self) -> gst::Event {
        let structure = gst::Structure::builder(NAME)
            .field("bitrate", self.bitrate.as_bps_u32())
            .field("min", self.min.as_bps_u32())
            .field("max", self.max.as_bps_u32())
            .field("congested", self.congested)
            .build();
        gst::event::CustomUpstream::new(structure)
    }

    /// Reads `event`, or `None` where it is another one or lacks a field.
    pub(crate) fn from_event(event: &gst::EventRef) -> Option<Self> {
        let structure = event.structure().filter(|s| s.name() == NAME)?;
        let rate = |field| {
            let bps = structure.get::<u32>(field).ok()?;
            Some(Bitrate::from_bps(bps.into()))
        };
        Some(Self {
            bitrate: rate("bitrate")?,
            min: rate("min")?,
            max: rate("max")?,
            congested: structure.get("congested").ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_what_was_put_in() {
        gst::init().expect("GStreamer starts");
        let target = TargetBitrate {
            bitrate: Bitrate::from_kbps(900),
            min: Bitrate::from_kbps(100),
            max: Bitrate::from_kbps(4_000),
            congested: true,
        };
        assert_eq!(TargetBitrate::from_event(&target.to_event()), Some(target));
    }

    #[test]
    fn foreign_and_broken_events_are_left_alone() {
        gst::init().expect("GStreamer starts");
        let foreign = gst::event::Reconfigure::new();
        assert_eq!(TargetBitrate::from_event(&foreign), None);
        let broken = gst::event::CustomUpstream::new(gst::Structure::new_empty(NAME));
        assert_eq!(TargetBitrate::from_event(&broken), None);
    }
}
