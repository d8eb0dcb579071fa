//! What the element knows of itself.

use std::time::Duration;

use livetune_core::infer::{BOUNDS, Boxes, Cause, Stage, Timings};
use livetune_core::time::MediaTime;

use super::flow::Known;
use super::instance::Answer;
use super::publish::Published;
use crate::runtime::figures::{Distribution, Figure, Value};

/// The rate of frames is measured over so long a time.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// Counted since the start.
#[derive(Debug, Default)]
pub(super) struct Report {
    frames: u64,
    inferred: u64,
    skipped: u64,
    carried: u64,
    dropped: u64,
    errors: u64,
    objects: u64,
    looked_into: u64,
    published: Published,
    timings: Timings,
    queue_waits: Duration,
    rate: Rate,
}

/// Frames per second.
#[derive(Debug, Default)]
struct Rate {
    since: Option<MediaTime>,
    frames: u32,
    fps: f64,
}

impl Rate {
    fn on_frame(&mut self, now: MediaTime) {
        let since = *self.since.get_or_insert(now);
        let passed = now.since(since);
        if passed >= RATE_WINDOW {
            self.fps = f64::from(self.frames) / passed.as_secs_f64();
            self.since = Some(now);
            self.frames = 0;
        }
        self.frames += 1;
    }
}

impl Report {
    /// A frame goes on, for that `reason` and with those `boxes`, `objects` of them.
    pub(super) fn on_pushed(
        &mut self,
        reason: Cause,
        boxes: &Boxes<Answer>,
        objects: usize,
        now: MediaTime,
    ) {
        self.frames += 1;
        self.rate.on_frame(now);
        if matches!(reason, Cause::LeftOut | Cause::Late | Cause::Superseded) {
            self.skipped += 1;
        }
        match boxes {
            Boxes::Own(answer) => {
                self.inferred += 1;
                self.objects += objects as u64;
                self.timings.on_frame(answer.stages);
                self.queue_waits += answer.queue_wait;
            }
            Boxes::Carried(_) => self.carried += 1,
            Boxes::Bare => (),
        }
    }

    /// The network looked into so many objects of another.
    pub(super) const fn on_second_stage(&mut self, objects: usize) {
        self.looked_into += objects as u64;
    }

    /// What became of the lines published so far.
    pub(super) const fn on_published(&mut self, published: Published) {
        self.published = published;
    }

    /// A frame was dropped because it has no result, or found no room; frames that were passed on and dropped so far.
    pub(super) const fn on_dropped(&mut self) -> (u64, u64) {
        self.dropped += 1;
        (self.frames, self.dropped)
    }

    /// The network failed on a frame, or its objects could not be shown; whether it is the first such one.
    pub(super) const fn on_error(&mut self) -> bool {
        self.errors += 1;
        self.errors == 1
    }

    pub(super) fn figures(&self, known: &Known) -> Vec<Figure> {
        let mut figures = self.counts();
        figures.extend([
            Figure::new(
                "model",
                Value::Text(known.loaded.model.clone()),
                "Path of the model that serves",
            ),
            Figure::new(
                "active-backend",
                Value::Text(known.loaded.instance.active()),
                "Engine and device that the network runs on",
            ),
            Figure::new(
                "queue-level",
                Value::Level(known.level as u64),
                "Frames that wait in the element now",
            ),
            Figure::new(
                "latency",
                Value::Duration(known.budget),
                "How long a frame may wait for its objects",
            ),
        ]);
        figures.extend(self.durations());
        figures.extend(known.loaded.instance.figures());
        figures
    }

    fn counts(&self) -> Vec<Figure> {
        let mean = self.objects as f64 / self.inferred.max(1) as f64;
        let count = |name, count, help| Figure::new(name, Value::Count(count), help);
        vec![
            count("frames", self.frames, "Frames passed on"),
            Figure::new(
                "fps",
                Value::Number(self.rate.fps),
                "Frames passed on per second, over the last second",
            ),
            count(
                "inferred",
                self.inferred,
                "Frames passed on with a result of their own",
            ),
            count(
                "skipped",
                self.skipped,
                "Frames passed on without one: left out by inference-interval, late, or overtaken by a newer frame",
            ),
            count(
                "carried",
                self.carried,
                "Frames passed on with the objects of an earlier one",
            ),
            count("dropped", self.dropped, "Frames dropped"),
            count("errors", self.errors, "Frames on which the network failed"),
            count("objects", self.objects, "Objects found"),
            count(
                "looked-into",
                self.looked_into,
                "Objects of another network that the network looked into",
            ),
            count("published", self.published.lines, "Lines published"),
            count(
                "publish-dropped",
                self.published.dropped,
                "Lines that nobody took in time",
            ),
            Figure::new(
                "objects-per-frame",
                Value::Number(mean),
                "Objects found per frame that the network saw, mean",
            ),
        ]
    }

    fn durations(&self) -> Vec<Figure> {
        let duration = |name, duration, help| Figure::new(name, Value::Duration(duration), help);
        let percentile = |percent| self.timings.percentile(percent);
        let [_, stages @ ..] = self.means();
        let mut figures: Vec<Figure> = stages
            .map(|(name, mean, help)| duration(name, mean, help))
            .into();
        figures.extend([
            duration(
                "p50",
                percentile(50.0),
                "Frame to tensor, network and output to objects, median",
            ),
            duration("p95", percentile(95.0), "All three, 95th percentile"),
            duration("p99", percentile(99.0), "All three, 99th percentile"),
            Figure::new(
                "bottleneck",
                Value::Text(self.bottleneck().to_owned()),
                "The stage that takes the longest, mean",
            ),
            Figure::new(
                "detection",
                self.distribution(),
                "Time from frame to objects",
            ),
        ]);
        figures
    }

    fn means(&self) -> [(&'static str, Duration, &'static str); 4] {
        let waits = self.queue_waits.as_nanos() / u128::from(self.inferred.max(1));
        let mean = |stage| self.timings.mean(stage);
        [
            (
                "queue-wait",
                Duration::from_nanos(waits as u64),
                "From the frame's coming until the network takes it, mean",
            ),
            (
                "preprocess",
                mean(Stage::Preprocess),
                "Frame to tensor, mean",
            ),
            ("inference", mean(Stage::Inference), "In the network, mean"),
            (
                "postprocess",
                mean(Stage::Postprocess),
                "Output to objects, mean",
            ),
        ]
    }

    fn bottleneck(&self) -> &'static str {
        let longest = self.means().into_iter().max_by_key(|(_, mean, _)| *mean);
        match longest {
            Some((name, mean, _)) if !mean.is_zero() => name,
            _ => "none",
        }
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
