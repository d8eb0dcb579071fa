//! A machine whose processors are shared evenly by cameras' threads and by whatever else wants them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::quality::{
    Arbiter, Decimator, Governor, InputVideo, LoadState, MemberId, Sensor, Switch,
};
use crate::time::MediaTime;
use crate::units::Ratio;

/// How finely time passes.
const TICK: Duration = Duration::from_micros(500);

/// How often the pressure is read.
const PRESSURE: Duration = Duration::from_millis(250);

/// The queue before the element drops its oldest frame beyond this, as the prototype's did.
const BACKLOG: usize = 6;

/// Encoding with x264 veryfast took 21.7 ms a frame at 1080p, 10.8 at 720p, 3.5 at 360p and 1.5 at 240p: so much for
/// each frame and so much for a million pixels, in seconds.
const COST: (f64, f64) = (0.000_6, 0.010_3);

/// xorshift64*: the same numbers in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Between 0 and 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }
}

/// Where the work on a frame is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// In the thread that brings it.
    Direct,
    /// In a thread behind a queue of so many frames, whose pushes are seen too or are not.
    Queued { frames: usize, seen: bool },
}

/// One frame in work.
#[derive(Clone, Copy, Debug)]
struct Job {
    arrived: MediaTime,
    pushed: MediaTime,
    /// Seconds of a processor.
    left: f64,
}

/// A switch, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) at: MediaTime,
    pub(super) switch: Switch,
    /// The wait for an upgrade that was in force.
    pub(super) wait: Duration,
}

/// What became of a camera's frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    /// When each frame came out, and how old it was.
    pub(super) frames: Vec<(MediaTime, Duration)>,
}

pub(super) struct Camera {
    pub(super) governor: Governor,
    pub(super) outcome: Outcome,
    /// Whether the element does anything, or leaves all as it is.
    pub(super) acts: bool,
    chain: Chain,
    member: Option<MemberId>,
    decimator: Decimator,
    interval: Duration,
    next: MediaTime,
    backlog: VecDeque<MediaTime>,
    /// Frames in the queue behind, the first one in work; for the direct chain at most one.
    queue: VecDeque<Job>,
    /// Its frames are worked on by a device of its own, so much faster than a processor.
    pub(super) device: Option<f64>,
    /// A frame that finds no room in the queue behind.
    blocked: Option<Job>,
}

impl Camera {
    pub(super) fn new(mut governor: Governor, input: &InputVideo, chain: Chain) -> Self {
        governor.on_input(input, MediaTime::ZERO);
        let rate = input.rate.unwrap();
        let mut camera = Self {
            governor,
            outcome: Outcome::default(),
            acts: true,
            chain,
            member: None,
            decimator: Decimator::new(),
            interval: Duration::from_secs_f64(1.0 / rate.as_f64()),
            next: MediaTime::ZERO,
            backlog: VecDeque::new(),
            queue: VecDeque::new(),
            device: None,
            blocked: None,
        };
        camera.set_rate();
        camera
    }

    pub(super) fn join(&mut self, arbiter: &mut Arbiter, priority: i32) {
        self.member = Some(arbiter.join(priority));
    }

    /// Its first frame comes so much later than others'.
    pub(super) fn shift(&mut self, phase: Duration) {
        self.next = self.next.after(phase);
    }

    fn set_rate(&mut self) {
        let fitted = self.governor.fitted(self.governor.rung().unwrap()).unwrap();
        let rate = fitted.decimates.then_some(fitted.rate);
        self.decimator.set_rate(rate);
    }

    fn room(&self) -> usize {
        match self.chain {
            Chain::Direct => 1,
            Chain::Queued { frames, .. } => frames,
        }
    }

    /// Frames that are there go on, as far as there is room.
    fn start(&mut self, arbiter: &mut Arbiter, random: &mut Random, now: MediaTime) {
        while self.next <= now {
            self.backlog.push_back(self.next);
            self.next = self.next.after(self.interval);
            if self.backlog.len() > BACKLOG {
                self.backlog.pop_front();
            }
        }
        let room = self.queue.len() < self.room();
        if let Some(job) = self.blocked.take_if(|_| room) {
            self.queue.push_back(job);
            self.governor.on_frame(job.pushed, now);
        }
        while self.blocked.is_none() && (self.chain != Chain::Direct || self.queue.is_empty()) {
            let Some(arrived) = self.backlog.pop_front() else {
                return;
            };
            self.decide(arbiter, now);
            if self.decimator.on_frame(arrived) {
                self.push(arrived, random, now);
            }
        }
    }

    fn decide(&mut self, arbiter: &mut Arbiter, now: MediaTime) {
        let wait = self.governor.wait();
        let switch = match self.member {
            Some(id) => self.governor.on_time_in((arbiter, id), now),
            None if self.acts => self.governor.on_time(now),
            None => None,
        };
        if let Some(switch) = switch {
            let at = now;
            self.outcome.events.push(Event { at, switch, wait });
            self.set_rate();
        }
    }

    fn push(&mut self, arrived: MediaTime, random: &mut Random, now: MediaTime) {
        let fitted = self.governor.fitted(self.governor.rung().unwrap()).unwrap();
        let millions = f64::from(fitted.width) * f64::from(fitted.height) / 1e6;
        // Pictures differ; and one in three hundred is held up.
        let luck = random.between(0.8, 1.2)
            * if random.unit() < 1.0 / 300.0 {
                4.0
            } else {
                1.0
            };
        let job = Job {
            arrived,
            pushed: now,
            left: (COST.0 + COST.1 * millions) * luck,
        };
        if let Chain::Queued { frames, .. } = self.chain {
            let fill = Ratio::of(self.queue.len() as u64, frames as u64);
            self.governor.on_queue(fill, now);
            if self.queue.len() >= frames {
                self.blocked = Some(job);
                return;
            }
            self.governor.on_frame(now, now);
        }
        self.queue.push_back(job);
    }

    /// The frame in work got a processor for `seconds`.
    fn work(&mut self, seconds: f64, now: MediaTime) {
        let Some(job) = self.queue.front_mut() else {
            return;
        };
        job.left -= seconds;
        if job.left > 0.0 {
            return;
        }
        let done = *job;
        self.queue.pop_front();
        let age = now.since(done.arrived);
        self.outcome.frames.push((now, age));
        match self.chain {
            Chain::Direct => self.governor.on_frame(done.pushed, now),
            Chain::Queued { seen, .. } => {
                if seen {
                    self.governor.on_stage_frame(1, done.pushed, now);
                }
                // The next one's turn: its thread pushes it now.
                if let Some(next) = self.queue.front_mut() {
                    next.pushed = now;
                }
            }
        }
    }
}

pub(super) struct World {
    pub(super) cameras: Vec<Camera>,
    pub(super) arbiter: Arbiter,
    /// Other threads that want a processor.
    pub(super) hogs: usize,
    pub(super) now: MediaTime,
    processors: usize,
    random: Random,
    /// Ticks in which some thread had no processor, ticks in all, and when they are next read.
    pressure: (u64, u64, MediaTime),
}

impl World {
    pub(super) fn new(processors: usize, cameras: Vec<Camera>, seed: u64) -> Self {
        Self {
            cameras,
            arbiter: Arbiter::default(),
            hogs: 0,
            now: MediaTime::ZERO,
            processors,
            random: Random::new(seed),
            pressure: (0, 0, MediaTime::ZERO.after(PRESSURE)),
        }
    }

    /// Runs for `seconds` with `hogs` other threads.
    pub(super) fn run(&mut self, seconds: f64, hogs: usize) -> &mut Self {
        self.hogs = hogs;
        let end = self.now.after(Duration::from_secs_f64(seconds));
        while self.now < end {
            for camera in &mut self.cameras {
                camera.start(&mut self.arbiter, &mut self.random, self.now);
            }
            let active = self
                .cameras
                .iter()
                .filter(|camera| !camera.queue.is_empty() && camera.device.is_none());
            let wanting = active.count() + self.hogs;
            let part = (self.processors as f64 / wanting.max(1) as f64).min(1.0);
            self.pressure.0 += u64::from(wanting > self.processors);
            self.pressure.1 += 1;
            self.now = self.now.after(TICK);
            self.read_pressure();
            for camera in &mut self.cameras {
                let speed = camera.device.unwrap_or(part);
                camera.work(TICK.as_secs_f64() * speed, self.now);
            }
        }
        self
    }
}

impl World {
    fn read_pressure(&mut self) {
        let (waiting, all, due) = self.pressure;
        if self.now >= due {
            for camera in &mut self.cameras {
                camera
                    .governor
                    .on_pressure(Ratio::of(waiting, all), self.now);
            }
            self.pressure = (0, 0, self.now.after(PRESSURE));
        }
    }
}

impl Outcome {
    /// Frames a second from `from` s to `to` s.
    pub(super) fn fps(&self, from: f64, to: f64) -> f64 {
        self.ages(from, to).len() as f64 / (to - from)
    }

    /// The age that 95 of 100 frames did not exceed, in milliseconds.
    pub(super) fn p95(&self, from: f64, to: f64) -> f64 {
        let mut ages = self.ages(from, to);
        ages.sort_unstable();
        let rank = (ages.len() * 95).div_ceil(100);
        let age = ages.get(rank.saturating_sub(1)).copied();
        age.unwrap_or_default().as_secs_f64() * 1e3
    }

    fn ages(&self, from: f64, to: f64) -> Vec<Duration> {
        let (from, to) = (at(from), at(to));
        let within = self
            .frames
            .iter()
            .filter(|(out, _)| (from..to).contains(out));
        within.map(|(_, age)| *age).collect()
    }

    /// Steps up that a step down followed within 40 s.
    pub(super) fn wrong(&self, from: f64, to: f64) -> usize {
        let (from, to) = (at(from), at(to));
        let pairs = self.events.windows(2).filter(|pair| {
            let (up, down) = (pair[0], pair[1]);
            (from..to).contains(&up.at)
                && up.is_up()
                && !down.is_up()
                && down.at.since(up.at) < Duration::from_secs(40)
        });
        pairs.count()
    }

    /// Seconds from `from` s to the first switch after it, up or down.
    pub(super) fn first(&self, up: bool, from: f64) -> Option<f64> {
        let mut events = self.events.iter();
        let event = events.find(|event| event.at >= at(from) && event.is_up() == up)?;
        Some(event.at.since(at(from)).as_secs_f64())
    }
}

impl Event {
    pub(super) fn is_up(&self) -> bool {
        self.switch.from.is_some_and(|from| self.switch.to < from)
    }

    pub(super) fn sensor(&self) -> Option<Sensor> {
        self.switch.reason.sensor()
    }
}

pub(super) fn at(seconds: f64) -> MediaTime {
    MediaTime::ZERO.after(Duration::from_secs_f64(seconds))
}

/// The state that a camera's governor sees now.
pub(super) fn state(world: &World, camera: usize) -> LoadState {
    world.cameras[camera].governor.load(world.now).state
}
