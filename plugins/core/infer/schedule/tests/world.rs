//! Cameras, workers and a clock that only the test moves.

use super::super::Reason;
use super::*;

/// The same numbers in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// 0 to 1.
    pub(super) fn unit(&mut self) -> f64 {
        // Knuth's constants (MMIX).
        let next = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = next.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        (self.unit() * limit as f64) as u64
    }
}

/// A camera: how often, how regularly, until when, and how soon it wants its objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Camera {
    pub(super) interval: Duration,
    pub(super) phase: Duration,
    pub(super) jitter: Duration,
    pub(super) stops: MediaTime,
    pub(super) deadline: Duration,
    pub(super) backlog: usize,
}

impl Camera {
    pub(super) fn at_fps(fps: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / fps),
            phase: Duration::ZERO,
            jitter: Duration::ZERO,
            stops: NEVER,
            deadline: ms(200),
            backlog: 1,
        }
    }
}

/// What became of a camera's frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) served: u64,
    pub(super) superseded: u64,
    pub(super) late: u64,
    pub(super) ages: Vec<Duration>,
}

struct Source {
    camera: Camera,
    id: StreamId,
    count: u32,
    next: MediaTime,
}

/// A batch in a worker.
struct Run {
    start: MediaTime,
    done: MediaTime,
    frames: Vec<Frame<u64>>,
}

/// All of it.
pub(super) struct World {
    pub(super) batcher: Batcher<u64>,
    pub(super) outcomes: Vec<Outcome>,
    /// Reason and size of each batch.
    pub(super) batches: Vec<(Reason, usize)>,
    sources: Vec<Source>,
    running: Vec<Option<Run>>,
    cost: fn(usize, &mut Random) -> Duration,
    random: Random,
}

impl World {
    pub(super) fn new(
        config: Config,
        cameras: &[Camera],
        cost: fn(usize, &mut Random) -> Duration,
        seed: u64,
    ) -> Self {
        let workers = config.workers;
        let mut batcher = Batcher::new(config).expect("a batch can be made");
        let sources = cameras.iter().map(|camera| Source {
            camera: *camera,
            id: batcher.join(camera.backlog),
            count: 0,
            next: at(0).after(camera.phase),
        });
        Self {
            sources: sources.collect(),
            outcomes: vec![Outcome::default(); cameras.len()],
            batches: Vec::new(),
            running: (0..workers).map(|_| None).collect(),
            random: Random(seed),
            batcher,
            cost,
        }
    }

    /// Runs until `end`.
    pub(super) fn run(&mut self, end: MediaTime) -> &mut Self {
        let mut now = at(0);
        while now < end {
            self.finish(now);
            self.send(now);
            self.start(now);
            let frames = self.sources.iter().map(|source| source.next);
            let done = self.running.iter().flatten().map(|run| run.done);
            let next = frames.chain(done).min().unwrap_or(NEVER);
            let is_free = self.running.iter().any(Option::is_none);
            let wakeup = self.batcher.next_wakeup(now).filter(|_| is_free);
            let next = wakeup.map_or(next, |wakeup| wakeup.min(next));
            assert!(next > now, "time stands still at {now}");
            now = next;
        }
        self
    }

    fn send(&mut self, now: MediaTime) {
        for (index, source) in self.sources.iter_mut().enumerate() {
            if source.next > now {
                continue;
            }
            let camera = source.camera;
            let deadline = now.after(camera.deadline);
            let sent = self
                .batcher
                .submit(source.id, (index as u64, 1), deadline, now);
            let outcome = &mut self.outcomes[index];
            outcome.sent += 1;
            if sent.expect("joined").superseded.is_some() {
                outcome.superseded += 1;
            }
            source.count += 1;
            let jitter = camera.jitter.mul_f64(self.random.unit());
            let regular = at(0)
                .after(camera.phase)
                .after(camera.interval * source.count);
            let next = regular
                .after(jitter)
                .max(now.after(Duration::from_nanos(1)));
            source.next = if next < camera.stops { next } else { NEVER };
        }
    }

    fn start(&mut self, now: MediaTime) {
        for worker in 0..self.running.len() {
            if self.running[worker].is_some() {
                continue;
            }
            let mut frames = Vec::new();
            let Some(batch) = self.batcher.next(now, &mut frames) else {
                return;
            };
            self.batches.push((batch.reason, batch.weight));
            let done = now.after((self.cost)(batch.padded, &mut self.random));
            let start = now;
            self.running[worker] = Some(Run {
                start,
                done,
                frames,
            });
        }
    }

    fn finish(&mut self, now: MediaTime) {
        for worker in &mut self.running {
            let Some(run) = worker.take_if(|run| run.done <= now) else {
                continue;
            };
            let took = now.since(run.start);
            self.batcher.on_batch(run.frames.len(), took);
            for frame in run.frames {
                let outcome = &mut self.outcomes[frame.job as usize];
                outcome.served += 1;
                outcome.late += u64::from(now > frame.deadline);
                outcome.ages.push(now.since(frame.submitted));
            }
        }
    }

    /// The age at completion that 95 of 100 frames do not exceed.
    pub(super) fn p95_age(&self) -> Duration {
        let mut ages: Vec<Duration> = self.ages().collect();
        ages.sort_unstable();
        ages[ages.len() * 95 / 100]
    }

    pub(super) fn ages(&self) -> impl Iterator<Item = Duration> {
        self.outcomes
            .iter()
            .flat_map(|outcome| outcome.ages.iter().copied())
    }

    pub(super) fn served(&self) -> Vec<u64> {
        self.outcomes.iter().map(|outcome| outcome.served).collect()
    }
}
