//! What an element knows of itself, said once: `stats`, messages and telemetry are made from the same list.

use gst::glib;
use gst::glib::prelude::*;
use livetune_core::units::{Bitrate, Ratio};
use std::time::Duration;

use livetune_core::time::nanos;

/// One named number (or word).
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// Field name in `stats` and messages: kebab-case, unique in its element.
    pub(crate) name: &'static str,
    /// What it says, for the reader of a metrics page.
    pub(crate) help: &'static str,
    pub(crate) value: Value,
}

/// A value with its unit. In brackets: its type in a structure, its kind in telemetry.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Grows only (guint64, counter).
    Count(u64),
    /// Goes up and down (guint64, gauge).
    Level(u64),
    /// Goes up and down, with a fraction (gdouble, gauge).
    Number(f64),
    /// Bytes held (guint64, gauge).
    Bytes(u64),
    /// (guint64 ns, gauge in seconds)
    Duration(Duration),
    /// Nanoseconds forward or back (gint64 ns, gauge in seconds)
    Offset(i64),
    /// (guint bit/s, gauge)
    Bitrate(Bitrate),
    /// 0 to 1 (gdouble, gauge).
    Ratio(Ratio),
    /// (gchararray, gauge 1 with the word as label)
    Text(String),
    /// Durations by size (not in structures, histogram in seconds).
    Distribution(Distribution),
    /// Durations by name (a structure of guint64 ns, a gauge in seconds for each).
    Durations(Vec<(String, Duration)>),
    /// Counts by name (a structure of guint64, a counter for each).
    Counts(Vec<(String, u64)>),
    /// Plain numbers by size (a structure whose fields are the bounds, histogram without a unit).
    Sizes(Distribution),
}

/// How many values fell below each bound. Durations are in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    /// Upper bound and the number of values between the bound before and this one; the last bound is infinite.
    pub(crate) buckets: Vec<(f64, u64)>,
    /// Sum of all values.
    pub(crate) sum: f64,
    /// Number of all values.
    pub(crate) count: u64,
}

impl Figure {
    pub(crate) fn new(name: &'static str, value: Value, help: &'static str) -> Self {
        Self { name, help, value }
    }
}

/// A structure called `name` with all `figures` that a structure can hold.
pub(crate) fn structure(name: &str, figures: &[Figure]) -> gst::Structure {
    let mut structure = gst::Structure::new_empty(name);
    for figure in figures {
        if let Some(value) = send_value(&figure.value) {
            structure.set_value(figure.name, value);
        }
    }
    structure
}

fn send_value(value: &Value) -> Option<glib::SendValue> {
    Some(match value {
        Value::Count(n) | Value::Level(n) | Value::Bytes(n) => n.to_send_value(),
        Value::Number(x) => x.to_send_value(),
        Value::Duration(duration) => nanos(*duration).to_send_value(),
        Value::Offset(nanos) => nanos.to_send_value(),
        Value::Bitrate(rate) => rate.as_bps_u32().to_send_value(),
        Value::Ratio(ratio) => ratio.as_f64().to_send_value(),
        Value::Text(text) => text.to_send_value(),
        Value::Sizes(sizes) => counts(sizes).to_send_value(),
        Value::Durations(times) => {
            let times = times.iter().map(|(name, time)| (name, nanos(*time)));
            by_name("durations", times).to_send_value()
        }
        Value::Counts(counts) => {
            let counts = counts.iter().map(|(name, count)| (name, *count));
            by_name("counts", counts).to_send_value()
        }
        Value::Distribution(_) => return None,
    })
}

fn by_name<'a>(name: &str, numbers: impl Iterator<Item = (&'a String, u64)>) -> gst::Structure {
    let mut structure = gst::Structure::new_empty(name);
    for (name, number) in numbers {
        structure.set(name, number);
    }
    structure
}

/// How many values fell below each bound, the bounds as names.
fn counts(sizes: &Distribution) -> gst::Structure {
    let mut structure = gst::Structure::new_empty("sizes");
    for (bound, count) in &sizes.buckets {
        let name = if bound.is_finite() {
            bound.to_string()
        } else {
            "more".to_owned()
        };
        structure.set(name, *count);
    }
    structure
}
