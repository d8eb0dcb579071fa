//! The figures of the element as `stats`, messages and telemetry show them.

use std::time::Duration;

use livetune_core::latency::{BUCKETS, Figures, SlaChange, SlaState, StageMeter};

use super::state::Counts;
use crate::runtime::figures::{Distribution, Figure, Value, structure};

pub(super) const STATS: &str = "application/x-livetune-latencytracer-stats";

/// Message `livetune-latency`: the figures of the interval just ended.
pub(super) fn latency(stage: &str, figures: &Figures, sla: Duration) -> gst::Structure {
    structure("livetune-latency", &common(stage, figures, sla))
}

/// Message `livetune-sla`: the limit broke or holds again.
pub(super) fn sla(stage: &str, change: &SlaChange) -> gst::Structure {
    let state = match change.state {
        SlaState::Violated => "violated",
        SlaState::Restored => "restored",
    };
    let fields = [
        Figure::new("stage", Value::Text(stage.to_owned()), ""),
        Figure::new("state", Value::Text(state.to_owned()), ""),
        Figure::new("value", Value::Duration(change.value), ""),
        Figure::new("limit", Value::Duration(change.limit), ""),
    ];
    structure("livetune-sla", &fields)
}

/// Everything since the start.
pub(super) fn total(stage: &str, meter: &StageMeter, counts: &Counts) -> Vec<Figure> {
    let total = meter.total();
    let mut figures = common(stage, &total, meter.sla());
    figures.extend([
        Figure::new(
            "unstamped",
            Value::Count(counts.unstamped),
            "Buffers at a first tap without PTS, clock or time segment, taken as new",
        ),
        Figure::new(
            "negative",
            Value::Count(counts.negative),
            "Buffers that came before their capture time, recorded as not late",
        ),
        Figure::new(
            "network",
            Value::Count(counts.network),
            "Buffers whose capture time came over the network",
        ),
        Figure::new(
            "latency",
            Value::Distribution(distribution(meter, total.count)),
            "Time from capture to this stage",
        ),
    ]);
    figures
}

fn common(stage: &str, figures: &Figures, sla: Duration) -> Vec<Figure> {
    let duration = |name, value, help| Figure::new(name, Value::Duration(value), help);
    vec![
        Figure::new("stage", Value::Text(stage.to_owned()), "Name of the stage"),
        Figure::new("count", Value::Count(figures.count), "Buffers seen"),
        duration("min", figures.min, "Shortest latency"),
        duration("mean", figures.mean, "Mean latency"),
        duration(
            "p50",
            figures.p50,
            "Half of the buffers were at most this late",
        ),
        duration(
            "p90",
            figures.p90,
            "90 % of the buffers were at most this late",
        ),
        duration(
            "p95",
            figures.p95,
            "95 % of the buffers were at most this late",
        ),
        duration(
            "p99",
            figures.p99,
            "99 % of the buffers were at most this late",
        ),
        duration("max", figures.max, "Longest latency"),
        Figure::new("fps", Value::Number(figures.fps), "Buffers per second"),
        Figure::new(
            "bitrate",
            Value::Bitrate(figures.bitrate),
            "Data per second",
        ),
        duration("sla", sla, "Limit on the latency, 0 is none"),
        Figure::new(
            "violations",
            Value::Count(figures.violations),
            "Buffers that were later than the limit",
        ),
        Figure::new(
            "violation-ratio",
            Value::Ratio(figures.violation_ratio()),
            "Part of the buffers that were later than the limit",
        ),
    ]
}

fn distribution(meter: &StageMeter, count: u64) -> Distribution {
    let bounds = BUCKETS.iter().map(Duration::as_secs_f64);
    let bounds = bounds.chain([f64::INFINITY]);
    Distribution {
        buckets: bounds.zip(meter.buckets().iter().copied()).collect(),
        sum: meter.sum().as_secs_f64(),
        count,
    }
}
