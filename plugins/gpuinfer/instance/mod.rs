//! One network for all elements of the process that want the same: loaded once, run on the frames of all of them.
//!
//! Each element is a stream: it submits frames and takes the outcome of each when it is called. Which frames go into the
//! network together, and when, is decided by `livetune_core::infer::Batcher`. On a processor each physical core has a
//! session of one thread, as soon as there are as many streams, as batches gain nothing there; a stream that is alone has
//! one session with all threads. An accelerator has one session and batches.

mod answer;
mod bench;
mod crew;
mod floor;
mod mailbox;
mod network;
mod news;
mod regions;
mod registry;
mod staff;
mod statistics;
mod stream;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use livetune_core::infer::{Batcher, Config};

pub(super) use answer::{Answer, Job, Outcome};
use crew::Means;
use floor::{Floor, Premises};
pub(super) use mailbox::Wake;
use network::{Opened, Source};
pub(super) use regions::{Regions, Shelf};
pub(super) use stream::{Stream, Ticket};

use super::detector::Terms;
use super::engine::{ActiveDevice, EngineOptions};
use super::options::ModelOptions;
use crate::runtime::figures::Figure;
use crate::runtime::lock::lock;

/// Pictures in a batch of an accelerator, where the user leaves it open.
const ACCELERATOR_BATCH: usize = 32;
/// Sizes that networks on accelerators are prepared for; each new one costs them a search for the best kernels.
const ACCELERATOR_SIZES: [usize; 16] =
    [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];

/// What is to be opened.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: PathBuf,
    pub(super) engine: EngineOptions,
    pub(super) model: ModelOptions,
    pub(super) schedule: ScheduleOptions,
    /// The user's name for what is shared: only those with the same name share.
    pub(super) key: Option<String>,
}

/// How frames are put together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ScheduleOptions {
    /// Pictures in a batch at most; 0: by device.
    pub(super) max_batch: u32,
    /// How long a frame waits for others at most.
    pub(super) max_queue_delay: Duration,
    /// Networks that run at the same time; 0: by device and number of streams.
    pub(super) sessions: u32,
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        Self {
            max_batch: 0,
            max_queue_delay: Duration::from_millis(5),
            sessions: 0,
        }
    }
}

/// A network with its workers. It ends with the last `Arc`.
pub(super) struct Instance {
    floor: Arc<Floor>,
}

impl Instance {
    /// The network that `request` names: one that runs already, or a new one, ready to run. With it, what is not as it was
    /// asked for.
    pub(super) fn open(request: &Request) -> Result<(Arc<Self>, Vec<String>), gst::ErrorMessage> {
        registry::open(request)
    }

    /// Opens a network of `source`, starts the first worker and waits until it has warmed up.
    fn start(
        source: Box<dyn Source>,
        schedule: &ScheduleOptions,
        about: About,
    ) -> Result<Self, gst::ErrorMessage> {
        let threads = about.threads_of_first(schedule);
        let Opened { network, facts } = source.open(threads)?;
        let sizes = Sizes::of(facts.device, schedule.max_batch, network.max_batch());
        let means = Means {
            device: facts.device,
            cores: about.cores,
            threads: about.threads,
            sessions: schedule.sessions,
            max_batch: sizes.max_batch,
        };
        let config = Config {
            max_batch: sizes.max_batch,
            max_queue_delay: schedule.max_queue_delay,
            workers: means.plan(0).sessions,
            preferred: sizes.preferred.clone(),
        };
        let batcher = Batcher::new(config)
            .map_err(|wrong| gst::error_msg!(gst::LibraryError::Settings, ("{wrong}")))?;
        let floor = Arc::new(Floor::new(Premises {
            batcher,
            means,
            source,
            facts,
            sizes,
            wanted_batch: schedule.max_batch,
            model_bytes: about.model_bytes,
        }));
        floor.open(network).map_err(|why| {
            let domain = gst::LibraryError::Init;
            gst::error_msg!(
                domain,
                ("The network does not run ({why}): a smaller max-batch-size and fewer threads take less memory")
            )
        })?;
        Ok(Self { floor })
    }

    /// A stream comes: up to `backlog` of its frames wait, in order; with 1, its latest. `wake` is called, with nothing
    /// locked and on any thread, when an outcome is there. Dropping the answer leaves.
    pub(super) fn join(self: &Arc<Self>, backlog: u32, wake: Wake) -> Stream {
        Stream::new(self.clone(), backlog, wake)
    }

    /// What the instance knows of itself.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let present = self.floor.present();
        let statistics = lock(&self.floor.statistics).clone();
        statistics.figures(present)
    }

    /// What its results are called, and which of them count.
    pub(super) fn terms(&self) -> Arc<Terms> {
        lock(&self.floor.facts).terms.clone()
    }

    /// The engine and the device that run, in words.
    pub(super) fn active(&self) -> String {
        lock(&self.floor.facts).active.clone()
    }

    /// What 95 of 100 batches of so many pictures do not exceed, as measured.
    pub(super) fn cost(&self, pictures: usize) -> Duration {
        self.floor.cost(pictures)
    }

    /// What it had to say after the first `heard` sentences.
    pub(super) fn news(&self, heard: usize) -> Vec<String> {
        self.floor.news.after(heard)
    }

    /// Why it works no more for now; its frames fail at once then, and the next who opens it gets a new one.
    pub(super) fn trouble(&self) -> Option<String> {
        self.floor.trouble()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.floor.close();
    }
}

/// What an instance must know beside its network.
#[derive(Clone, Copy, Debug)]
struct About {
    /// Threads of a session, as the user wants it; 0: by the number of streams.
    threads: u32,
    /// Physical ones.
    cores: usize,
    model_bytes: u64,
}

impl About {
    /// What the first session is opened with, before anything is known of the device: a lone stream's, and where that is
    /// all cores, whatever the engine takes for that.
    fn threads_of_first(&self, schedule: &ScheduleOptions) -> u32 {
        match (self.threads, schedule.sessions as usize) {
            (0, 2..) => (self.cores / schedule.sessions as usize).max(1) as u32,
            (threads, _) => threads,
        }
    }
}

/// The sizes of batches.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sizes {
    max_batch: usize,
    /// Those that a batch is padded to; none: it is run as it is.
    preferred: Vec<usize>,
    /// Those that run once before the first frame.
    warm_up: Vec<usize>,
}

impl Sizes {
    /// What the user wants (0: by device), as far as the network can.
    fn of(device: ActiveDevice, wanted: u32, possible: usize) -> Self {
        let is_accelerator = device == ActiveDevice::Accelerator;
        let usual = if is_accelerator { ACCELERATOR_BATCH } else { 1 };
        let wanted = if wanted == 0 { usual } else { wanted as usize };
        let max_batch = wanted.min(possible).max(1);
        if !is_accelerator {
            let warm_up = if max_batch > 1 {
                vec![1, max_batch]
            } else {
                vec![1]
            };
            return Self {
                max_batch,
                preferred: Vec::new(),
                warm_up,
            };
        }
        let smaller = ACCELERATOR_SIZES
            .into_iter()
            .filter(|size| *size < max_batch);
        let preferred: Vec<usize> = smaller.chain([max_batch]).collect();
        Self {
            max_batch,
            warm_up: preferred.clone(),
            preferred,
        }
    }
}

#[cfg(test)]
mod tests;
