//! `latencytracer`: how late buffers are at its place of the pipeline.
//!
//! The first tap that a frame comes to notes when the frame was captured (now, less the age that its running time
//! shows) in a `livetune-capture` meta, which passes converters, codecs, payloaders and queues with the frame. Every
//! later tap measures from there. Put one behind the source and one wherever you want to know:
//!
//! ```text
//! gst-launch-1.0 -m v4l2src ! latencytracer stage=capture ! videoconvert ! x264enc tune=zerolatency \
//!     ! latencytracer stage=encoded ! avdec_h264 ! latencytracer stage=displayed sla=100 ! autovideosink
//! ```
//!
//! With `network=true` a tap also attaches the capture time as NTP time, which RTP carries to a receiver (header
//! extension ntp-64); there the first tap reads it and goes on from it. The clocks of both machines must agree.
//!
//! Elements that lose metas (compositor, mpegtsmux, flvmux, deinterlace) make the tap behind them a first tap. The
//! buffers of a file that is read faster than it plays come before their time; they are taken as new and counted as
//! `negative`.
//!
//! Percentiles come from HDR histograms (G. Tene, <https://hdrhistogram.org>) and are at most 1 % off.

use std::sync::Arc;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

mod capture_meta;
mod dataflow;
mod imp;
mod ntp_stamp;
mod output;
mod pipeline;
mod place;
mod reading;
mod report;
mod running_time;
mod service;
mod settings;
mod state;
pub(crate) mod tracer;

glib::wrapper! {
    /// The element's public Rust type.
    pub struct LatencyTracer(ObjectSubclass<imp::LatencyTracer>)
        @extends gst::Element, gst::Object,
        @implements gst::Preset;
}

/// What the limit is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneLatencyTracerSlaOn")]
pub enum SlaOn {
    /// The time since the capture of each frame.
    #[default]
    #[enum_value(name = "Time since the capture of each frame", nick = "age")]
    Age,
    /// The time that each frame took from the tap before this one.
    #[enum_value(name = "Time from the tap before this one", nick = "transit")]
    Transit,
}

impl LatencyTracer {
    fn place(&self) -> Arc<place::Place> {
        self.imp().place()
    }
}

const FACTORY: &str = "latencytracer";

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let kind = LatencyTracer::static_type();
    gst::Element::register(Some(plugin), FACTORY, gst::Rank::NONE, kind)
}
