//! The element between two pads of the test.

use gst::prelude::*;
use gst_check::Harness;

pub const SECOND: u64 = 1_000_000_000;

/// 720p at 30 frames a second.
pub const CAMERA: &str = "video/x-raw,format=I420,width=1280,height=720,framerate=30/1";

/// Rungs that differ in size only.
pub const SIZES: &str = "large=1280x720@30,middle=640x360@30,small=320x180@30";

/// The element, its neighbours and its bus.
pub struct Rig {
    pub harness: Harness,
    pub element: gst::Element,
    pub bus: gst::Bus,
    frame_size: usize,
}

impl Rig {
    /// A `qualityswitch` with these properties, deaf to all but the network, fed with video of `caps`.
    pub fn new(caps: &str, properties: &[(&str, &str)]) -> Self {
        crate::support::init();
        let element = gst::ElementFactory::make("qualityswitch").build().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        // Frames are pushed as fast as they can: no load is to be read from that.
        element.set_property_from_str("sensors", "network");
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        let harness = Harness::with_element(&element, Some("sink"), Some("src"));
        let mut rig = Self {
            harness,
            element,
            bus,
            frame_size: 0,
        };
        rig.set_caps(caps);
        rig
    }

    /// One with the level set by hand.
    pub fn at_level(caps: &str, level: &str) -> Self {
        Self::new(caps, &[("auto", "false"), ("level", level)])
    }

    /// Video of `caps` from now on.
    pub fn set_caps(&mut self, caps: &str) {
        let caps: gst::Caps = caps.parse().unwrap();
        let info = gst_video::VideoInfo::from_caps(&caps);
        self.frame_size = info.map_or(16, |info| info.size());
        self.harness.set_src_caps(caps);
    }

    pub fn set_level(&self, level: &str) {
        self.element.set_property("level", level);
    }

    pub fn level(&self) -> Option<String> {
        self.element.property("level")
    }

    /// A grey frame shown at `pts`.
    pub fn frame(&self, pts: Option<u64>) -> gst::Buffer {
        let mut buffer = gst::Buffer::from_mut_slice(vec![128_u8; self.frame_size]);
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(pts.map(gst::ClockTime::from_nseconds));
        writable.set_duration(gst::ClockTime::from_nseconds(SECOND / 30));
        buffer
    }

    /// Frame `number` of a camera with 30 frames a second.
    pub fn push(&mut self, number: u64) {
        let frame = self.frame(Some(number * SECOND / 30));
        self.harness.push(frame).unwrap();
    }

    /// The time stamps of what came out since the last call.
    pub fn pulled(&mut self) -> Vec<Option<u64>> {
        let buffers = std::iter::from_fn(|| self.harness.try_pull());
        buffers
            .map(|buffer| buffer.pts().map(gst::ClockTime::nseconds))
            .collect()
    }

    /// The caps that the source pad has.
    pub fn caps(&self) -> gst::Caps {
        self.element
            .static_pad("src")
            .unwrap()
            .current_caps()
            .unwrap()
    }

    /// The width and height that come out.
    pub fn size(&self) -> (i32, i32) {
        let caps = self.caps();
        let structure = caps.structure(0).unwrap();
        (
            structure.get("width").unwrap(),
            structure.get("height").unwrap(),
        )
    }

    /// The text of the next warning, if there is one.
    pub fn warning(&self) -> Option<String> {
        let message = self.bus.pop_filtered(&[gst::MessageType::Warning])?;
        match message.view() {
            gst::MessageView::Warning(warning) => Some(warning.error().to_string()),
            _ => None,
        }
    }

    /// The next message about a change of level, if there is one.
    pub fn news(&self) -> Option<gst::Structure> {
        let message = self.bus.pop_filtered(&[gst::MessageType::Element])?;
        let structure = message.structure().unwrap().to_owned();
        assert_eq!(structure.name(), "livetune-quality");
        Some(structure)
    }

    /// A counter of `stats`.
    pub fn count(&self, name: &str) -> u64 {
        crate::support::pipeline::stats(&self.element)
            .get(name)
            .unwrap()
    }
}

/// What adaptivebitrate says when the network carries `kbps`.
pub fn target(kbps: u32) -> gst::Event {
    let structure = gst::Structure::builder("livetune-target-bitrate")
        .field("bitrate", kbps * 1_000)
        .field("min", 100_000_u32)
        .field("max", 20_000_000_u32)
        .field("congested", false)
        .build();
    gst::event::CustomUpstream::new(structure)
}

/// What somebody behind says whose frames take `millis`, and may take `target`.
pub fn load(millis: u64, target: u64) -> gst::Event {
    let structure = gst::Structure::builder("livetune-load")
        .field("latency", millis * 1_000_000)
        .field("target", target * 1_000_000)
        .field("source", "infer0")
        .build();
    gst::event::CustomUpstream::new(structure)
}
