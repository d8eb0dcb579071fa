//! A loaded network with the thread that it runs on.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gst_video::{VideoFrameRef, VideoInfo};
use livetune_core::infer::{Found, Labels, Size, Stages, Thresholds};
use livetune_core::time::MediaTime;

use super::detector::{Detector, Work};
use super::engine::Stopper;
use super::model;
use super::picture::Picture;
use super::settings::Settings;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

pub(super) type Ticket = u64;
type Wake = Arc<dyn Fn() + Send + Sync>;

pub(super) struct Job {
    pub(super) buffer: gst::Buffer,
    pub(super) info: VideoInfo,
    pub(super) thresholds: Thresholds,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) found: Vec<Found>,
    pub(super) stages: Stages,
    pub(super) queue_wait: Duration,
    pub(super) batch_size: u32,
    pub(super) finished: MediaTime,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Found(Box<Answer>),
    Superseded,
    Failed(String),
}

#[derive(Default)]
struct Desk {
    waiting: VecDeque<(u64, Ticket, Job, MediaTime)>,
    outcomes: HashMap<Ticket, Outcome>,
    cost: Duration,
    ends: bool,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
    wakes: Mutex<Vec<(u64, Wake)>>,
}

pub(super) struct Instance {
    shared: Arc<Shared>,
    labels: Arc<Labels>,
    active: String,
    stopper: Stopper,
    worker: Mutex<Option<JoinHandle<()>>>,
}

pub(super) struct Stream {
    instance: Arc<Instance>,
    id: u64,
    backlog: usize,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

impl Instance {
    pub(super) fn open(settings: &Settings) -> Result<(Arc<Self>, Vec<String>), gst::ErrorMessage> {
        let model::Loaded {
            detector,
            active,
            stopper,
            warnings,
        } = model::open(settings)?;
        let labels = detector.labels().clone();
        let shared = Arc::<Shared>::default();
        let at_work = shared.clone();
        let worker = std::thread::spawn(move || work(&at_work, detector));
        let worker = Mutex::new(Some(worker));
        Ok((
            Arc::new(Self {
                shared,
                labels,
                active,
                stopper,
                worker,
            }),
            warnings,
        ))
    }

    pub(super) fn join(self: &Arc<Self>, backlog: u32, wake: Wake) -> Stream {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        lock(&self.shared.wakes).push((id, wake));
        Stream {
            instance: self.clone(),
            id,
            backlog: backlog.max(1) as usize,
        }
    }

    pub(super) const fn labels(&self) -> &Arc<Labels> {
        &self.labels
    }

    pub(super) fn active(&self) -> String {
        self.active.clone()
    }

    pub(super) fn cost(&self, _: u32) -> Duration {
        lock(&self.shared.desk).cost
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        lock(&self.shared.desk).ends = true;
        self.stopper.stop();
        self.shared.changed.notify_all();
        if let Some(worker) = lock(&self.worker).take() {
            let _ = worker.join();
        }
    }
}

impl Stream {
    pub(super) fn submit(&self, job: Job, _deadline: MediaTime, now: MediaTime) -> Ticket {
        let ticket = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut desk = lock(&self.instance.shared.desk);
        let own = |entry: &(u64, Ticket, Job, MediaTime)| entry.0 == self.id;
        while desk.waiting.iter().filter(|entry| own(entry)).count() >= self.backlog {
            let Some(at) = desk.waiting.iter().position(own) else {
                break;
            };
            if let Some((_, old, ..)) = desk.waiting.remove(at) {
                desk.outcomes.insert(old, Outcome::Superseded);
            }
        }
        desk.waiting.push_back((self.id, ticket, job, now));
        drop(desk);
        self.instance.shared.changed.notify_all();
        ticket
    }

    pub(super) fn take(&self, ticket: Ticket) -> Option<Outcome> {
        lock(&self.instance.shared.desk).outcomes.remove(&ticket)
    }

    pub(super) fn give_up(&self, ticket: Ticket) {
        let mut desk = lock(&self.instance.shared.desk);
        desk.outcomes.remove(&ticket);
        desk.waiting.retain(|entry| entry.1 != ticket);
    }

    pub(super) fn flush(&self) {
        let mut desk = lock(&self.instance.shared.desk);
        desk.waiting.retain(|entry| entry.0 != self.id);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        lock(&self.instance.shared.wakes).retain(|(id, _)| *id != self.id);
        self.flush();
    }
}

fn work(shared: &Shared, mut detector: Detector) {
    loop {
        let mut desk = lock(&shared.desk);
        let (stream, ticket, job, asked) = loop {
            if desk.ends {
                return;
            }
            if let Some(next) = desk.waiting.pop_front() {
                break next;
            }
            let woken = shared.changed.wait(desk);
            desk = woken.unwrap_or_else(PoisonError::into_inner);
        };
        drop(desk);
        let started = clock::monotonic();
        let panicked = Outcome::Failed("panic".to_owned());
        let outcome = guard("gpuinfer's worker", panicked, || {
            match look(&mut detector, &job, started.since(asked)) {
                Ok(answer) => Outcome::Found(Box::new(answer)),
                Err(why) => Outcome::Failed(why),
            }
        });
        drop(job);
        let mut desk = lock(&shared.desk);
        desk.cost = clock::monotonic().since(started).max(desk.cost * 9 / 10);
        desk.outcomes.insert(ticket, outcome);
        drop(desk);
        let wake = lock(&shared.wakes)
            .iter()
            .find(|(id, _)| *id == stream)
            .map(|(_, wake)| wake.clone());
        if let Some(wake) = wake {
            wake();
        }
    }
}

fn look(detector: &mut Detector, job: &Job, queue_wait: Duration) -> Result<Answer, String> {
    let frame = Size::new(job.info.width(), job.info.height());
    let unmapped = |_| "the buffer is no frame of its caps".to_owned();
    let mapped =
        VideoFrameRef::from_buffer_ref_readable(&job.buffer, &job.info).map_err(unmapped)?;
    let picture = Picture::of(&mapped, frame).ok_or("the planes of the frame are too short")?;
    let mut found = Found::default();
    let work = Work {
        picture: &picture,
        region: None,
        thresholds: &job.thresholds,
        found: &mut found,
    };
    let stages = detector.detect(&mut [work])?;
    if let Some(why) = found.failure {
        return Err(why);
    }
    Ok(Answer {
        found: vec![found],
        stages,
        queue_wait,
        batch_size: 1,
        finished: clock::monotonic(),
    })
}
