//! The thread that gives memory back: it lives only while blocks lie free, and sleeps until one has lain long enough.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{CAT, DEPOTS, WISHES};
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// Between two looks passes at least this part of the time that blocks may lie: many blocks go at once.
const LOOKS_IN_TIME: u32 = 8;

/// Something has changed that the keeper should know before its time.
static RUNG: Mutex<bool> = Mutex::new(false);
static BELL: Condvar = Condvar::new();

/// A block lies free: somebody has to look after it.
pub(super) fn call() {
    let stock = DEPOTS.stock();
    if stock.needs_keeper() {
        let thread = thread::Builder::new().name("livetune-memory".to_owned());
        if let Err(error) = thread.spawn(live) {
            stock.on_no_keeper();
            gst::warning!(CAT, "no thread to give memory back in time: {error}");
        }
    }
}

/// The limits have changed: a keeper looks again at once.
pub(super) fn hurry() {
    *lock(&RUNG) = true;
    BELL.notify_one();
}

fn live() {
    let panicked = guard("the keeper of free memory", true, || {
        work();
        false
    });
    if panicked {
        DEPOTS.stock().on_no_keeper();
    }
}

fn work() {
    loop {
        let limits = WISHES.in_force();
        let now = clock::monotonic();
        match DEPOTS.on_time(&limits, now) {
            Some(next) => {
                let soonest = now.after(limits.idle_trim / LOOKS_IN_TIME);
                wait(next.max(soonest).since(now));
            }
            None if DEPOTS.stock().keeper_leaves() => return,
            None => (),
        }
    }
}

fn wait(limit: Duration) {
    let mut rung = lock(&RUNG);
    if !*rung {
        let woken = BELL.wait_timeout(rung, limit);
        rung = woken.unwrap_or_else(PoisonError::into_inner).0;
    }
    *rung = false;
}
