//! The way in: frames and events from upstream.

use std::sync::Arc;
use std::time::Duration;

use gst::prelude::*;
use gst_video::VideoInfo;
use livetune_core::infer::{Size, Stamp, Thresholds, TrackerConfig};
use livetune_core::time::MediaTime;

use super::serving::Question;
use super::{Flow, Flowed, Frame, Inner, Item, Segment, Serving};
use crate::gpuinfer::imp::GpuInfer;
use crate::gpuinfer::instance::{Job, Regions};
use crate::gpuinfer::settings::Live;
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// What was decided about a frame that comes in.
struct Admitted {
    /// Whom to ask about it, where that is to be.
    serving: Option<Arc<Serving>>,
    info: VideoInfo,
    segment: Option<Segment>,
    thresholds: Thresholds,
    stamp: Stamp,
    deadline: MediaTime,
    /// The latency is another one now.
    has_latency_changed: bool,
    /// This frame is the first for another network.
    is_first: bool,
}

impl Flow {
    /// A frame came.
    pub(in crate::gpuinfer) fn on_buffer(&self, imp: &GpuInfer, buffer: gst::Buffer) -> Flowed {
        let live = imp.live();
        self.ask_whether_live(imp);
        let admitted = self.admit(&live, &buffer)?;
        if admitted.has_latency_changed {
            imp.post_latency();
        }
        if admitted.is_first {
            self.forget();
        }
        let (stamp, deadline) = (admitted.stamp, admitted.deadline);
        let serving = admitted.serving.clone();
        let mut frame = Frame {
            buffer,
            info: admitted.info,
            segment: admitted.segment,
            time: stamp.pts.unwrap_or(stamp.arrived),
            arrived: stamp.arrived,
            deadline,
            thresholds: admitted.thresholds,
            visit: None,
        };
        let job = self.job(&mut frame, &live);
        let question = serving
            .zip(job)
            .map(|(serving, job)| serving.ask(job, deadline));
        self.enqueue(imp, frame, question, stamp)?;
        if self.has_task {
            return Ok(gst::FlowSuccess::Ok);
        }
        self.drain(imp)
    }

    /// What the network is asked about `frame`; `None` where there is nothing to look at.
    fn job(&self, frame: &mut Frame, live: &Live) -> Option<Job> {
        let size = Size::new(frame.info.width(), frame.info.height());
        let mut thresholds = frame.thresholds.clone();
        let mut regions = Regions::from(&self.shelf);
        if let Some(stage) = &self.second_stage {
            let visit = lock(stage).visit(&frame.buffer, size, frame.time);
            regions.list_mut().extend_from_slice(visit.regions());
            frame.visit = Some(visit);
        } else if !live.rois.is_empty() {
            live.rois.regions(size, regions.list_mut());
        }
        if live.follows {
            let least = TrackerConfig::DEFAULT.least_confidence;
            thresholds.confidence = thresholds.confidence.min(least);
        }
        let is_whole = self.second_stage.is_none() && live.rois.is_empty();
        (is_whole || !regions.is_empty()).then(|| Job {
            buffer: frame.buffer.clone(),
            info: frame.info.clone(),
            regions,
            thresholds,
        })
    }

    /// Something serialized that is no frame came.
    fn on_serialized(&self, imp: &GpuInfer, event: gst::Event) -> bool {
        let (breaks, info) = match event.view() {
            gst::EventView::Caps(caps) => match VideoInfo::from_caps(caps.caps()) {
                Ok(info) => (true, Some(info)),
                Err(_) => return false,
            },
            gst::EventView::StreamStart(_) | gst::EventView::Segment(_) => (true, None),
            _ => (false, None),
        };
        let mut inner = lock(&self.inner);
        let starts = breaks && info.is_none();
        let revives = starts && inner.result == Err(gst::FlowError::Eos);
        if revives {
            inner.result = Ok(gst::FlowSuccess::Ok);
        }
        if starts {
            inner.is_eos = false;
            inner.is_downstream_eos = false;
            inner.is_live = None;
        }
        let is_eos = event.type_() == gst::EventType::Eos;
        let refusal = inner.result.err();
        if let Some(error) = refusal.filter(|_| is_eos || !event.is_sticky()) {
            drop(inner);
            if is_eos {
                imp.report_flow_error(error);
            }
            return false;
        }
        if inner.is_eos {
            return false;
        }
        inner.is_eos |= is_eos;
        if let gst::EventView::Segment(event) = event.view() {
            inner.segment = event.segment().downcast_ref().cloned();
        }
        let has_latency_changed = info.is_some_and(|info| inner.on_caps(info));
        inner.order.on_event(Item::Event(event), breaks);
        let ending = inner.serving.clone().filter(|_| is_eos);
        drop(inner);
        if breaks {
            self.forget();
        }
        if let Some(serving) = ending {
            serving.end();
        }
        self.bell.ring();
        if has_latency_changed {
            imp.post_latency();
        }
        if revives {
            self.run_task(imp);
        }
        self.has_task || !matches!(self.drain(imp), Err(error) if error != gst::FlowError::Eos)
    }

    pub(in crate::gpuinfer) fn on_sink_event(&self, imp: &GpuInfer, event: gst::Event) -> bool {
        match event.type_() {
            gst::EventType::FlushStart => {
                let passed = imp.src().push_event(event);
                self.open(Err(gst::FlowError::Flushing));
                // Returns when the task is out of its function.
                let _ = imp.src().pause_task();
                passed
            }
            gst::EventType::FlushStop => {
                let passed = imp.src().push_event(event);
                self.flush(|event| imp.keep(&event));
                self.open(Ok(gst::FlowSuccess::Ok));
                self.run_task(imp);
                passed
            }
            _ if event.is_serialized() => self.on_serialized(imp, event),
            _ => imp.src().push_event(event),
        }
    }

    /// The sink pad was switched on or off.
    pub(in crate::gpuinfer) fn on_sink_active(&self, imp: &GpuInfer, is_active: bool) {
        if is_active {
            self.open(Ok(gst::FlowSuccess::Ok));
        } else {
            self.open(Err(gst::FlowError::Flushing));
            // Waits for the thread that brings the frames.
            let stream = imp.sink().stream_lock();
            self.flush(|_| ());
            drop(stream);
        }
    }

    fn ask_whether_live(&self, imp: &GpuInfer) {
        if lock(&self.inner).is_live.is_some() {
            return;
        }
        let mut query = gst::query::Latency::new();
        let is_live = imp.sink().peer_query(&mut query) && query.result().0;
        lock(&self.inner).is_live.get_or_insert(is_live);
    }

    /// Waits until there is room for `buffer`, and decides what to do with it.
    fn admit(&self, live: &Live, buffer: &gst::Buffer) -> Result<Admitted, gst::FlowError> {
        loop {
            let seen = self.bell.rung();
            {
                let mut inner = lock(&self.inner);
                inner.result?;
                if inner.is_downstream_eos {
                    return Err(gst::FlowError::Eos);
                }
                let config = inner.config(live);
                inner.order.configure(config);
                if inner.order.has_room() {
                    return self.decide(&mut inner, live, buffer);
                }
            }
            self.bell.wait(seen, None);
        }
    }

    fn decide(
        &self,
        inner: &mut Inner,
        live: &Live,
        buffer: &gst::Buffer,
    ) -> Result<Admitted, gst::FlowError> {
        let info = inner.info.clone().ok_or(gst::FlowError::NotNegotiated)?;
        let now = clock::monotonic();
        let pts = buffer.pts().map(clock::media_time);
        if info.fps().numer() <= 0 {
            inner.budget.on_frame(pts.unwrap_or(now));
        }
        let has_latency_changed = inner.budget.set_fixed(live.max_latency);
        let is_first = inner.fresh.is_some();
        let serving = inner.serving(&self.bell);
        let thresholds = inner.thresholds(&live.wishes);
        Ok(Admitted {
            serving: inner.order.asks().then_some(serving),
            info,
            segment: inner.segment.clone(),
            thresholds,
            stamp: Stamp { pts, arrived: now },
            deadline: now.after(inner.budget.current()),
            has_latency_changed,
            is_first,
        })
    }

    /// Objects of frames that come now are not those of before. Frames on their way are told of all the same.
    fn forget(&self) {
        if let Some(stage) = &self.second_stage {
            lock(stage).reset();
        }
    }

    fn enqueue(
        &self,
        imp: &GpuInfer,
        frame: Frame,
        question: Option<Question>,
        stamp: Stamp,
    ) -> Result<(), gst::FlowError> {
        let deadline = frame.deadline;
        let dropped = {
            let mut inner = lock(&self.inner);
            inner.result?;
            inner.order.on_frame(frame, question, stamp, deadline)
        };
        self.bell.ring();
        if let Some(dropped) = dropped {
            self.on_dropped(imp, dropped);
        }
        Ok(())
    }
}

impl Inner {
    /// Answers whether the latency is another one now.
    fn on_caps(&mut self, info: VideoInfo) -> bool {
        let fps = info.fps();
        let apart = (fps.numer() > 0)
            .then(|| Duration::from_secs_f64(f64::from(fps.denom()) / f64::from(fps.numer())));
        self.budget.on_interval(apart);
        self.info = Some(info);
        let cost = self.loaded.instance.cost(1);
        self.budget.on_cost(cost, clock::monotonic())
    }
}
