//! `livetune`: the tracer that measures every element of every pipeline of a process that was not changed.
//!
//! ```text
//! GST_TRACERS=livetune my-program
//! GST_TRACERS="livetune(interval=5000,report=interval)" gst-launch-1.0 v4l2src ! videoconvert ! x264enc ! fakesink
//! ```
//!
//! At the end of each pipeline it prints on stderr which way frames took from each source to each sink, how long each
//! element held them, and which one held them longest. Parameters, all optional:
//!
//! | name | values | meaning |
//! | --- | --- | --- |
//! | `report` | `none`, `eos`, `interval` | when to print: never, at the end of each pipeline (the default), or while it runs too |
//! | `interval` | milliseconds | how often, and over how much time (5000) |
//! | `report-format` | `table`, `json` | for people (the default), or one JSON object for each stage |
//! | `report-location` | file | where to print instead of stderr |
//! | `log-location` | file | a log of HdrHistograms, one for each stage and interval |
//! | `filter` | name | only pipelines called so; `*` stands for any letters |
//! | `enabled` | `true`, `false` | `false`: nothing is hooked, and it costs nothing |
//!
//! A program that knows of it finds it by `gst_tracing_get_active_tracers()` and emits `snapshot` for a structure of all
//! pipelines, or `reset` to begin anew.

use gst::glib;
use gst::prelude::*;

mod attach;
mod imp;
mod offset;
mod params;
mod pipelines;
mod reports;

glib::wrapper! {
    /// The tracer's public Rust type.
    pub struct LiveTuneTracer(ObjectSubclass<imp::LiveTuneTracer>)
        @extends gst::Tracer, gst::Object;
}

pub(super) const NAME: &str = "livetune";

pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Tracer::register(Some(plugin), NAME, LiveTuneTracer::static_type())
}
