//! The way out: the task that pushes what may go.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::infer::{Boxes, Cause, Step};
use livetune_core::time::MediaTime;

use super::output::Output;
use super::{Flow, Flowed, Frame, Item};
use crate::gpuinfer::imp::GpuInfer;
use crate::gpuinfer::instance::Answer;
use crate::gpuinfer::publish::Published;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

type Next = Step<Frame, Item, Answer>;

/// What one turn came to.
enum Turn {
    /// Something left the row, or was waited for.
    Worked,
    /// The row is empty; so often the bell had rung before it was seen to be.
    Idle(u64),
    /// Nothing may be pushed.
    Stopped(gst::FlowError),
}

impl Flow {
    /// Starts the task that pushes, where there is to be one.
    pub(super) fn run_task(&self, imp: &GpuInfer) {
        if !self.has_task {
            return;
        }
        let weak = imp.obj().downgrade();
        let started = imp.src().start_task(move || {
            if let Some(element) = weak.upgrade() {
                element.imp().with_flow(|flow| flow.on_task(element.imp()));
            }
        });
        if started.is_err() {
            gst::element_imp_error!(
                imp,
                gst::CoreError::Thread,
                ("The thread that pushes frames cannot be started: the system has no thread left")
            );
        }
    }

    /// The source pad was switched on or off.
    pub(in crate::gpuinfer) fn on_source_active(&self, imp: &GpuInfer, is_active: bool) {
        if is_active {
            self.open(Ok(gst::FlowSuccess::Ok));
            self.run_task(imp);
        } else {
            self.open(Err(gst::FlowError::Flushing));
            let _ = imp.src().stop_task();
        }
    }

    pub(in crate::gpuinfer) fn on_source_event(&self, imp: &GpuInfer, event: &gst::Event) {
        if event.type_() != gst::EventType::Reconfigure {
            return;
        }
        let is_linked_again = {
            let mut inner = lock(&self.inner);
            let was_unlinked = inner.result == Err(gst::FlowError::NotLinked);
            if was_unlinked {
                inner.result = Ok(gst::FlowSuccess::Ok);
            }
            was_unlinked
        };
        if is_linked_again {
            self.run_task(imp);
        }
    }

    /// Pushes all that is in the row, in the thread that brought it.
    pub(super) fn drain(&self, imp: &GpuInfer) -> Flowed {
        loop {
            match self.turn(imp) {
                Turn::Worked => (),
                Turn::Idle(_) => return self.verdict(),
                Turn::Stopped(error) => return Err(error),
            }
        }
    }

    fn on_task(&self, imp: &GpuInfer) {
        match self.turn(imp) {
            Turn::Worked => (),
            Turn::Idle(seen) => self.bell.wait(seen, None),
            Turn::Stopped(error) => {
                let _ = imp.src().pause_task();
                let is_eos = lock(&self.inner).is_eos;
                // Upstream, which is told otherwise, sends nothing more.
                if is_eos && imp.report_flow_error(error) {
                    imp.src().push_event(gst::event::Eos::new());
                }
            }
        }
    }

    fn turn(&self, imp: &GpuInfer) -> Turn {
        let seen = self.bell.rung();
        let now = clock::monotonic();
        let mut failed = None;
        let step: Next = {
            let mut inner = lock(&self.inner);
            if let Err(error) = inner.result {
                return Turn::Stopped(error);
            }
            let step = inner.order.next(now, |question| question.poll(&mut failed));
            inner.is_busy = !matches!(step, Step::Wait(_));
            if inner.order.is_empty() && !inner.is_busy {
                return Turn::Idle(seen);
            }
            step
        };
        if let Step::Wait(until) = step {
            self.bell.wait(seen, until.map(|until| until.since(now)));
            return Turn::Worked;
        }
        let result = self.carry_out(imp, step, failed);
        let mut inner = lock(&self.inner);
        inner.is_busy = false;
        // Whoever ended it meanwhile knows better.
        if inner.result.is_ok() {
            inner.result = result;
        }
        drop(inner);
        self.bell.ring();
        Turn::Worked
    }

    fn carry_out(&self, imp: &GpuInfer, step: Next, failed: Option<String>) -> Flowed {
        match step {
            Step::Wait(_) => Ok(gst::FlowSuccess::Ok),
            Step::Event(Item::Event(event)) => {
                let ends = event.type_() == gst::EventType::Eos;
                self.with_output(|output| output.on_event(&event));
                let revives = matches!(
                    event.type_(),
                    gst::EventType::Segment | gst::EventType::StreamStart
                );
                imp.src().push_event(event);
                if revives {
                    lock(&self.inner).is_downstream_eos = false;
                }
                if ends {
                    Err(gst::FlowError::Eos)
                } else {
                    Ok(gst::FlowSuccess::Ok)
                }
            }
            Step::Event(Item::Serve(loaded)) => {
                let before = self.with_output(|output| output.serve(loaded));
                drop(before);
                imp.on_serving();
                Ok(gst::FlowSuccess::Ok)
            }
            Step::Refresh(answer, stamp) => {
                let time = stamp.pts.unwrap_or(stamp.arrived);
                if self.second_stage.is_none() {
                    self.with_output(|output| output.take(&answer, time));
                }
                self.on_answer(imp, &answer, stamp.arrived);
                Ok(gst::FlowSuccess::Ok)
            }
            Step::Drop(frame, _) => {
                self.with_output(|output| output.is_discontinued = true);
                self.on_dropped(imp, frame);
                Ok(gst::FlowSuccess::Ok)
            }
            Step::Push(frame, boxes, cause) => {
                if let Some(why) = failed {
                    imp.on_error(self.count_error(), &why);
                    imp.on_news(&self.loaded().news());
                }
                self.push_while_wanted(imp, frame, boxes, cause)
            }
        }
    }

    /// Downstream that wants no more frames is left in peace, and still told the end of the stream.
    fn push_while_wanted(
        &self,
        imp: &GpuInfer,
        frame: Frame,
        boxes: Boxes<Answer>,
        cause: Cause,
    ) -> Flowed {
        if lock(&self.inner).is_downstream_eos {
            return Ok(gst::FlowSuccess::Ok);
        }
        let pushed = self.push(imp, frame, boxes, cause);
        if pushed != Err(gst::FlowError::Eos) {
            return pushed;
        }
        lock(&self.inner).is_downstream_eos = true;
        Ok(gst::FlowSuccess::Ok)
    }

    fn push(&self, imp: &GpuInfer, mut frame: Frame, boxes: Boxes<Answer>, cause: Cause) -> Flowed {
        let wanted = imp.live().wanted;
        let mut looked_into = 0;
        let shown = self.with_output(|output| {
            output.on_frame(&frame);
            let (answer, boxes) = match &boxes {
                Boxes::Own(answer) => (Some(answer), Boxes::Own(())),
                Boxes::Carried(age) => (None, Boxes::Carried(*age)),
                Boxes::Bare => (None, Boxes::Bare),
            };
            if let Some(stage) = &self.second_stage {
                looked_into = output.look_into(stage, &mut frame, answer);
            } else if let Some(answer) = answer {
                output.take(answer, frame.time);
            }
            if std::mem::take(&mut output.is_discontinued) {
                let buffer = frame.buffer.make_mut();
                buffer.set_flags(gst::BufferFlags::DISCONT);
            }
            let shown = output.show(&mut frame, &boxes, wanted);
            (shown, output.objects(), output.published())
        });
        let panicked = || (Err("panic".to_owned()), 0, Published::default());
        let (shown, objects, published) = shown.unwrap_or_else(panicked);
        {
            let report = &mut lock(&self.inner).report;
            report.on_pushed(cause, &boxes, objects, clock::monotonic());
            report.on_published(published);
            report.on_second_stage(looked_into);
        }
        if let Boxes::Own(answer) = &boxes {
            self.on_answer(imp, answer, frame.arrived);
        }
        drop(boxes);
        match shown {
            Ok(shown) => shown.say(&*imp.obj()),
            Err(why) => imp.on_error(self.count_error(), &why),
        }
        imp.src().push(frame.buffer)
    }

    /// Learns from an answer how long frames may wait, and tells upstream how long they do.
    fn on_answer(&self, imp: &GpuInfer, answer: &Answer, arrived: MediaTime) {
        let loaded = lock(&self.inner).loaded.clone();
        let cost = loaded.instance.cost(answer.batch_size);
        imp.on_news(&loaded.news());
        drop(loaded);
        let now = clock::monotonic();
        let (has_changed, mean, target) = {
            let inner = &mut *lock(&self.inner);
            let has_changed = inner.budget.on_cost(cost, now);
            let wait = answer.finished.since(arrived);
            let mean = inner.waiting.on_answer(wait, now);
            (has_changed, mean, inner.budget.current())
        };
        if has_changed {
            imp.post_latency();
        }
        if let Some(latency) = mean {
            imp.tell_load(latency, target);
        }
    }

    /// Whether it is the first one.
    fn count_error(&self) -> bool {
        lock(&self.inner).report.on_error()
    }

    /// `None` where `work` panicked, or nothing may be shown any more.
    fn with_output<R>(&self, work: impl FnOnce(&mut Output) -> R) -> Option<R> {
        let mut output = lock(&self.output).take()?;
        let done = guard("gpuinfer's output", None, || Some(work(&mut output)));
        *lock(&self.output) = Some(output);
        done
    }
}
