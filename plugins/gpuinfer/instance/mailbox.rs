//! Where the answers of one stream wait for it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::answer::Outcome;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// Frames in flight that a stream may lose interest in before the oldest of them is forgotten.
const UNWANTED: usize = 256;

pub(in crate::gpuinfer) type Wake = Arc<dyn Fn() + Send + Sync>;

pub(super) struct Mailbox {
    letters: Mutex<Letters>,
    wake: Wake,
}

#[derive(Debug, Default)]
struct Letters {
    outcomes: VecDeque<(u64, Outcome)>,
    /// Nobody wants to hear of frames up to this one.
    flushed: u64,
    /// Nor of these, which are in flight.
    unwanted: VecDeque<u64>,
    is_closed: bool,
}

impl Mailbox {
    pub(super) fn new(wake: Wake) -> Self {
        Self {
            letters: Mutex::default(),
            wake,
        }
    }

    /// Leaves the `outcome` of a frame; whether somebody wants it, who is to be woken then.
    pub(super) fn put(&self, ticket: u64, outcome: Outcome) -> bool {
        let mut letters = lock(&self.letters);
        let unwanted = letters.unwanted.iter().position(|known| *known == ticket);
        if let Some(at) = unwanted {
            letters.unwanted.remove(at);
        }
        let is_wanted = unwanted.is_none() && ticket > letters.flushed && !letters.is_closed;
        if is_wanted {
            letters.outcomes.push_back((ticket, outcome));
        }
        is_wanted
    }

    /// Calls the stream. Nothing is locked.
    pub(super) fn wake(&self) {
        guard("the stream that an answer woke", (), || (self.wake)());
    }

    pub(super) fn take(&self, ticket: u64) -> Option<Outcome> {
        let mut letters = lock(&self.letters);
        let at = letters
            .outcomes
            .iter()
            .position(|(known, _)| *known == ticket)?;
        let (_, outcome) = letters.outcomes.remove(at)?;
        Some(outcome)
    }

    /// Nobody wants to hear of the frame `ticket`, which does not wait for the network any more.
    pub(super) fn give_up(&self, ticket: u64) {
        let mut letters = lock(&self.letters);
        let at = letters
            .outcomes
            .iter()
            .position(|(known, _)| *known == ticket);
        let outcome = at.and_then(|at| letters.outcomes.remove(at));
        if outcome.is_none() && ticket > letters.flushed {
            letters.unwanted.push_back(ticket);
            if letters.unwanted.len() > UNWANTED {
                letters.unwanted.pop_front();
            }
        }
        drop(letters);
        drop(outcome);
    }

    /// Nobody wants to hear of frames up to `ticket`.
    pub(super) fn flush(&self, ticket: u64) {
        let outcomes = {
            let mut letters = lock(&self.letters);
            letters.flushed = ticket;
            letters.unwanted.clear();
            std::mem::take(&mut letters.outcomes)
        };
        drop(outcomes);
    }

    /// The stream has gone.
    pub(super) fn close(&self) {
        lock(&self.letters).is_closed = true;
        self.flush(u64::MAX);
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
