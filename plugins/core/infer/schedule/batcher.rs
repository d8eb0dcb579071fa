//! The frames that wait, by stream.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::cadence::Cadence;
use super::cost::CostModel;
use crate::time::MediaTime;

/// How long after a frame was left out the load counts as too much.
const STRAIN: Duration = Duration::from_secs(1);
/// Places for waiting frames that a stream gets at once.
const PLACES: usize = 32;

/// How batches are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Pictures that go into the network together at most.
    pub max_batch: usize,
    /// How long a frame waits for others at most.
    pub max_queue_delay: Duration,
    /// Networks that run at the same time.
    pub workers: usize,
    /// Sizes that a batch is padded to; empty: none.
    pub preferred: Vec<usize>,
}

/// A configuration that makes no batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// No picture, or no worker.
    Nothing,
    /// A preferred size that is not 1 to the largest batch.
    Preferred(usize),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("a batch needs a picture and a worker"),
            Self::Preferred(size) => write!(f, "no batch has the preferred size {size}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// A stream that joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId {
    index: usize,
    serial: u64,
}

/// A frame on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<J> {
    /// Its number, which rises from frame to frame of all streams.
    pub ticket: u64,
    /// Whose it is.
    pub stream: StreamId,
    /// Pictures in it.
    pub weight: usize,
    /// When it came.
    pub submitted: MediaTime,
    /// When its objects are wanted.
    pub deadline: MediaTime,
    /// What the caller knows of it.
    pub job: J,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted<J> {
    /// The number of the frame.
    pub ticket: u64,
    /// The oldest frame of the stream, which had to make room.
    pub superseded: Option<Frame<J>>,
}

/// Makes batches of the frames of many streams. It holds the frames that wait; those that run are the caller's.
#[derive(Debug)]
pub struct Batcher<J> {
    pub(super) config: Config,
    pub(super) costs: CostModel,
    pub(super) streams: Vec<Option<Stream<J>>>,
    /// Pictures that wait.
    pub(super) weight: usize,
    /// Frames that were served.
    pub(super) served: u64,
    /// Until when the load counts as too much.
    pub(super) strained: MediaTime,
    /// Streams in the order in which they are served, and their earliest deadline.
    pub(super) order: Vec<(MediaTime, u64, usize)>,
    tickets: u64,
}

#[derive(Debug)]
pub(super) struct Stream<J> {
    serial: u64,
    backlog: usize,
    pub(super) waiting: VecDeque<Frame<J>>,
    /// Since when it waits to be served, whichever of its frames waits now.
    pub(super) since: MediaTime,
    pub(super) cadence: Cadence,
    /// The number of frames that were served when one of this stream was, or when it joined.
    pub(super) served: u64,
    /// No more frames come.
    pub(super) ended: bool,
}

impl<J> Batcher<J> {
    /// No streams yet.
    pub fn new(mut config: Config) -> Result<Self, ConfigError> {
        if config.max_batch == 0 || config.workers == 0 {
            return Err(ConfigError::Nothing);
        }
        let fits = |size: &usize| (1..=config.max_batch).contains(size);
        if let Some(wrong) = config.preferred.iter().find(|size| !fits(size)) {
            return Err(ConfigError::Preferred(*wrong));
        }
        config.preferred.sort_unstable();
        Ok(Self {
            costs: CostModel::new(config.max_batch),
            config,
            streams: Vec::new(),
            weight: 0,
            served: 0,
            strained: MediaTime::ZERO,
            order: Vec::new(),
            tickets: 0,
        })
    }

    /// A stream comes. Up to `backlog` of its frames wait, in order: with 1, its latest.
    pub fn join(&mut self, backlog: usize) -> StreamId {
        self.tickets += 1;
        let serial = self.tickets;
        let backlog = backlog.max(1);
        let stream = Stream {
            serial,
            backlog,
            waiting: VecDeque::with_capacity(backlog.min(PLACES)),
            since: MediaTime::ZERO,
            cadence: Cadence::default(),
            served: self.served,
            ended: false,
        };
        let free = self.streams.iter().position(Option::is_none);
        let index = free.unwrap_or(self.streams.len());
        if free.is_none() {
            self.streams.push(None);
        }
        self.streams[index] = Some(stream);
        StreamId { index, serial }
    }

    /// A stream goes. Its waiting frames are given up, into `given_up`.
    pub fn leave(&mut self, stream: StreamId, given_up: &mut Vec<Frame<J>>) {
        self.flush(stream, given_up);
        if self.stream(stream).is_some() {
            self.streams[stream.index] = None;
        }
    }

    /// The waiting frames of a stream are given up, into `given_up`; nobody waits for its next one.
    pub fn flush(&mut self, stream: StreamId, given_up: &mut Vec<Frame<J>>) {
        let Some(entry) = self.stream(stream) else {
            return;
        };
        entry.cadence.rest();
        entry.ended = false;
        let from = given_up.len();
        given_up.extend(entry.waiting.drain(..));
        let weight: usize = given_up[from..].iter().map(|frame| frame.weight).sum();
        self.weight -= weight;
    }

    /// The waiting frames of all streams are given up, into `given_up`.
    pub fn drain(&mut self, given_up: &mut Vec<Frame<J>>) {
        for stream in self.streams.iter_mut().flatten() {
            given_up.extend(stream.waiting.drain(..));
        }
        self.weight = 0;
    }

    /// The last frame of a stream has come: it waits for no other, and nobody waits for the stream.
    pub fn end(&mut self, stream: StreamId) {
        if let Some(entry) = self.stream(stream) {
            entry.cadence.rest();
            entry.ended = true;
        }
    }

    /// A frame of `weight` pictures comes whose objects are wanted at `deadline`. `Err` gives `job` back where the stream
    /// has left.
    pub fn submit(
        &mut self,
        stream: StreamId,
        (job, weight): (J, usize),
        deadline: MediaTime,
        now: MediaTime,
    ) -> Result<Submitted<J>, J> {
        let ticket = self.tickets + 1;
        let weight = weight.max(1);
        let Some(entry) = self.stream(stream) else {
            return Err(job);
        };
        entry.cadence.on_frame(now);
        entry.ended = false;
        let is_full = entry.waiting.len() >= entry.backlog;
        let superseded = is_full.then(|| entry.waiting.pop_front()).flatten();
        if entry.waiting.is_empty() && superseded.is_none() {
            entry.since = now;
        }
        entry.waiting.push_back(Frame {
            ticket,
            stream,
            weight,
            submitted: now,
            deadline,
            job,
        });
        if let Some(frame) = &superseded {
            self.weight -= frame.weight;
            self.strained = now.after(STRAIN);
        }
        self.weight += weight;
        self.tickets = ticket;
        Ok(Submitted { ticket, superseded })
    }

    /// Takes back a frame that still waits.
    pub fn give_up(&mut self, stream: StreamId, ticket: u64) -> Option<Frame<J>> {
        let waiting = &mut self.stream(stream)?.waiting;
        let at = waiting.iter().position(|frame| frame.ticket == ticket)?;
        let frame = waiting.remove(at)?;
        self.weight -= frame.weight;
        Some(frame)
    }

    /// So many networks run at the same time from now on.
    pub fn set_workers(&mut self, workers: usize) {
        self.config.workers = workers.max(1);
    }

    /// Another network serves, which takes so many pictures, padded to one of the `preferred` sizes; what its batches cost
    /// is still to be measured.
    pub fn refit(&mut self, max_batch: usize, preferred: &[usize]) {
        let max_batch = max_batch.max(1);
        let fits = |size: &usize| (1..=max_batch).contains(size);
        self.config.max_batch = max_batch;
        self.config.preferred = preferred.iter().copied().filter(fits).collect();
        self.config.preferred.sort_unstable();
        self.forget_costs();
    }

    /// A batch of `weight` pictures took so long.
    pub fn on_batch(&mut self, weight: usize, took: Duration) {
        self.costs.on_batch(self.padded(weight), took);
    }

    /// Batches will cost something else from now on.
    pub fn forget_costs(&mut self) {
        self.costs = CostModel::new(self.config.max_batch);
    }

    /// The number of the last frame that was submitted.
    pub const fn last_ticket(&self) -> u64 {
        self.tickets
    }

    /// What batches cost.
    pub const fn costs(&self) -> &CostModel {
        &self.costs
    }

    /// Streams that joined and did not leave.
    pub fn streams(&self) -> usize {
        self.streams.iter().flatten().count()
    }

    /// Pictures that wait.
    pub const fn waiting(&self) -> usize {
        self.weight
    }

    /// The size that a batch of `weight` pictures has when it runs: the next preferred one.
    pub fn padded(&self, weight: usize) -> usize {
        let mut preferred = self.config.preferred.iter();
        *preferred.find(|size| **size >= weight).unwrap_or(&weight)
    }

    fn stream(&mut self, id: StreamId) -> Option<&mut Stream<J>> {
        let entry = self.streams.get_mut(id.index)?.as_mut()?;
        (entry.serial == id.serial).then_some(entry)
    }
}
