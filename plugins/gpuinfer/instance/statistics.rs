//! What an instance knows of itself.

use std::time::Duration;

use livetune_core::infer::{BOUNDS, Batch, Durations, Reason, Stages};

use crate::runtime::figures::{Distribution, Figure, Value};

/// Upper bounds of the buckets of batch sizes; larger ones are in one bucket more.
const SIZES: [usize; 10] = [1, 2, 4, 6, 8, 12, 16, 24, 32, 64];

/// Counted since the instance opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistics {
    frames: u64,
    failed: u64,
    superseded: u64,
    on_device: u64,
    downloaded: u64,
    pictures: u64,
    padding: u64,
    sizes: [u64; SIZES.len() + 1],
    reasons: [u64; Reason::ALL.len()],
    queue_wait: Durations,
    preprocess: Durations,
    inference: Durations,
    postprocess: Durations,
    total: Durations,
}

/// How it is now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Present {
    pub(super) streams: usize,
    pub(super) sessions: usize,
    pub(super) threads: u32,
    pub(super) waiting: usize,
    pub(super) cost: Duration,
    pub(super) model_bytes: u64,
}

impl Statistics {
    /// A batch went through the network.
    pub(super) fn on_batch(&mut self, batch: &Batch, stages: Stages) {
        self.pictures += batch.weight as u64;
        self.padding += batch.padded.saturating_sub(batch.weight) as u64;
        self.sizes[SIZES.partition_point(|bound| *bound < batch.weight)] += 1;
        let reason = Reason::ALL
            .iter()
            .position(|reason| *reason == batch.reason);
        if let Some(reason) = reason {
            self.reasons[reason] += 1;
        }
        self.preprocess.on_event(stages.preprocess);
        self.inference.on_event(stages.inference);
        self.postprocess.on_event(stages.postprocess);
    }

    /// A frame of it waited so long, and was done so long after it came.
    pub(super) fn on_frame(&mut self, waited: Duration, total: Duration) {
        self.frames += 1;
        self.queue_wait.on_event(waited);
        self.total.on_event(total);
    }

    pub(super) const fn on_failure(&mut self) {
        self.failed += 1;
    }

    pub(super) const fn on_superseded(&mut self) {
        self.superseded += 1;
    }

    /// A frame stays in the memory of a GPU.
    pub(super) const fn on_device_frame(&mut self) {
        self.on_device += 1;
    }

    /// A frame in the memory of a GPU is downloaded.
    pub(super) const fn on_download(&mut self) {
        self.downloaded += 1;
    }

    pub(super) fn figures(&self, present: Present) -> Vec<Figure> {
        let mut figures = self.counts(present);
        figures.extend(self.places());
        figures.extend(self.batches());
        figures.extend(self.times());
        figures
    }

    fn counts(&self, present: Present) -> Vec<Figure> {
        let level = |number: usize| Value::Level(number as u64);
        vec![
            Figure::new(
                "streams",
                level(present.streams),
                "Elements that share the network",
            ),
            Figure::new(
                "sessions",
                level(present.sessions),
                "Networks that run at the same time",
            ),
            Figure::new(
                "session-threads",
                level(present.threads as usize),
                "Threads of each of them; 0: as the engine likes it",
            ),
            Figure::new("waiting", level(present.waiting), "Pictures that wait"),
            Figure::new(
                "cost",
                Value::Duration(present.cost),
                "What one picture takes, 95th percentile of the last",
            ),
            Figure::new(
                "model-bytes",
                Value::Bytes(present.model_bytes),
                "Size of the model's file",
            ),
            Figure::new(
                "served",
                Value::Count(self.frames),
                "Frames of all streams that the network saw",
            ),
            Figure::new(
                "failed",
                Value::Count(self.failed),
                "Frames of all streams on which the network failed",
            ),
            Figure::new(
                "superseded",
                Value::Count(self.superseded),
                "Frames of all streams that made room for a newer one",
            ),
        ]
    }

    fn places(&self) -> [Figure; 2] {
        let count = |name, count, help| Figure::new(name, Value::Count(count), help);
        [
            count(
                "cuda-frames",
                self.on_device,
                "Frames of all streams in CUDA memory that were looked at there",
            ),
            count(
                "downloaded",
                self.downloaded,
                "Frames of all streams in CUDA memory that were downloaded",
            ),
        ]
    }

    fn batches(&self) -> Vec<Figure> {
        let batches: u64 = self.sizes.iter().sum();
        let mean = self.pictures as f64 / batches.max(1) as f64;
        let bounds = SIZES.iter().map(|size| *size as f64);
        let sizes = Distribution {
            buckets: bounds.chain([f64::INFINITY]).zip(self.sizes).collect(),
            sum: self.pictures as f64,
            count: batches,
        };
        let mut figures = vec![
            Figure::new("batches", Value::Count(batches), "Runs of the network"),
            Figure::new("batch-size", Value::Number(mean), "Pictures per run, mean"),
            Figure::new("batch-sizes", Value::Sizes(sizes), "Pictures per run"),
            Figure::new(
                "padding",
                Value::Count(self.padding),
                "Empty places in all runs, where sizes are rounded up",
            ),
        ];
        let reasons = Reason::ALL.into_iter().zip(self.reasons);
        figures.extend(reasons.map(|(reason, count)| {
            let (name, help) = told(reason);
            Figure::new(name, Value::Count(count), help)
        }));
        figures
    }

    fn times(&self) -> Vec<Figure> {
        let mean = |name, of: &Durations, help| Figure::new(name, Value::Duration(of.mean()), help);
        let p95 = |name, of: &Durations, help| {
            Figure::new(name, Value::Duration(of.percentile(95.0)), help)
        };
        let all = |name, of, help| Figure::new(name, distribution(of), help);
        let (wait, total) = (&self.queue_wait, &self.total);
        let (before, network, after) = (&self.preprocess, &self.inference, &self.postprocess);
        vec![
            mean("queue-wait", wait, "Frame waits for its batch, mean"),
            p95(
                "queue-wait-p95",
                wait,
                "Frame waits for its batch, 95th percentile",
            ),
            all("queue-waits", wait, "Frame waits for its batch"),
            mean(
                "batch-preprocess",
                before,
                "Frames of a batch to tensor, mean",
            ),
            p95(
                "batch-preprocess-p95",
                before,
                "Frames of a batch to tensor, 95th percentile",
            ),
            all("batch-preprocesses", before, "Frames of a batch to tensor"),
            mean("batch-inference", network, "Batch in the network, mean"),
            p95(
                "batch-inference-p95",
                network,
                "Batch in the network, 95th percentile",
            ),
            all("batch-inferences", network, "Batch in the network"),
            mean(
                "batch-postprocess",
                after,
                "Outputs of a batch to objects, mean",
            ),
            p95(
                "batch-postprocess-p95",
                after,
                "Outputs of a batch to objects, 95th percentile",
            ),
            all(
                "batch-postprocesses",
                after,
                "Outputs of a batch to objects",
            ),
            mean("answer", total, "Frame submitted to objects known, mean"),
            p95(
                "answer-p95",
                total,
                "Frame submitted to objects known, 95th percentile",
            ),
            all("answers", total, "Frame submitted to objects known"),
        ]
    }
}

const fn told(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Full => ("closed-full", "Batches that had no more room"),
        Reason::Ended => ("closed-ended", "Batches with the last frame of a stream"),
        Reason::Complete => (
            "closed-complete",
            "Batches with a frame of every stream that could have one in time",
        ),
        Reason::Deadline => ("closed-deadline", "Batches that a deadline closed"),
        Reason::Delay => ("closed-delay", "Batches that max-queue-delay closed"),
    }
}

fn distribution(durations: &Durations) -> Value {
    let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
    Value::Distribution(Distribution {
        buckets: bounds.zip(durations.buckets().iter().copied()).collect(),
        sum: durations.sum().as_secs_f64(),
        count: durations.count(),
    })
}
