//! What lies around the element: queues behind, elements that wait for the clock, whether frames come in real time.

use std::sync::Arc;
use std::time::Duration;

use gst::prelude::*;
use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::queues::Queue;
use super::stages::{Hear, Listening, Push, Stage};
use crate::runtime::walk::{Step, is_of_class, walk};

/// Between two searches: elements come and go, but not often.
const SEARCH: Duration = Duration::from_secs(1);

/// Elements of ours that work on a GPU, which their class does not say.
const ON_GPU: &str = "gpuinfer";

/// What was found, and is found again from time to time.
#[derive(Debug, Default)]
pub(in super::super) struct Around {
    queues: Vec<Queue>,
    stages: Vec<Listening>,
    push: Arc<Push>,
    searched: Option<MediaTime>,
    live: bool,
    gpu: bool,
}

/// What a search found.
#[derive(Debug)]
pub(in super::super) struct Found {
    queues: Vec<Queue>,
    stages: Vec<Stage>,
    live: bool,
    gpu: bool,
}

impl Around {
    /// Nothing is known yet; `push` is told when our frames come to elements that wait.
    pub(in super::super) fn new(push: Arc<Push>) -> Self {
        Self {
            push,
            ..Self::default()
        }
    }

    /// Whether to search now.
    pub(in super::super) fn is_search_due(&self, now: MediaTime) -> bool {
        let searched = self.searched;
        searched.is_none_or(|searched| now.since(searched) >= SEARCH)
    }

    /// Takes over what was `found` at `now`; `hear` is told of the threads behind.
    pub(in super::super) fn on_found(&mut self, found: Found, hear: &Hear, now: MediaTime) {
        self.searched = Some(now);
        self.queues = found.queues;
        self.live = found.live;
        self.gpu = found.gpu;
        self.stages.truncate(found.stages.len());
        for (number, stage) in found.stages.iter().enumerate() {
            let known = self.stages.get(number);
            if known.is_some_and(|known| known.is_to(stage)) {
                continue;
            }
            let listening = match number {
                0 => Listening::to_own(stage, &self.push),
                _ => Listening::to_other(stage, number, hear),
            };
            match self.stages.get_mut(number) {
                Some(known) => *known = listening,
                None => self.stages.push(listening),
            }
        }
    }

    /// Whether frames come at the pace of a clock: only then does a push that takes long mean that much is to be done.
    /// What waits for the elements behind it, as a file does, keeps them busy all the time.
    pub(in super::super) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether elements behind use a GPU.
    pub(in super::super) fn uses_gpu(&self) -> bool {
        self.gpu
    }

    /// How full the fullest queue behind is; `None` where there is none.
    pub(in super::super) fn fill(&self) -> Option<Ratio> {
        let fills = self.queues.iter().filter_map(Queue::fill);
        fills.max_by(|a, b| a.as_f64().total_cmp(&b.as_f64()))
    }
}

impl Found {
    /// Looks around: from `src` on, and before those of the `sinks` that are linked.
    pub(in super::super) fn search(src: &gst::Pad, sinks: &[gst::Pad]) -> Self {
        let (mut queues, mut gpu) = (Vec::new(), false);
        walk(src, |pad| {
            queues.extend(Queue::behind(pad));
            let element = pad.parent_element();
            gpu |= element.is_some_and(|element| is_on_gpu(&element));
            Step::<()>::On
        });
        Self {
            queues,
            stages: Stage::all_behind(src),
            live: sinks.iter().any(is_live),
            gpu,
        }
    }
}

fn is_on_gpu(element: &gst::Element) -> bool {
    let ours = || {
        element
            .factory()
            .is_some_and(|factory| factory.name() == ON_GPU)
    };
    is_of_class(element, "Hardware") || ours()
}

/// Whether what comes to `sink` comes from something live.
fn is_live(sink: &gst::Pad) -> bool {
    let mut query = gst::query::Latency::new();
    sink.peer_query(&mut query) && query.result().0
}
