//! Elements that tune live pipelines, in one GStreamer plugin.
use gst::glib;

mod adaptivebitrate;
mod bufferrecycler;
mod gpuinfer;
mod latencytracer;
mod qualityswitch;
mod runtime;

pub use runtime::telemetry::open_metrics;

/// Recycled memory without an element, for benchmarks and tests.
#[doc(hidden)]
pub use bufferrecycler::memory;

/// Engines without an element, for benchmarks.
#[doc(hidden)]
pub use gpuinfer::{Backend, BareEngine, onnx_runtime};

type Register = fn(&gst::Plugin) -> Result<(), glib::BoolError>;

/// Every element: factory name and how to register it. The tests walk this table.
#[doc(hidden)]
pub const ELEMENTS: &[(&str, Register)] = &[
    ("adaptivebitrate", adaptivebitrate::register),
    ("bufferrecycler", bufferrecycler::register),
    ("gpuinfer", gpuinfer::register),
    ("latencytracer", latencytracer::register),
    ("qualityswitch", qualityswitch::register),
];

/// Every tracer: its name in GST_TRACERS and how to register it.
#[doc(hidden)]
pub const TRACERS: &[(&str, Register)] = &[("livetune", latencytracer::tracer::register)];

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    ELEMENTS
        .iter()
        .chain(TRACERS)
        .try_for_each(|(_, register)| register(plugin))
}

gst::plugin_define!(
    livetune,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_REPOSITORY"),
    env!("BUILD_REL_DATE")
);
