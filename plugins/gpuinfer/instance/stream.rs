//! One element's way to a network that it shares.

use std::fmt;
use std::sync::Arc;

use livetune_core::infer::StreamId;
use livetune_core::time::MediaTime;

use super::Instance;
use super::answer::{Job, Outcome};
use super::floor::Pending;
use super::mailbox::{Mailbox, Wake};

/// A frame's number; later ones are larger.
pub(in crate::gpuinfer) type Ticket = u64;

/// A stream of an instance. Dropping it leaves: its frames are given up, and those in flight answer nobody.
pub(in crate::gpuinfer) struct Stream {
    instance: Arc<Instance>,
    id: StreamId,
    mailbox: Arc<Mailbox>,
}

impl Stream {
    pub(super) fn new(instance: Arc<Instance>, backlog: u32, wake: Wake) -> Self {
        Self {
            id: instance.floor.join(backlog),
            mailbox: Arc::new(Mailbox::new(wake)),
            instance,
        }
    }

    /// A frame whose objects are wanted at `deadline`, which says how long it may wait for others; the end of time: as
    /// long as max-queue-delay. Its outcome can be taken with the number that it gets. Where an older one had to make
    /// room, or nobody works any more, the stream is woken from here.
    pub(in crate::gpuinfer) fn submit(
        &self,
        job: Job,
        deadline: MediaTime,
        now: MediaTime,
    ) -> Ticket {
        let mailbox = self.mailbox.clone();
        let pending = Pending { mailbox, job };
        let floor = &self.instance.floor;
        let (ticket, outcome) = floor.submit(self.id, pending, deadline, now);
        if let Some((whose, outcome)) = outcome
            && self.mailbox.put(whose, outcome)
        {
            self.mailbox.wake();
        }
        ticket
    }

    /// What became of a frame, once: `None` while it waits or runs, after it was taken, and where it was given up.
    pub(in crate::gpuinfer) fn take(&self, ticket: Ticket) -> Option<Outcome> {
        self.mailbox.take(ticket)
    }

    /// Nobody wants to know of that frame any more.
    pub(in crate::gpuinfer) fn give_up(&self, ticket: Ticket) {
        if !self.instance.floor.give_up(self.id, ticket) {
            self.mailbox.give_up(ticket);
        }
    }

    /// All frames so far are given up; those in flight answer nobody.
    pub(in crate::gpuinfer) fn flush(&self) {
        let last = self.instance.floor.flush(self.id);
        self.mailbox.flush(last);
    }

    /// No more frames come for now: those that wait go at once, and nobody waits for the next.
    pub(in crate::gpuinfer) fn end(&self) {
        self.instance.floor.end(self.id);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.mailbox.close();
        self.instance.floor.leave(self.id);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
