//! The way of frames through the element: in at the sink pad, through a row where they wait for the network, and out
//! at the source pad, in the order they came, with the events between them.

mod bell;
mod load;
mod output;
mod qos;
mod query;
mod reload;
mod serving;
mod sink;
mod source;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst_video::VideoInfo;
use livetune_core::infer::{Budget, Order, OrderConfig, Policy, Thresholds};
use livetune_core::time::MediaTime;

use super::detector::Wishes;
use super::instance::Shelf;
use super::report::Report;
use super::second_stage::{SecondStage, Visit};
use super::settings::{LatePolicy, Live, Mode, Settings};
use crate::runtime::clock;
use crate::runtime::lock::lock;
use bell::Bell;
use load::Waiting;
pub(super) use output::Output;
pub(super) use serving::Loaded;
use serving::{Question, Serving};

type Segment = gst::FormattedSegment<gst::ClockTime>;
type Flowed = Result<gst::FlowSuccess, gst::FlowError>;

/// From READY to PAUSED and back.
pub(super) struct Flow {
    /// Whether a task of our own pushes; else the thread that brings the frames does.
    has_task: bool,
    bell: Arc<Bell>,
    inner: Mutex<Inner>,
    /// What only the thread that pushes works with; not here while it does.
    output: Mutex<Option<Box<Output>>>,
    second_stage: Option<Mutex<SecondStage>>,
    /// Memory for the parts of frames that are looked at.
    shelf: Arc<Shelf>,
}

/// A frame in the row.
struct Frame {
    buffer: gst::Buffer,
    info: VideoInfo,
    /// What its time stamp counts in.
    segment: Option<Segment>,
    /// When it was taken, for those who follow objects.
    time: MediaTime,
    arrived: MediaTime,
    /// When it should have its objects.
    deadline: MediaTime,
    /// What counts in it.
    thresholds: Thresholds,
    /// Objects of another network in it that this one looks into, where that is what it does.
    visit: Option<Visit>,
}

/// What is in the row between frames.
enum Item {
    Event(gst::Event),
    /// From here on another network serves.
    Serve(Arc<Loaded>),
}

struct Inner {
    order: Order<Frame, Item, Question>,
    /// What the last push came to; also, why nothing is pushed now.
    result: Flowed,
    is_eos: bool,
    /// Downstream said that it wants no more frames; it takes events all the same, and frames again after a segment.
    is_downstream_eos: bool,
    /// Something left the row and is not pushed yet.
    is_busy: bool,
    info: Option<VideoInfo>,
    segment: Option<Segment>,
    /// Whether upstream is live, where it was asked.
    is_live: Option<bool>,
    loaded: Arc<Loaded>,
    /// Takes over with the next frame.
    fresh: Option<Arc<Loaded>>,
    serving: Option<Arc<Serving>>,
    /// What the properties said last, and what came of it.
    judged: Option<(Wishes, Thresholds)>,
    /// Counts the models that were set; the last one counts.
    generation: u64,
    budget: Budget,
    waiting: Waiting,
    report: Report,
}

impl Flow {
    pub(super) fn new(loaded: Arc<Loaded>, settings: &Settings, output: Output) -> Self {
        let live = settings.live();
        let mut budget = Budget::new(live.max_latency, live.order.capacity);
        budget.on_cost(loaded.instance.cost(1), clock::monotonic());
        let inner = Inner {
            order: Order::new(live.order),
            result: Err(gst::FlowError::Flushing),
            is_eos: false,
            is_downstream_eos: false,
            is_busy: false,
            info: None,
            segment: None,
            is_live: None,
            fresh: None,
            serving: None,
            judged: None,
            generation: 0,
            budget,
            waiting: Waiting::default(),
            report: Report::default(),
            loaded,
        };
        Self {
            has_task: settings.flow.mode == Mode::Async,
            bell: Arc::default(),
            inner: Mutex::new(inner),
            output: Mutex::new(Some(Box::new(output))),
            second_stage: settings.output.second_stage().map(Mutex::new),
            shelf: Arc::default(),
        }
    }

    /// The network that serves, or takes over with the next frame.
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        let inner = lock(&self.inner);
        inner.fresh.as_ref().unwrap_or(&inner.loaded).clone()
    }

    fn next_generation(&self) -> u64 {
        let mut inner = lock(&self.inner);
        inner.generation += 1;
        inner.generation
    }

    fn generation(&self) -> u64 {
        lock(&self.inner).generation
    }

    /// `loaded` takes over with the next frame.
    pub(super) fn take_over(&self, loaded: Arc<Loaded>) {
        let before = lock(&self.inner).fresh.replace(loaded);
        drop(before);
    }

    /// What the element knows of itself, through `read`.
    pub(super) fn report<R>(&self, read: impl FnOnce(&Report, &Known) -> R) -> R {
        let inner = lock(&self.inner);
        let known = Known {
            loaded: inner.loaded.clone(),
            level: inner.order.frames(),
            budget: inner.budget.current(),
        };
        read(&inner.report, &known)
    }

    /// Lets frames in and out, or ends that, as `result` says.
    fn open(&self, result: Flowed) {
        {
            let mut inner = lock(&self.inner);
            inner.result = result;
            inner.is_eos &= result.is_err();
            inner.is_downstream_eos &= result.is_err();
        }
        self.bell.ring();
    }

    /// What whoever brings a frame is to be told.
    fn verdict(&self) -> Flowed {
        let inner = lock(&self.inner);
        if inner.is_downstream_eos {
            return Err(gst::FlowError::Eos);
        }
        inner.result
    }

    /// Empties the row. Sticky events that stay valid go to `keep`.
    fn flush(&self, keep: impl Fn(gst::Event)) {
        let mut items = Vec::new();
        let serving = {
            let mut inner = lock(&self.inner);
            let inner = &mut *inner;
            inner.order.flush(|item| items.push(item));
            inner.is_eos = false;
            inner.serving.clone()
        };
        if let Some(serving) = serving {
            serving.flush();
        }
        for item in items {
            match item {
                Item::Event(event) => keep(event),
                Item::Serve(loaded) => lock(&self.inner).order.on_event(Item::Serve(loaded), true),
            }
        }
    }
}

/// What a report is made of besides what is counted.
pub(super) struct Known {
    pub(super) loaded: Arc<Loaded>,
    /// Frames in the row.
    pub(super) level: usize,
    pub(super) budget: Duration,
}

impl Inner {
    /// How the row is to be kept, by the settings and by what upstream is.
    fn config(&self, live: &Live) -> OrderConfig {
        let policy = match (live.late_policy, self.is_live) {
            (LatePolicy::Auto, Some(true)) => Policy::Skip,
            _ => live.order.policy,
        };
        OrderConfig {
            policy,
            ..live.order
        }
    }

    /// What counts, by the `wishes`; as before where the model has not what is wished for.
    fn thresholds(&mut self, wishes: &Wishes) -> Thresholds {
        if let Some((known, thresholds)) = &self.judged
            && known == wishes
        {
            return thresholds.clone();
        }
        let before = self.judged.take().map(|(_, thresholds)| thresholds);
        let thresholds = self.loaded.terms.thresholds(wishes);
        let thresholds = thresholds.unwrap_or_else(|_| before.unwrap_or_default());
        self.judged = Some((wishes.clone(), thresholds.clone()));
        thresholds
    }

    /// The network to ask, with a place at it for as many frames as may wait there.
    fn serving(&mut self, bell: &Arc<Bell>) -> Arc<Serving> {
        let config = self.order.config();
        let backlog = match config.policy {
            Policy::Block => config.capacity as u32,
            Policy::Skip | Policy::Drop => 1,
        };
        if let Some(fresh) = self.fresh.take() {
            self.order.on_event(Item::Serve(fresh.clone()), true);
            self.loaded = fresh;
            self.serving = None;
            self.judged = None;
        }
        match &self.serving {
            Some(serving) if serving.backlog == backlog => serving.clone(),
            _ => {
                let serving = Serving::new(&self.loaded, backlog, bell);
                self.serving = Some(serving.clone());
                serving
            }
        }
    }
}
