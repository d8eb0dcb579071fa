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
//! With `network=true` a tap sends the capture time along with RTP: it makes every payloader behind it, in bins and
//! branches too, write the time into each packet (header extension ntp-64), and RTP sessions leave it as it is. `sei=true`,
//! at a tap behind the encoder, puts it into H.264 or H.265 video instead, for SRT, RTMP, transport streams and files; the
//! frame is not copied for that. At the receiver the first tap reads either and goes on from it; `network-p50` and the like
//! are what it found. The clocks of both machines must agree, or both pipelines follow one NTP or PTP clock;
//! `clock-offset` is added to this machine's.
//!
//! Three times are told apart. The *age* of a frame (`p50`, `p95`, ...) counts from its capture: what a viewer suffers,
//! and what a slow source does to it shows. The *transit* (`transit-p50`, ...) counts from the tap before: what the
//! stretch between them takes, queues included. The *gap* is the time between two frames. A frame that comes in several
//! buffers (packets, slices) is measured by the first of them.
//!
//! Frames that never come though later ones do are `lost`, frames that come twice `duplicated`, frames older than the
//! latency that the pipeline was configured with `late`. Elements that lose metas (compositor, mpegtsmux, flvmux,
//! deinterlace) make frames anonymous: the tap behind them knows them again by their running time, else takes them for
//! the one that came last to the tap before, and counts them as `inferred`. The buffers of a file that is read faster
//! than it plays come before their time; they are taken as new and counted as `negative`.
//!
//! `sla` is a limit on a percentile over a sliding window; the presets `capture`, `preprocess`, `inference`,
//! `postprocess`, `encode`, `network`, `end-to-end` and `end-to-end-p95` are the budget of a camera pipeline of 100 ms.
//! A `qualityswitch` upstream is told of the mean four times a second where a limit is set (event `livetune-load`), and
//! gives up quality for it.
//!
//! `baseline` (a minute, say) or the file `baseline-location` is what latencies are compared with: a `livetune-regression`
//! message says when they have got worse, by a rank-sum test on blocks of a second that takes their correlation into
//! account (Mann and Whitney 1947; Bayley and Hammersley 1946), and when they are as good again.
//!
//! `scope=pipeline` measures every element of the pipeline too, in bins and added later as well, without a tap anywhere
//! else: a `livetune-latency` message for each end of a path has the stages in stream order, with their transits, shares
//! and the bottleneck; `stats`, `snapshot` and reports have the same. For programs that cannot be changed there is the
//! tracer `livetune`: `GST_TRACERS=livetune my-program`.
//!
//! `report=eos` or `report=interval` writes what all taps on the way to this one measured, as a table or as JSON lines: the
//! share of each stretch from tap to tap, its transit and age, and the bottleneck. `log-location` keeps every distribution
//! as an HdrHistogram log. The signal `snapshot` answers with the same as a structure, `reset` forgets all figures:
//!
//! ```text
//! gst-launch-1.0 -e v4l2src ! latencytracer stage=capture ! x264enc ! latencytracer stage=encoded ! queue \
//!     ! avdec_h264 ! latencytracer stage=displayed report=eos log-location=run.hlog ! autovideosink
//! ```
//!
//! Percentiles come from log-linear histograms (G. Tene, <https://hdrhistogram.org>) and are at most 0.8 % off.

use std::sync::Arc;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::latency::Measured;

mod announce;
mod baseline_file;
mod capture_meta;
mod dataflow;
mod imp;
mod life;
mod measure;
mod network;
mod output;
mod pipeline;
mod place;
mod reading;
mod regression;
mod report;
mod running_time;
mod scope;
mod service;
mod settings;
mod signals;
mod snapshot;
mod state;
pub(crate) mod tracer;
mod tuning;

glib::wrapper! {
    /// The element's public Rust type.
    pub struct LatencyTracer(ObjectSubclass<imp::LatencyTracer>)
        @extends gst::Element, gst::Object,
        @implements gst::Preset;
}

/// What is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneLatencyTracerScope")]
pub enum Scope {
    /// The element's own place.
    #[default]
    #[enum_value(name = "This place of the stream", nick = "self")]
    Own,
    /// Every element of the pipeline.
    #[enum_value(
        name = "This place, and every element of the pipeline and of the bins in it",
        nick = "pipeline"
    )]
    Pipeline,
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

impl SlaOn {
    /// The value of `frame` that is meant.
    const fn of(self, frame: &Measured) -> Option<Duration> {
        match self {
            Self::Age => Some(frame.age),
            Self::Transit => frame.transit,
        }
    }
}

/// When a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneLatencyTracerReport")]
pub enum ReportAt {
    /// Never.
    #[default]
    #[enum_value(name = "No report", nick = "none")]
    None,
    /// At the end of the stream, or when it is stopped before.
    #[enum_value(
        name = "At the end of the stream, or when it is stopped before: of all the time",
        nick = "eos"
    )]
    Eos,
    /// After each interval and at the end.
    #[enum_value(
        name = "After each interval and at the end: of the interval",
        nick = "interval"
    )]
    Interval,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneLatencyTracerReportFormat")]
pub enum ReportFormat {
    /// For people.
    #[default]
    #[enum_value(name = "Table of the stages, for people", nick = "table")]
    Table,
    /// For programs.
    #[enum_value(name = "JSON lines: one object for each stage", nick = "json")]
    Json,
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
