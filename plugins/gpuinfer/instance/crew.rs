//! How many workers there should be, and how many there are.

use livetune_core::infer::{Backoff, BackoffConfig};
use livetune_core::time::MediaTime;

use crate::gpuinfer::engine::ActiveDevice;

/// What decides how many workers there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    pub(super) device: ActiveDevice,
    /// Physical cores.
    pub(super) cores: usize,
    /// Threads of a session, as the user wants it; 0: by the number of streams.
    pub(super) threads: u32,
    /// Sessions, as the user wants it; 0: by device and number of streams.
    pub(super) sessions: u32,
    pub(super) max_batch: usize,
}

/// Sessions of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Threads of each; 0: as the engine likes it.
    pub(super) threads: u32,
    pub(super) sessions: usize,
}

impl Means {
    /// What serves so many streams best. On a processor, sessions of one thread beside each other do more than one
    /// session of many threads does, and batches gain nothing; a stream that is alone is served sooner by all threads.
    pub(super) fn plan(&self, streams: usize) -> Plan {
        let cores = self.cores.max(1);
        if self.sessions > 0 {
            let sessions = self.sessions as usize;
            let share = (cores / sessions).max(1) as u32;
            let threads = if self.threads > 0 {
                self.threads
            } else {
                share
            };
            return Plan { threads, sessions };
        }
        if self.device == ActiveDevice::Accelerator || self.max_batch > 1 {
            let threads = self.threads;
            return Plan {
                threads,
                sessions: 1,
            };
        }
        let threads = match self.threads {
            0 if streams <= 1 => cores as u32,
            0 => 1,
            threads => threads,
        };
        let fit = (cores / threads as usize).max(1);
        let sessions = streams.clamp(1, fit);
        Plan { threads, sessions }
    }
}

/// A worker's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: u64,
    /// The plan that it was taken on for.
    pub(super) generation: u64,
    pub(super) threads: u32,
    is_ready: bool,
}

/// The workers of an instance.
#[derive(Debug)]
pub(super) struct Crew {
    plan: Plan,
    generation: u64,
    members: Vec<Member>,
    next_id: u64,
    restarts: Backoff,
    /// Of this generation somebody was ready.
    known: Option<u64>,
}

impl Crew {
    pub(super) fn new(plan: Plan) -> Self {
        let restarts = Backoff::new(BackoffConfig::DEFAULT);
        Self {
            plan,
            generation: 0,
            members: Vec::new(),
            next_id: 0,
            restarts: restarts.expect("its own default"),
            known: None,
        }
    }

    /// There may be another plan.
    pub(super) fn set_plan(&mut self, plan: Plan) {
        self.generation += u64::from(plan.threads != self.plan.threads);
        self.plan = plan;
    }

    pub(super) const fn plan(&self) -> Plan {
        self.plan
    }

    /// Takes a worker on, where one is missing; after some have died, not at once.
    pub(super) fn hire(&mut self, now: MediaTime) -> Option<Member> {
        if !self.is_short() || !self.restarts.may_try(now) {
            return None;
        }
        self.next_id += 1;
        let member = Member {
            id: self.next_id,
            generation: self.generation,
            threads: self.plan.threads,
            is_ready: false,
        };
        self.members.push(member);
        Some(member)
    }

    /// The worker has its network. Whether it is the first of its kind, so that batches cost something else now.
    pub(super) fn on_ready(&mut self, id: u64) -> bool {
        let Some(member) = self.members.iter_mut().find(|member| member.id == id) else {
            return false;
        };
        member.is_ready = true;
        let generation = member.generation;
        self.known.replace(generation) < Some(generation)
    }

    /// Whether the worker is one too many, as others do its work.
    pub(super) fn can_go(&self, id: u64) -> bool {
        let Some(member) = self.members.iter().find(|member| member.id == id) else {
            return true;
        };
        let ready = self
            .members
            .iter()
            .filter(|m| m.is_ready && self.is_current(m));
        let ready = ready.count();
        if self.is_current(member) {
            ready > self.plan.sessions
        } else {
            ready > 0
        }
    }

    /// The worker has gone, as it was told to.
    pub(super) fn remove(&mut self, id: u64) {
        self.members.retain(|member| member.id != id);
    }

    /// When a worker that is missing may be taken on, where that is not at once.
    pub(super) fn next_wakeup(&self, now: MediaTime) -> Option<MediaTime> {
        self.restarts.next_wakeup(now).filter(|_| self.is_short())
    }

    /// The worker died, or got no network. Whether nobody is left and nobody comes at once.
    pub(super) fn on_death(&mut self, id: u64, now: MediaTime) -> bool {
        self.remove(id);
        self.restarts.on_failure(now);
        self.members.is_empty() && !self.restarts.may_try(now)
    }

    /// A worker did its work.
    pub(super) const fn on_success(&mut self) {
        self.restarts.on_success();
    }

    fn is_short(&self) -> bool {
        let current = self.members.iter().filter(|m| self.is_current(m)).count();
        current < self.plan.sessions
    }

    /// Workers that have a network.
    pub(super) fn ready(&self) -> usize {
        self.members.iter().filter(|member| member.is_ready).count()
    }

    /// All workers.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    fn is_current(&self, member: &Member) -> bool {
        member.generation == self.generation
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: MediaTime = MediaTime::ZERO;

    fn means(device: ActiveDevice) -> Means {
        Means {
            device,
            cores: 4,
            threads: 0,
            sessions: 0,
            max_batch: 1,
        }
    }

    fn plan(threads: u32, sessions: usize) -> Plan {
        Plan { threads, sessions }
    }

    #[test]
    fn a_stream_alone_gets_all_threads_and_many_get_a_core_each() {
        let cpu = means(ActiveDevice::Cpu);
        assert_eq!(cpu.plan(0), plan(4, 1));
        assert_eq!(cpu.plan(1), plan(4, 1));
        assert_eq!(cpu.plan(2), plan(1, 2));
        assert_eq!(cpu.plan(99), plan(1, 4));
    }

    #[test]
    fn what_the_user_wants_counts() {
        let cpu = means(ActiveDevice::Cpu);
        let threads = Means { threads: 2, ..cpu };
        assert_eq!(threads.plan(1), plan(2, 1));
        assert_eq!(threads.plan(9), plan(2, 2));
        let threads = Means { threads: 64, ..cpu };
        assert_eq!(threads.plan(9), plan(64, 1));
        let sessions = Means { sessions: 3, ..cpu };
        assert_eq!(sessions.plan(1), plan(1, 3));
        let batches = Means {
            max_batch: 8,
            ..cpu
        };
        assert_eq!(batches.plan(9), plan(0, 1));
    }

    #[test]
    fn an_accelerator_has_one_worker() {
        assert_eq!(means(ActiveDevice::Accelerator).plan(50), plan(0, 1));
    }

    #[test]
    fn the_old_ones_stay_until_a_new_one_is_ready() {
        let mut crew = Crew::new(plan(4, 1));
        let old = crew.hire(NOW).expect("the first");
        assert!(crew.on_ready(old.id));
        assert_eq!(crew.hire(NOW), None);
        crew.set_plan(plan(1, 2));
        let new = [crew.hire(NOW), crew.hire(NOW)].map(|member| member.expect("missing"));
        assert_eq!(crew.hire(NOW), None);
        assert!(!crew.can_go(old.id));
        assert!(crew.on_ready(new[1].id));
        assert!(crew.can_go(old.id));
        crew.remove(old.id);
        assert!(!crew.on_ready(new[0].id));
        assert!(!crew.can_go(new[0].id));
        crew.set_plan(plan(1, 1));
        assert!(crew.can_go(new[0].id));
        crew.remove(new[0].id);
        assert!(!crew.can_go(new[1].id));
    }

    #[test]
    fn who_dies_again_and_again_is_replaced_later_each_time() {
        let mut crew = Crew::new(plan(1, 1));
        let mut now = MediaTime::from_millis(500);
        for round in 0..2 {
            let died = crew.hire(now).expect("replaced").id;
            assert!(!crew.on_death(died, now), "the next comes at once");
            for seconds in [1, 2, 4] {
                let died = crew.hire(now).expect("replaced").id;
                assert!(crew.on_death(died, now));
                assert_eq!((crew.hire(now), crew.len()), (None, 0));
                let next = crew.next_wakeup(now).expect("later");
                assert_eq!(next.since(now), Duration::from_secs(seconds), "{round}");
                now = next;
            }
            crew.on_success();
        }
    }
}
