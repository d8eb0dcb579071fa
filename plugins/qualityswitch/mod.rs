//! `qualityswitch`: gives up size and frame rate where the machine or the network is full, and gets them back.
//!
//! Place it right before the encoder, behind a tee where other branches want the full picture:
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! qualityswitch ! x264enc tune=zerolatency ! adaptivebitrate ! ...
//! gst-launch-1.0 videotestsrc ! qualityswitch auto=false level=low ! autovideosink
//! ```
//!
//! # The ladder
//!
//! A ladder names the levels of quality, its rungs. Each is a box that the picture must fit in (its shape is kept, the
//! sides come out even, the box lies on its side for upright video) and the most frames per second. A rung never goes
//! above the input; where its box holds the input, frames pass untouched and uncopied. `max-rung` and `min-rung` bound it,
//! `step-mode` and `preference` say what of size and rate is given up first, and `preference=paced` moves the rate alone, by
//! the mean time of 50 frames.
//!
//! The frame rate comes down by dropping frames, evenly by their time stamps; caps keep the frame rate of the input, so
//! that this costs the encoder no key frame. A change of size is a change of caps between two frames: the encoder starts
//! over with a key frame, and no frame is lost. Encoders that look ahead (x264enc without `tune=zerolatency`, B-frames) hold
//! frames: load shows in them late or not at all, and they stand still for half a second or more at a change of size. A
//! warning says so once, with what to set. `matroskamux` refuses a change of size: `step-mode=rate` is for it. Where the elements behind do not
//! take the size of a rung, the next one that they take is sent, and a warning says so. No latency is added.
//!
//! # What moves the level
//!
//! With `auto=true`, `sensors`, in the order of trust: how long the elements behind work on a frame (`chain`, every thread
//! behind queues too), how full the queues behind are (`queue`), the latency that `livetune-load` events of `latencytracer`
//! (with `sla`) and `gpuinfer` tell (`latency`, against `latency-target` or what the event says), frames late at the sink
//! (`qos`), the bit rate that `livetune-target-bitrate` events name (`network`), the quota of the control group
//! (`throttling`), pressure stall information (`pressure`), NVML (`gpu`, where elements behind use one). The first two and the
//! last three speak where frames come from something live: a file that waits for its sink is busy all the time and not
//! loaded. An element that waits for the clock (`sync=true`) is not counted as work. Where nothing speaks the level stays, and
//! an info message says so once.
//!
//! It goes down as soon as a sensor has found too much for `down-hold` (the network: at once), over several rungs where it is
//! far too much; up one rung at a time, when the load that is projected for it (pixels a second, corrected by what was
//! measured) has been under `up-projected-max` for `up-hold`, and the network carries 1.15 times its need. Each step up that
//! fails doubles that wait, up to 240 s; where the machine stays as full as when it failed, the wait is 300 s. Nothing is believed for `settle` after a change. The policy is
//! `livetune_core::quality`.
//!
//! Elements of a process with the same `group` share a machine: one changes at a time, the least `priority` down first, the
//! greatest up first. Where the machine is not full (pressure, quota, GPU, processors) and no other of the group has too
//! much, the load is the element's own, that of its encoder or sink, and it steps down itself. Where the machine is full and
//! others gave way without that being a help, it does so too, and they have their levels back.
//!
//! The encoder behind goes along: its bit rate is lowered before a step down and raised after a step up, in proportion to
//! what the user set it to (bits need grow with pixels a second to the power of 0.75), unless an `adaptivebitrate` stands
//! behind it, which does that itself. At the end it is as it was.
//!
//! # Renditions
//!
//! Several encoders of one picture can be linked to `sink_%u` instead of raw video to `sink`. A rung then is the largest
//! rendition that fits in it. Another one takes over with a key frame, which is asked for (GstForceKeyUnit) until it comes;
//! until then the old one goes on, and where the new one is ahead it waits for the old one, at most 100 ms. All encoders run
//! all the time, also those that nobody sees.
//!
//! # What it tells
//!
//! Each change: the signal `level-changed` (level before, level now, reason), notify of `level`, and the message
//! `livetune-quality`. A reason is the sensor's name, `group`, `manual`, or `input` where another input or downstream left no
//! choice. `stats` and telemetry have the time at each level and by each reason.
//!
//! Passed on untouched at every rung, only with frames dropped: video in memory that the `scaler` does not take (a warning
//! says so). Not even that: video whose fields come in buffers of their own. Frames without a time stamp are never
//! dropped.
use gst::glib;
use gst::prelude::*;

mod account;
mod ahead;
mod dataflow;
mod element;
mod group;
mod hearing;
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
