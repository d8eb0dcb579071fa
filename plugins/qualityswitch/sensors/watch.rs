//! One thread per process that looks at the machine and has every element that runs look around.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use livetune_core::time::MediaTime;

use super::machine::{Instruments, Machine};
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// Between two looks: four of them in the half second that a load has to last.
const PERIOD: Duration = Duration::from_millis(125);
/// The machine is looked at each second time: deltas over a quarter of a second.
const LOOKS_PER_READING: u32 = 2;

/// What there is to see.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Look {
    /// What the machine says, where it was asked.
    pub(in super::super) machine: Option<Machine>,
    pub(in super::super) now: MediaTime,
}

/// What one look at an element found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Wants {
    /// It would hear of the GPU.
    pub(in super::super) gpu: bool,
}

/// What is called; taken out meanwhile, so that no lock is held.
type Watcher = Arc<Mutex<Option<Box<dyn FnMut(&Look) -> Wants + Send>>>>;

#[derive(Default)]
struct Watched {
    watchers: Vec<(u64, Watcher)>,
    next_id: u64,
    /// There is a thread.
    runs: bool,
}

static WATCHED: Mutex<Watched> = Mutex::new(Watched {
    watchers: Vec::new(),
    next_id: 0,
    runs: false,
});
static CHANGED: Condvar = Condvar::new();

/// Looks as long as it lives.
#[derive(Debug)]
pub(in super::super) struct Watch(u64);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = lock(&WATCHED);
        let at = watched.watchers.iter().position(|(id, _)| *id == self.0);
        let gone = at.map(|at| watched.watchers.swap_remove(at));
        CHANGED.notify_all();
        drop(watched);
        drop(gone);
    }
}

/// Has `watcher` called eight times a second, by a thread of its own that ends with the last one.
pub(in super::super) fn watch(
    watcher: impl FnMut(&Look) -> Wants + Send + 'static,
) -> io::Result<Watch> {
    let watcher: Watcher = Arc::new(Mutex::new(Some(Box::new(watcher))));
    let mut watched = lock(&WATCHED);
    let id = watched.next_id;
    watched.next_id += 1;
    watched.watchers.push((id, watcher));
    let watch = Watch(id);
    if !watched.runs {
        watched.runs = true;
        let thread = thread::Builder::new().name("livetune-sensors".to_owned());
        let started = thread.spawn(run);
        watched.runs = started.is_ok();
        drop(watched);
        started?;
    }
    Ok(watch)
}

fn run() {
    let mut instruments = Instruments::new();
    let mut wants = Wants::default();
    let mut looks = 0_u32;
    while let Some(watchers) = watchers() {
        let now = clock::monotonic();
        let reads = looks.is_multiple_of(LOOKS_PER_READING);
        let read = || instruments.read(wants.gpu, now);
        let machine = reads.then(|| guard("a look at the machine", Machine::default(), read));
        let look = Look { machine, now };
        wants = Wants::default();
        for watcher in &watchers {
            let own = guard("a look around", Wants::default(), || call(watcher, &look));
            wants.gpu |= own.gpu;
        }
        drop(watchers);
        looks = looks.wrapping_add(1);
        wait();
    }
}

fn call(watcher: &Watcher, look: &Look) -> Wants {
    let Some(mut action) = lock(watcher).take() else {
        return Wants::default();
    };
    let wants = action(look);
    *lock(watcher) = Some(action);
    wants
}

/// Who wants to look; where nobody does, the thread is said to have ended.
fn watchers() -> Option<Vec<Watcher>> {
    let mut watched = lock(&WATCHED);
    watched.runs = !watched.watchers.is_empty();
    let watchers = watched.watchers.iter().map(|(_, watcher)| watcher.clone());
    watched.runs.then(|| watchers.collect())
}

/// Until the next look, or until nobody wants one any more.
fn wait() {
    let watched = lock(&WATCHED);
    let some = |watched: &mut Watched| !watched.watchers.is_empty();
    let waited = CHANGED.wait_timeout_while(watched, PERIOD, some);
    drop(waited.unwrap_or_else(PoisonError::into_inner));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn everybody_looks_until_the_watch_ends() {
        gst::init().expect("GStreamer starts");
        let (tell, told) = channel();
        let telling = move |look: &Look| {
            let _ = tell.send(look.machine.is_some());
            Wants::default()
        };
        let first = watch(telling).expect("a thread");
        let second = watch(|_| Wants::default()).expect("a thread");
        let looks: Vec<bool> = (0..4)
            .filter_map(|_| told.recv_timeout(LIMIT).ok())
            .collect();
        let with_machine = looks.iter().filter(|read| **read).count();
        assert_eq!((looks.len(), with_machine), (4, 2), "{looks:?}");
        drop(first);
        // The watcher is dropped with its watch, or when the look that it is in ends.
        while told.recv_timeout(LIMIT).is_ok() {}
        drop(second);
        let (tell, told) = channel();
        let again = watch(move |_| {
            let _ = tell.send(());
            Wants::default()
        });
        assert!(told.recv_timeout(LIMIT).is_ok(), "it starts again");
        drop(again);
    }
}
