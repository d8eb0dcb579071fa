//! Who works: workers come, have their networks, die, and are replaced.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Sizes;
use super::answer::Outcome;
use super::crew::Member;
use super::floor::{Floor, Pending};
use super::network::{Facts, Network};
use super::worker;
use crate::runtime::clock;
use crate::runtime::lock::lock;

impl Floor {
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

    /// A network was opened after the first; `facts` and the pictures that it takes at once may be others than before.
    pub(super) fn on_opened(self: &Arc<Self>, facts: Facts, possible: usize) {
        let device = facts.device;
        let is_other = {
            let mut known = lock(&self.facts);
            for warning in &facts.warnings {
                if !known.warnings.contains(warning) {
                    self.news.tell(warning.clone());
                }
            }
            let before = std::mem::replace(&mut *known, facts);
            before.device != device
        };
        if is_other {
            let sizes = Sizes::of(device, self.wanted_batch, possible);
            let mut state = lock(&self.state);
            state.means.device = device;
            state.means.max_batch = sizes.max_batch;
            state.batcher.refit(sizes.max_batch, &sizes.preferred);
            drop(state);
            *lock(&self.sizes) = sizes;
            self.staff();
        }
    }

    /// The worker `member` is no more, though nobody sent it away. Another takes its place, at once or after a while;
    /// until then all frames fail, and `why` is the reason.
    pub(super) fn on_death(self: &Arc<Self>, member: Member, why: String) {
        let mut frames = Vec::new();
        let mut state = lock(&self.state);
        if state.crew.on_death(member.id, clock::monotonic()) {
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
        let member = lock(&self.state).crew.hire(clock::monotonic());
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
    pub(super) fn staff(self: &Arc<Self>) {
        loop {
            let mut state = lock(&self.state);
            if state.is_closing {
                return;
            }
            let now = clock::monotonic();
            let plan = state.means.plan(state.batcher.streams());
            state.crew.set_plan(plan);
            state.batcher.set_workers(plan.sessions);
            let member = state.crew.hire(now);
            state.staffing = state.crew.next_wakeup(now);
            let Some(member) = member else {
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
        let now = clock::monotonic();
        let mut state = lock(&self.state);
        state.crew.on_death(member.id, now);
        state.staffing = state.crew.next_wakeup(now).or(Some(now));
        if state.crew.len() == 0 {
            state.trouble = Some(why);
        }
    }
}
