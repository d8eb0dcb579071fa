//! What the element knows of itself.

use livetune_core::infer::{BOUNDS, Stage, Stages, Timings};

use super::publish::Published;
use crate::runtime::figures::{Distribution, Figure, Value};

/// Counted since the start.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) model: String,
    frames: u64,
    errors: u64,
    objects: u64,
    looked_into: u64,
    published: Published,
    timings: Timings,
}

impl Report {
    pub(super) fn of(model: String) -> Self {
        Self {
            model,
            ..Self::default()
        }
    }

    /// A frame went through the network.
    pub(super) fn on_objects(&mut self, objects: usize, stages: Stages) {
        self.frames += 1;
        self.objects += objects as u64;
        self.timings.on_frame(stages);
    }

    /// A frame did not; whether it is the first such one.
    pub(super) fn on_error(&mut self) -> bool {
        self.frames += 1;
        self.errors += 1;
        self.errors == 1
    }

    /// The network looked into so many objects of another.
    pub(super) fn on_second_stage(&mut self, objects: usize) {
        self.looked_into += objects as u64;
    }

    /// What became of lines published so far.
    pub(super) fn on_published(&mut self, published: Published) {
        self.published = published;
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        let timings = &self.timings;
        let inferred = timings.count();
        let mean = self.objects as f64 / inferred.max(1) as f64;
        let text = Value::Text(self.model.clone());
        let stage = |stage| Value::Duration(timings.mean(stage));
        let percentile = |percent| Value::Duration(timings.percentile(percent));
        let mut figures = vec![
            Figure::new("model", text, "Path of the model"),
            Figure::new("frames", Value::Count(self.frames), "Frames passed on"),
            Figure::new(
                "inferred",
                Value::Count(inferred),
                "Frames that the network saw",
            ),
            Figure::new(
                "errors",
                Value::Count(self.errors),
                "Frames on which the network failed",
            ),
            Figure::new("objects", Value::Count(self.objects), "Objects found"),
            Figure::new(
                "objects-per-frame",
                Value::Number(mean),
                "Objects found per frame, mean",
            ),
            Figure::new(
                "preprocess",
                stage(Stage::Preprocess),
                "Frame to tensor, mean",
            ),
            Figure::new("inference", stage(Stage::Inference), "In the network, mean"),
            Figure::new(
                "postprocess",
                stage(Stage::Postprocess),
                "Output to objects, mean",
            ),
            Figure::new("p50", percentile(50.0), "All three, median"),
            Figure::new("p95", percentile(95.0), "All three, 95th percentile"),
            Figure::new("p99", percentile(99.0), "All three, 99th percentile"),
            Figure::new(
                "detection",
                self.distribution(),
                "Time from frame to objects",
            ),
        ];
        figures.extend(self.output_figures());
        figures
    }

    /// What became of the objects.
    fn output_figures(&self) -> [Figure; 3] {
        [
            Figure::new(
                "looked-into",
                Value::Count(self.looked_into),
                "Objects of another network that the network looked into",
            ),
            Figure::new(
                "published",
                Value::Count(self.published.lines),
                "Lines published",
            ),
            Figure::new(
                "publish-dropped",
                Value::Count(self.published.dropped),
                "Lines that nobody took in time",
            ),
        ]
    }

    fn distribution(&self) -> Value {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        Value::Distribution(Distribution {
            buckets: bounds.zip(self.timings.buckets().iter().copied()).collect(),
            sum: self.timings.sum().as_secs_f64(),
            count: self.timings.count(),
        })
    }
}
