//! The figures of the element as `stats`, messages and telemetry show them.

use std::time::Duration;

use livetune_core::latency::{
    BUCKETS, Counts, Figures, Histogram, RegressionChange, RegressionState, SlaChange, SlaState,
    Statistic, Summary,
};
use livetune_core::units::Ratio;

use super::service::Service;
use super::state::State;
use crate::runtime::figures::{Distribution, Figure, Value, structure};

pub(super) const STATS: &str = "application/x-livetune-latencytracer-stats";

/// Message `livetune-latency`: the figures of the interval just ended.
pub(super) fn latency(stage: &str, interval: &Figures, service: &Service) -> gst::Structure {
    let mut figures = common(stage, interval);
    figures.extend(limit(service, service.window_ratio()));
    structure("livetune-latency", &figures)
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

/// Message `livetune-regression`: latencies are worse than the baseline or no longer.
pub(super) fn regression(stage: &str, change: &RegressionChange) -> gst::Structure {
    let state = match change.state {
        RegressionState::Regressed => "regressed",
        RegressionState::Recovered => "recovered",
    };
    let statistic = match change.statistic {
        Statistic::Median => "median",
        Statistic::P95 => "p95",
    };
    let fields = [
        Figure::new("stage", Value::Text(stage.to_owned()), ""),
        Figure::new("state", Value::Text(state.to_owned()), ""),
        Figure::new("statistic", Value::Text(statistic.to_owned()), ""),
        Figure::new("baseline", Value::Duration(change.baseline), ""),
        Figure::new("value", Value::Duration(change.value), ""),
        Figure::new("p-value", Value::Number(change.p_value), ""),
    ];
    let mut structure = structure("livetune-regression", &fields);
    structure.set("shift", change.shift);
    structure
}

/// Everything since the start.
pub(super) fn total(state: &State) -> Vec<Figure> {
    let (point, service) = (&state.point, &state.service);
    let mut figures = common(&state.stage, &point.total());
    figures.extend(limit(service, service.total_ratio()));
    figures.push(Figure::new(
        "regressed",
        Value::Level(state.regression.is_worse().into()),
        "1 where latencies are worse than the baseline, else 0",
    ));
    figures.extend(gaps(&point.gaps()));
    figures.extend(distributions(point.ages(), point.transits()));
    let help = "Time between successive frames";
    figures.push(Figure::new(
        "gap",
        Value::Distribution(distribution(point.intervals())),
        help,
    ));
    figures
}

/// Of a stage: for telemetry.
pub(super) fn distributions(ages: &Histogram, transits: &Histogram) -> [Figure; 2] {
    let distribution = |name, histogram, help| {
        Figure::new(name, Value::Distribution(distribution(histogram)), help)
    };
    [
        distribution("latency", ages, "Time from capture to this stage"),
        distribution(
            "transit",
            transits,
            "Time from the stage before to this stage",
        ),
    ]
}

/// Of an interval or of all time: what every measured place knows.
pub(super) fn common(stage: &str, figures: &Figures) -> Vec<Figure> {
    let mut list = vec![Figure::new(
        "stage",
        Value::Text(stage.to_owned()),
        "Name of the stage",
    )];
    list.extend(ages(&figures.age));
    list.extend(transits(&figures.transit));
    list.extend([
        duration(
            "jitter",
            figures.jitter,
            "Change of the latency from frame to frame (RFC 3550, 6.4.1)",
        ),
        Figure::new("fps", Value::Number(figures.fps), "Frames per second"),
        Figure::new(
            "bitrate",
            Value::Bitrate(figures.bitrate),
            "Data per second",
        ),
    ]);
    list.extend(counts(&figures.counts));
    list
}

fn ages(age: &Summary) -> [Figure; 8] {
    [
        Figure::new("count", Value::Count(age.count), "Frames seen"),
        duration("min", age.min, "Shortest latency"),
        duration("mean", age.mean, "Mean latency"),
        duration("p50", age.p50, "Half of the frames were at most this late"),
        duration("p90", age.p90, "90 % of the frames were at most this late"),
        duration("p95", age.p95, "95 % of the frames were at most this late"),
        duration("p99", age.p99, "99 % of the frames were at most this late"),
        duration("max", age.max, "Longest latency"),
    ]
}

fn transits(transit: &Summary) -> [Figure; 5] {
    [
        duration(
            "transit-mean",
            transit.mean,
            "Mean time from the stage before",
        ),
        duration(
            "transit-p50",
            transit.p50,
            "Half of the frames took at most this long from the stage before",
        ),
        duration(
            "transit-p95",
            transit.p95,
            "95 % of the frames took at most this long from the stage before",
        ),
        duration(
            "transit-p99",
            transit.p99,
            "99 % of the frames took at most this long from the stage before",
        ),
        duration(
            "transit-max",
            transit.max,
            "Longest time from the stage before",
        ),
    ]
}

/// Of an interval or of all time.
pub(super) fn gaps(gap: &Summary) -> [Figure; 3] {
    [
        duration(
            "gap-p50",
            gap.p50,
            "Half of the frames came at most this long after the one before",
        ),
        duration(
            "gap-p99",
            gap.p99,
            "99 % of the frames came at most this long after the one before",
        ),
        duration("gap-max", gap.max, "Longest time without a frame"),
    ]
}

fn counts(counts: &Counts) -> [Figure; 8] {
    let count = |name, value, help| Figure::new(name, Value::Count(value), help);
    [
        count(
            "buffers",
            counts.buffers,
            "Buffers seen: a frame may come in several",
        ),
        count(
            "lost",
            counts.lost,
            "Frames that did not come though later ones did",
        ),
        count(
            "duplicated",
            counts.duplicated,
            "Frames that came again at another time",
        ),
        count(
            "late",
            counts.late,
            "Frames over 20 ms older than the latency that the pipeline plays with",
        ),
        count(
            "negative",
            counts.negative,
            "Frames that came before their capture time, recorded as not late",
        ),
        count(
            "unstamped",
            counts.unstamped,
            "Frames at a first tap without PTS, clock or time segment, taken as new",
        ),
        count(
            "inferred",
            counts.inferred,
            "Frames that an element stripped of their meta, known again by their running time or order",
        ),
        count(
            "network",
            counts.network,
            "Frames whose capture time came over the network",
        ),
    ]
}

fn limit(service: &Service, ratio: Ratio) -> [Figure; 3] {
    [
        duration("sla", service.limit(), "Limit on the latency, 0 is none"),
        Figure::new(
            "violations",
            Value::Count(service.violations()),
            "Frames over the limit since the start",
        ),
        Figure::new(
            "violation-ratio",
            Value::Ratio(ratio),
            "Part of the frames that were over the limit",
        ),
    ]
}

fn duration(name: &'static str, value: Duration, help: &'static str) -> Figure {
    Figure::new(name, Value::Duration(value), help)
}

fn distribution(histogram: &Histogram) -> Distribution {
    let bounds = BUCKETS.iter().map(Duration::as_secs_f64);
    let bounds = bounds.chain([f64::INFINITY]);
    Distribution {
        buckets: bounds.zip(histogram.distribution(&BUCKETS)).collect(),
        sum: histogram.sum().as_secs_f64(),
        count: histogram.count(),
    }
}
