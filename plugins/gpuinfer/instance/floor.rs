//! Where workers and streams meet: what waits, who works.

mod device;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use livetune_core::infer::{Batch, Batcher, Due, Frame, StreamId};
use livetune_core::time::MediaTime;

use super::answer::{Job, Outcome, Pool};
use super::crew::{Crew, Means, Member};
use super::mailbox::Mailbox;
use super::network::{Facts, Network, Source};
use super::statistics::{Present, Statistics};
use super::{Sizes, worker};
use crate::gpuinfer::engine::Stopper;
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// How long workers outlast the streams that they were there for: a camera that comes back finds them.
const PATIENCE: Duration = Duration::from_secs(1);

/// A frame that waits, and whose it is.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) job: Job,
}

/// What streams and workers of one instance share.
pub(super) struct Floor {
    state: Mutex<State>,
    changed: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// What ends the run of each worker's network.
    stoppers: Mutex<Vec<(u64, Stopper)>>,
    pub(super) statistics: Mutex<Statistics>,
    pub(super) source: Box<dyn Source>,
    pub(super) facts: Mutex<Facts>,
    pub(super) answers: Arc<Pool>,
    sizes: Mutex<Sizes>,
    /// Pictures in a batch as the user wants it; 0: by device.
    wanted_batch: u32,
    pub(super) model_bytes: u64,
}

/// All under one lock, which nobody holds while a network runs or anybody is called.
struct State {
    batcher: Batcher<Pending>,
    means: Means,
    crew: Crew,
    /// When to see whether fewer workers do, as streams have left.
    staffing: Option<MediaTime>,
    /// Until when those sleep who have nothing to do; `None`: until somebody calls.
    alarm: Option<MediaTime>,
    is_closing: bool,
    /// Why nobody works any more.
    trouble: Option<String>,
}

/// What an instance is opened with.
pub(super) struct Premises {
    pub(super) batcher: Batcher<Pending>,
    pub(super) means: Means,
    pub(super) source: Box<dyn Source>,
    pub(super) facts: Facts,
    pub(super) sizes: Sizes,
    pub(super) wanted_batch: u32,
    pub(super) model_bytes: u64,
}

impl Floor {
    pub(super) fn new(premises: Premises) -> Self {
        let state = State {
            crew: Crew::new(premises.means.plan(0)),
            batcher: premises.batcher,
            means: premises.means,
            staffing: None,
            alarm: None,
            is_closing: false,
            trouble: None,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            threads: Mutex::default(),
            stoppers: Mutex::default(),
            statistics: Mutex::default(),
            source: premises.source,
            facts: Mutex::new(premises.facts),
            answers: Arc::default(),
            sizes: Mutex::new(premises.sizes),
            wanted_batch: premises.wanted_batch,
            model_bytes: premises.model_bytes,
        }
    }

    /// A stream comes.
    pub(super) fn join(self: &Arc<Self>, backlog: u32) -> StreamId {
        let id = lock(&self.state).batcher.join(backlog as usize);
        self.staff();
        id
    }

    /// A stream goes.
    pub(super) fn leave(self: &Arc<Self>, id: StreamId) {
        let mut frames = Vec::new();
        let mut state = lock(&self.state);
        state.batcher.leave(id, &mut frames);
        // Streams that leave one after the other leave nobody behind to load a network for.
        state.staffing = Some(clock::monotonic().after(PATIENCE));
        drop((state, frames));
        self.changed.notify_all();
    }

    /// A frame comes. Its number, and the outcome of another that had to go, or of itself where nobody works.
    pub(super) fn submit(
        self: &Arc<Self>,
        id: StreamId,
        pending: Pending,
        deadline: MediaTime,
        now: MediaTime,
    ) -> (u64, Option<(u64, Outcome)>) {
        let pictures = pending.job.pictures();
        let mut state = lock(&self.state);
        let sent = state.batcher.submit(id, (pending, pictures), deadline, now);
        let Ok(sent) = sent else {
            return (state.batcher.last_ticket(), None);
        };
        if let Some(why) = state.trouble.clone() {
            let frame = state.batcher.give_up(id, sent.ticket);
            drop((state, frame));
            lock(&self.statistics).on_failure();
            return (sent.ticket, Some((sent.ticket, Outcome::Failed(why))));
        }
        let is_time = state.staffing.is_some_and(|time| time <= now);
        let wakeup = state.batcher.next_wakeup(now);
        let is_sooner = wakeup.is_some() && (state.alarm.is_none() || wakeup < state.alarm);
        drop(state);
        if is_sooner {
            self.changed.notify_one();
        }
        if is_time {
            self.staff();
        }
        let superseded = sent.superseded.map(|frame| {
            lock(&self.statistics).on_superseded();
            (frame.ticket, Outcome::Superseded)
        });
        (sent.ticket, superseded)
    }

    /// Takes back what still waits: whether it did.
    pub(super) fn give_up(&self, id: StreamId, ticket: u64) -> bool {
        let frame = lock(&self.state).batcher.give_up(id, ticket);
        frame.is_some()
    }

    /// Takes back all frames of a stream that wait; the number of the last one that may be in flight.
    pub(super) fn flush(&self, id: StreamId) -> u64 {
        let mut frames = Vec::new();
        let mut state = lock(&self.state);
        state.batcher.flush(id, &mut frames);
        let last = state.batcher.last_ticket();
        drop((state, frames));
        self.changed.notify_all();
        last
    }

    /// No more frames of a stream come.
    pub(super) fn end(&self, id: StreamId) {
        lock(&self.state).batcher.end(id);
        self.changed.notify_all();
    }

    /// The next batch for the worker `member`, its frames in `frames`; `None`: it is to go.
    pub(super) fn next(&self, member: Member, frames: &mut Vec<Frame<Pending>>) -> Option<Batch> {
        let mut state = lock(&self.state);
        loop {
            if state.is_closing || state.crew.can_go(member.id) {
                state.crew.remove(member.id);
                return None;
            }
            let now = clock::monotonic();
            let due = state.batcher.due(now);
            if let Due::Now(_) = due
                && let Some(batch) = state.batcher.next(now, frames)
            {
                state.alarm = None;
                let is_more = state.batcher.waiting() > 0;
                drop(state);
                if is_more {
                    self.changed.notify_one();
                }
                return Some(batch);
            }
            state = self.sleep(state, due, now);
        }
    }

    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        due: Due,
        now: MediaTime,
    ) -> MutexGuard<'a, State> {
        let Due::At(time) = due else {
            state.alarm = None;
            return self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        state.alarm = Some(time);
        let limit = time.since(now);
        let woken = self.changed.wait_timeout(state, limit);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The worker `member` has a network that can be stopped.
    pub(super) fn on_network(&self, member: Member, stopper: Stopper) {
        lock(&self.stoppers).push((member.id, stopper));
    }

    /// It has none any more.
    pub(super) fn on_network_gone(&self, member: Member) {
        lock(&self.stoppers).retain(|(id, _)| *id != member.id);
    }

    /// The worker `member` has its network, whose batches took as long as `measured` says, by size.
    pub(super) fn on_ready(&self, member: Member, measured: &[(usize, Duration)]) {
        let mut state = lock(&self.state);
        if state.crew.on_ready(member.id) {
            state.batcher.forget_costs();
        }
        for (size, took) in measured {
            state.batcher.on_batch(*size, *took);
        }
        state.trouble = None;
        drop(state);
        self.changed.notify_all();
    }

    /// A batch of `pictures` took so long.
    pub(super) fn on_batch(&self, pictures: usize, took: Duration) {
        let mut state = lock(&self.state);
        state.batcher.on_batch(pictures, took);
        state.crew.on_success();
    }

    /// The worker `member` is no more, though nobody sent it away. Another takes its place; where that failed too
    /// often, what waits has failed, and `why` is the reason.
    pub(super) fn on_death(self: &Arc<Self>, member: Member, why: String) {
        let mut frames = Vec::new();
        let mut state = lock(&self.state);
        if state.crew.on_death(member.id) {
            state.batcher.drain(&mut frames);
            state.trouble = Some(why.clone());
        }
        drop(state);
        self.changed.notify_all();
        for frame in frames {
            let Pending { mailbox, job } = frame.job;
            drop(job);
            lock(&self.statistics).on_failure();
            if mailbox.put(frame.ticket, Outcome::Failed(why.clone())) {
                mailbox.wake();
            }
        }
        self.staff();
    }

    /// Puts the first worker to work, whose `network` is there already, and waits until it has warmed up.
    pub(super) fn open(self: &Arc<Self>, network: Box<dyn Network>) -> Result<(), String> {
        let member = lock(&self.state).crew.hire();
        let member = member.ok_or("nobody is wanted")?;
        self.start(member, Some(network))?;
        let mut state = lock(&self.state);
        loop {
            if let Some(why) = &state.trouble {
                return Err(why.clone());
            }
            if state.crew.ready() > 0 {
                return Ok(());
            }
            let woken = self.changed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn start(
        self: &Arc<Self>,
        member: Member,
        network: Option<Box<dyn Network>>,
    ) -> Result<(), String> {
        let thread = worker::start(self, member, network)?;
        let mut threads = lock(&self.threads);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Takes on who is missing, and lets go who is too much.
    fn staff(self: &Arc<Self>) {
        loop {
            let mut state = lock(&self.state);
            if state.is_closing {
                return;
            }
            state.staffing = None;
            let plan = state.means.plan(state.batcher.streams());
            state.crew.set_plan(plan);
            state.batcher.set_workers(plan.sessions);
            let Some(member) = state.crew.hire() else {
                break;
            };
            drop(state);
            if let Err(why) = self.start(member, None) {
                self.on_spawn_failed(member, why);
                break;
            }
        }
        self.changed.notify_all();
    }

    /// The system gave no thread: those that are there go on.
    fn on_spawn_failed(&self, member: Member, why: String) {
        let mut state = lock(&self.state);
        state.crew.remove(member.id);
        if state.crew.len() == 0 {
            state.trouble = Some(why);
        }
    }

    /// The instance goes, and with it every worker after its batch.
    pub(super) fn close(&self) {
        lock(&self.state).is_closing = true;
        self.changed.notify_all();
        for (_, stopper) in lock(&self.stoppers).iter() {
            stopper.stop();
        }
        let threads = std::mem::take(&mut *lock(&self.threads));
        // The last who wanted the instance may be a worker, through what it woke.
        let own = thread::current().id();
        for thread in threads
            .into_iter()
            .filter(|thread| thread.thread().id() != own)
        {
            let _ = thread.join();
        }
    }

    /// Whether nobody works any more, and why.
    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.state).trouble.clone()
    }

    pub(super) fn present(&self) -> Present {
        let state = lock(&self.state);
        Present {
            streams: state.batcher.streams(),
            sessions: state.crew.ready(),
            threads: state.crew.plan().threads,
            waiting: state.batcher.waiting(),
            cost: state.batcher.costs().p95(1),
            model_bytes: self.model_bytes,
        }
    }

    /// What a batch of `pictures` costs, as measured; zero before the first.
    pub(super) fn cost(&self, pictures: usize) -> Duration {
        let state = lock(&self.state);
        let padded = state.batcher.padded(pictures);
        state.batcher.costs().p95(padded)
    }
}
