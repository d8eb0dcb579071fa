//! The stock elements inside: a scaler, and the filter that tells it the size.

use gst::prelude::*;

/// The scaler and the filter behind it, linked.
#[derive(Clone, Debug)]
pub(super) struct Scaler {
    scale: gst::Element,
    size: gst::Element,
}

impl Scaler {
    /// Puts a scaler into `bin`.
    pub(super) fn new(bin: &gst::Bin) -> Result<Self, gst::ErrorMessage> {
        let scaler = Self {
            scale: make(
                "videoscale",
                "scale",
                "GStreamer Base Plugins (Debian: gstreamer1.0-plugins-base)",
            )?,
            size: make(
                "capsfilter",
                "size",
                "GStreamer itself (Debian: libgstreamer1.0-0)",
            )?,
        };
        // The shape is kept by the sizes asked for: borders would only fill a last line lost to rounding. Late frames
        // are for the sink to drop, which counts them. Of the methods this is the fastest: 4K to 720p in 3 ms on one
        // thread, where bilinear2 takes 6; a second thread costs more than it saves.
        scaler.scale.set_property("add-borders", false);
        scaler.scale.set_property("qos", false);
        scaler.scale.set_property_from_str("method", "bilinear");
        let parts = [&scaler.scale, &scaler.size];
        let linked = bin
            .add_many(parts)
            .and_then(|()| scaler.scale.link(&scaler.size));
        linked.map_err(|error| {
            gst::error_msg!(
                gst::CoreError::Failed,
                ("The scaler cannot be put in place: {error}")
            )
        })?;
        Ok(scaler)
    }

    /// Where frames go in.
    pub(super) fn input(&self) -> Option<gst::Pad> {
        self.scale.static_pad("sink")
    }

    /// Where they come out.
    pub(super) fn output(&self) -> Option<gst::Pad> {
        self.size.static_pad("src")
    }

    /// Only `caps` come out from the next frame on. To be called where frames go in, between two of them.
    pub(super) fn set_output(&self, caps: &gst::Caps) {
        self.size.set_property("caps", caps);
    }
}

fn make(factory: &str, name: &str, package: &str) -> Result<gst::Element, gst::ErrorMessage> {
    let made = gst::ElementFactory::make(factory).name(name).build();
    made.map_err(|error| {
        gst::error_msg!(
            gst::CoreError::MissingPlugin,
            ("The element {factory} is missing: install {package}"),
            ["{error}"]
        )
    })
}
