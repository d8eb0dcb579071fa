//! One thread for all elements that run, which looks after them now and then.

use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// Between two rounds.
const ROUND: Duration = Duration::from_millis(250);

struct Elements {
    next: u64,
    watched: Vec<(u64, glib::WeakRef<super::BufferRecycler>)>,
    /// The thread is there.
    runs: bool,
}

static ELEMENTS: Mutex<Elements> = Mutex::new(Elements {
    next: 0,
    watched: Vec::new(),
    runs: false,
});
static LEFT: Condvar = Condvar::new();

/// An element is looked after for as long as this exists.
#[derive(Debug)]
pub(super) struct Watch(u64);

impl Watch {
    /// Looks after `element` from now on.
    pub(super) fn begin(element: &super::BufferRecycler) -> io::Result<Self> {
        let mut elements = lock(&ELEMENTS);
        if !elements.runs {
            let name = "livetune-buffers".to_owned();
            thread::Builder::new().name(name).spawn(rounds)?;
            elements.runs = true;
        }
        let id = elements.next;
        elements.next += 1;
        elements.watched.push((id, element.downgrade()));
        Ok(Self(id))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&ELEMENTS).watched.retain(|(id, _)| *id != self.0);
        LEFT.notify_all();
    }
}

/// Goes round until nobody is left.
fn rounds() {
    while let Some(watched) = next_round() {
        for element in watched.iter().filter_map(glib::WeakRef::upgrade) {
            guard("the watch of bufferrecycler", (), || {
                element.imp().on_time();
            });
        }
    }
}

/// The elements of the next round, when it is time for it.
fn next_round() -> Option<Vec<glib::WeakRef<super::BufferRecycler>>> {
    let waited = LEFT.wait_timeout_while(lock(&ELEMENTS), ROUND, |elements| {
        !elements.watched.is_empty()
    });
    let mut elements = waited.unwrap_or_else(PoisonError::into_inner).0;
    if elements.watched.is_empty() {
        elements.runs = false;
        return None;
    }
    let watched = elements.watched.iter().map(|(_, element)| element.clone());
    Some(watched.collect())
}

impl super::imp::BufferRecycler {
    /// Some time passed: unused memory goes, and who holds a buffer for too long is told of.
    pub(super) fn on_time(&self) {
        let now = clock::monotonic();
        let pools = self
            .with_state(|state| state.live_pools())
            .unwrap_or_default();
        pools.iter().for_each(|pool| pool.trim(now));
        self.look_for_late_writes();
        let Some(limit) = lock(&self.settings).longest_hold() else {
            return;
        };
        let overdue = lock(&self.ledger).overdue(limit, now);
        if let Some(overdue) = overdue {
            self.tell_overdue(overdue);
        }
    }
}
