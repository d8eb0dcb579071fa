//! Figures of many elements, sorted into the metric families that OpenMetrics wants.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::runtime::figures::{Figure, Value};
use crate::runtime::guard;

/// Label names and values, in the order in which they are shown.
pub(super) type Labels = Vec<(String, String)>;

/// All samples by metric name.
#[derive(Debug, Default)]
pub(super) struct Collected(BTreeMap<String, Family>);

#[derive(Debug)]
struct Family {
    help: &'static str,
    samples: Vec<(Labels, Value)>,
}

impl Collected {
    /// Adds what one element said, without what its labels say already.
    pub(super) fn add(&mut self, factory: &str, labels: &Labels, mut figures: Vec<Figure>) {
        figures.retain(|figure| labels.iter().all(|(label, _)| label != figure.name));
        for (figure, word) in figures.into_iter().flat_map(each_by_name) {
            let name = metric_name(factory, &figure);
            let mut labels = labels.clone();
            labels.extend(word.map(|word| ("value".to_owned(), word)));
            let family = self.0.entry(name).or_insert_with(|| Family {
                help: figure.help,
                samples: Vec::new(),
            });
            family.samples.push((labels, figure.value));
        }
    }
}

/// The samples that `figure` comes to, with the word that tells them apart.
fn each_by_name(figure: Figure) -> Vec<(Figure, Option<String>)> {
    let with = |value| Figure {
        value,
        ..figure.clone()
    };
    match &figure.value {
        Value::Text(word) => vec![(figure.clone(), Some(word.clone()))],
        Value::Durations(times) => {
            let times = times
                .iter()
                .map(|(name, time)| (name, Value::Duration(*time)));
            times
                .map(|(name, time)| (with(time), Some(name.clone())))
                .collect()
        }
        Value::Counts(counts) => {
            let counts = counts
                .iter()
                .map(|(name, count)| (name, Value::Count(*count)));
            counts
                .map(|(name, count)| (with(count), Some(name.clone())))
                .collect()
        }
        _ => vec![(figure, None)],
    }
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for (name, family) in &self.0 {
            let Some((_, first)) = family.samples.first() else {
                continue;
            };
            let unit = unit(first);
            let mut metric =
                encoder.encode_descriptor(name, family.help, unit.as_ref(), kind(first))?;
            for (labels, value) in &family.samples {
                encode_sample(metric.encode_family(labels)?, value)?;
            }
        }
        let help = "Panics caught in livetune's own code";
        encoder
            .encode_descriptor("panics", help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&guard::panics(), None)
    }
}

/// The name without its unit: the encoder appends that.
fn metric_name(factory: &str, figure: &Figure) -> String {
    let field = match figure.value {
        Value::Bytes(_) => figure.name.strip_suffix("-bytes"),
        Value::Ratio(_) => figure.name.strip_suffix("-ratio"),
        _ => None,
    };
    let field = field.unwrap_or(figure.name).replace('-', "_");
    format!("{factory}_{field}")
}

fn kind(value: &Value) -> MetricType {
    match value {
        Value::Count(_) => MetricType::Counter,
        Value::Distribution(_) | Value::Sizes(_) => MetricType::Histogram,
        _ => MetricType::Gauge,
    }
}

fn unit(value: &Value) -> Option<Unit> {
    match value {
        Value::Bytes(_) => Some(Unit::Bytes),
        Value::Duration(_) | Value::Offset(_) | Value::Distribution(_) => Some(Unit::Seconds),
        Value::Bitrate(_) => Some(Unit::Other("bits_per_second".to_owned())),
        Value::Ratio(_) => Some(Unit::Other("ratio".to_owned())),
        _ => None,
    }
}

fn encode_sample(mut metric: MetricEncoder<'_>, value: &Value) -> Result<(), fmt::Error> {
    match value {
        Value::Count(n) => metric.encode_counter::<NoLabelSet, _, u64>(n, None),
        Value::Level(n) | Value::Bytes(n) => metric.encode_gauge(&(*n as f64)),
        Value::Number(x) => metric.encode_gauge(x),
        Value::Duration(duration) => metric.encode_gauge(&duration.as_secs_f64()),
        Value::Offset(nanos) => metric.encode_gauge(&(*nanos as f64 / 1e9)),
        Value::Bitrate(rate) => metric.encode_gauge(&(rate.as_bps() as f64)),
        Value::Ratio(ratio) => metric.encode_gauge(&ratio.as_f64()),
        Value::Text(_) | Value::Durations(_) | Value::Counts(_) => metric.encode_gauge(&1_i64),
        Value::Distribution(d) | Value::Sizes(d) => {
            metric.encode_histogram::<NoLabelSet>(d.sum, d.count, &d.buckets, None)
        }
    }
}
