//! `qualityswitch`: sends video at the size and frame rate that the network carries, or that somebody chose.
//!
//! Place it right before the encoder, behind a tee where other branches want the full picture:
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! qualityswitch ! x264enc tune=zerolatency ! adaptivebitrate ! ...
//! gst-launch-1.0 videotestsrc ! qualityswitch auto=false level=low ! autovideosink
//! ```
//!
//! A ladder names the levels of quality, its rungs. Each is a box that the picture must fit in (its shape is kept, the
//! sides come out even, the box lies on its side for upright video) and the most frames per second. A rung never goes
//! above the input; where its box holds the input, frames pass untouched and uncopied.
//!
//! With `auto=true` the rung follows the bit rate that `livetune-target-bitrate` events from downstream name: down at
//! once when it is under what the rung needs, up one rung when 1.15 times the next one's need has held for 4 s; each
//! upgrade that fails within 40 s doubles that wait, up to 240 s. A rung needs what libwebrtc's table for H.264 says
//! (see `livetune_core::quality::bitrate_needed`). Without such events it stays on the rung it began with.
//!
//! The frame rate comes down by dropping frames, evenly by their time stamps; caps keep the frame rate of the input, so
//! that this costs the encoder no key frame. An encoder that shares out its bits by the frame rate of the caps, as
//! x264enc does, then sends less than it was told, in proportion; `adaptivebitrate` makes up for that. A change of size
//! is a change of caps between two frames: the encoder starts over with a key frame, and no frame is lost;
//! `matroskamux` refuses it. Where the elements behind do not take the size of a rung, the next one that they take is
//! sent, and a warning says so. No latency is added.
//!
//! Passed on untouched at every rung, only with frames dropped: video in memory other than the system's (a warning
//! says so). Not even that: video whose fields come in buffers of their own. Frames without a time stamp are never
//! dropped.
use gst::glib;
use gst::prelude::*;

mod account;
mod dataflow;
mod element;
mod group;
mod imp;
mod life;
mod looking;
mod options;
mod scaler;
mod sensors;
mod settings;
mod simulcast;
mod state;
mod steering;
mod switching;
mod tuning;
mod video;

pub use options::{Preference, ScalerChoice, StepMode};
pub use sensors::Sensors;

glib::wrapper! {
    /// Raw video in, raw video out, at the size and frame rate of the current level.
    pub struct QualitySwitch(ObjectSubclass<imp::QualitySwitch>)
        @extends gst::Bin, gst::Element, gst::Object,
        @implements gst::ChildProxy, gst::Preset;
}

/// Makes the element known as `qualityswitch`.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "qualityswitch",
        gst::Rank::NONE,
        QualitySwitch::static_type(),
    )
}
