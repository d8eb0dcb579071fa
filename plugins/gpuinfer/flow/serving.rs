//! A network that serves this element, and the questions it was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use livetune_core::infer::{Found, Outcome as Said};
use livetune_core::time::MediaTime;

use super::bell::Bell;
use crate::gpuinfer::detector::Terms;
use crate::gpuinfer::instance::{Answer, Instance, Job, Outcome, Stream, Ticket};
use crate::gpuinfer::settings::Settings;
use crate::runtime::clock;

/// An opened network.
pub(in crate::gpuinfer) struct Loaded {
    pub(in crate::gpuinfer) instance: Arc<Instance>,
    /// Its path.
    pub(in crate::gpuinfer) model: String,
    /// What its results are called, and which of them count.
    pub(in crate::gpuinfer) terms: Arc<Terms>,
    /// How much of what it had to say was heard.
    heard: AtomicUsize,
}

/// A network with this element's place at it.
pub(super) struct Serving {
    /// Frames of this element that may wait there.
    pub(super) backlog: u32,
    stream: Stream,
}

/// A frame that a network was asked about. Dropped without an answer, nobody wants it any more.
pub(super) struct Question {
    serving: Arc<Serving>,
    ticket: Ticket,
    is_open: bool,
}

impl Loaded {
    /// What `settings` name, ready to run, and what is to be said of it.
    pub(in crate::gpuinfer) fn open(
        settings: &Settings,
    ) -> Result<(Arc<Self>, Vec<String>), gst::ErrorMessage> {
        let (instance, warnings) = Instance::open(&settings.request()?)?;
        let model = settings.model.model.clone().unwrap_or_default();
        let terms = instance.terms();
        let refused = |why: String| gst::error_msg!(gst::LibraryError::Settings, ("{why}"));
        terms.thresholds(&settings.wishes()).map_err(refused)?;
        let loaded = Self {
            instance,
            model,
            terms,
            heard: AtomicUsize::new(0),
        };
        Ok((Arc::new(loaded), warnings))
    }

    /// What the network had to say since this was asked.
    pub(super) fn news(&self) -> Vec<String> {
        let news = self.instance.news(self.heard.load(Ordering::Relaxed));
        self.heard.fetch_add(news.len(), Ordering::Relaxed);
        news
    }
}

impl Serving {
    pub(super) fn new(loaded: &Loaded, backlog: u32, bell: &Arc<Bell>) -> Arc<Self> {
        let bell = bell.clone();
        let wake = Arc::new(move || bell.ring());
        let stream = loaded.instance.join(backlog, wake);
        Arc::new(Self { backlog, stream })
    }

    pub(super) fn ask(self: &Arc<Self>, job: Job, deadline: MediaTime) -> Question {
        Question {
            ticket: self.stream.submit(job, deadline, clock::monotonic()),
            serving: self.clone(),
            is_open: true,
        }
    }

    pub(super) fn flush(&self) {
        self.stream.flush();
    }

    /// No more frames come for now.
    pub(super) fn end(&self) {
        self.stream.end();
    }
}

impl Question {
    /// What the network said, once; `failed` is told why it could not.
    pub(super) fn poll(&mut self, failed: &mut Option<String>) -> Option<Said<Answer>> {
        let outcome = self.serving.stream.take(self.ticket)?;
        self.is_open = false;
        Some(match outcome {
            Outcome::Found(answer) => {
                // What is wrong with one picture is no fault of the others.
                match answer.found() {
                    [first, rest @ ..] if rest.iter().chain([first]).all(is_failure) => {
                        failed.clone_from(&first.failure);
                        Said::Failed
                    }
                    _ => Said::Found(answer),
                }
            }
            Outcome::Superseded => Said::Superseded,
            Outcome::Failed(why) => {
                *failed = Some(why);
                Said::Failed
            }
        })
    }
}

fn is_failure(found: &Found) -> bool {
    found.failure.is_some()
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.is_open {
            self.serving.stream.give_up(self.ticket);
        }
    }
}
