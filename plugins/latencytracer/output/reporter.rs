//! A thread that reports every interval and at the end, so that no streaming thread ever waits for a disk.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use livetune_core::time::MediaTime;

use super::model::Snapshot;
use super::writer::{Targets, Trouble, Writer};
use super::{Occasion, Over};
use crate::latencytracer::ReportAt;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// How long a state change waits for the last report. A file that takes longer is finished without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to do when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Zero: only at the end.
    pub(crate) interval: Duration,
    pub(crate) report: ReportAt,
    pub(crate) targets: Targets,
    /// Ask though nothing is written: for messages.
    pub(crate) tell: bool,
}

impl Plan {
    fn is_needed(&self) -> bool {
        self.tell || self.report != ReportAt::None || self.targets.log.is_some()
    }
}

/// A running reporter. Dropping it makes the last report, where frames came since the one before.
#[derive(Debug)]
pub(crate) struct Reporter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    orders: Mutex<Orders>,
    /// The orders changed, or the thread is done.
    changed: Condvar,
    write_errors: AtomicU64,
}

#[derive(Debug, Default)]
struct Orders {
    interval: Duration,
    /// How many ends there were, and of how many the report was begun and is made.
    ends: [u64; 3],
    stop: bool,
    done: bool,
    /// Since when the whole time counts.
    began: MediaTime,
}

/// What the thread is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Interval,
    End,
    Stop,
}

impl Reporter {
    /// Starts a thread for `plan`, or none where there is nothing to do.
    pub(crate) fn start(plan: Plan, reported: impl Reported) -> io::Result<Option<Self>> {
        if !plan.is_needed() {
            return Ok(None);
        }
        let now = clock::monotonic();
        let shared = Arc::new(Shared {
            orders: Mutex::new(Orders {
                interval: plan.interval,
                began: now,
                ..Orders::default()
            }),
            ..Shared::default()
        });
        let worker = Worker {
            shared: shared.clone(),
            report: plan.report,
            writer: Writer::new(plan.targets),
            reported,
            last: now,
            unreported: false,
        };
        let thread = thread::Builder::new()
            .name("livetune-report".to_owned())
            .spawn(move || worker.run())?;
        Ok(Some(Self {
            shared,
            thread: Some(thread),
        }))
    }

    /// Reports every `interval` from now on; zero: only at the end.
    pub(crate) fn set_interval(&self, interval: Duration) {
        self.shared.order(|orders| orders.interval = interval);
    }

    /// The stream ended: reports soon, and does not wait for it.
    pub(crate) fn on_end(&self) {
        self.shared.order(|orders| orders.ends[0] += 1);
    }

    /// The stream ended, and what it reports of may be gone soon: waits until that is written.
    pub(crate) fn finish(&self) {
        let mut end = 0;
        self.shared.order(|orders| {
            orders.ends[0] += 1;
            end = orders.ends[0];
        });
        self.shared.wait_until(|orders| orders.ends[2] >= end);
    }

    /// All figures were forgotten.
    pub(crate) fn on_reset(&self) {
        let now = clock::monotonic();
        self.shared.order(|orders| orders.began = now);
    }

    /// How often something could not be written.
    pub(crate) fn write_errors(&self) -> u64 {
        self.shared.write_errors.load(Ordering::Relaxed)
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.shared.order(|orders| orders.stop = true);
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The thread itself may drop the last reference to what it reports on.
        let own = thread.thread().id() == thread::current().id();
        if !own && self.shared.wait_until(|orders| orders.done) {
            // A panic of the thread was caught and logged there.
            let _ = thread.join();
        }
    }
}

/// What a reporter asks and tells. Its thread calls, and holds no lock meanwhile.
pub(crate) trait Reported: Send + 'static {
    /// What was measured over that time, or `None` where there is nothing left to measure.
    fn snapshot(&mut self, over: Over) -> Option<Snapshot>;

    /// An interval is over: for messages.
    fn on_interval(&mut self, snapshot: &Snapshot);

    /// A file cannot be written: said once for each.
    fn on_trouble(&mut self, trouble: &str);
}

impl Shared {
    fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut lock(&self.orders));
        self.changed.notify_all();
    }

    fn wait<'a>(
        &self,
        orders: MutexGuard<'a, Orders>,
        longest: Duration,
    ) -> MutexGuard<'a, Orders> {
        let waited = self.changed.wait_timeout(orders, longest);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Whether it came to be in time.
    fn wait_until(&self, met: impl Fn(&Orders) -> bool) -> bool {
        let end = clock::monotonic().after(PATIENCE);
        let mut orders = lock(&self.orders);
        while !met(&orders) {
            let left = end.since(clock::monotonic());
            if left.is_zero() {
                return false;
            }
            orders = self.wait(orders, left);
        }
        true
    }

    /// Waits until there is something to do; intervals count from `last`.
    fn next(&self, last: MediaTime) -> Task {
        /// Without an interval the thread sleeps until it is told.
        const LONG: Duration = Duration::from_secs(3_600);
        let mut orders = lock(&self.orders);
        loop {
            if orders.stop {
                return Task::Stop;
            }
            if orders.ends[1] < orders.ends[0] {
                orders.ends[1] = orders.ends[0];
                return Task::End;
            }
            let passed = clock::monotonic().since(last);
            let left = match orders.interval {
                Duration::ZERO => LONG,
                interval => interval.saturating_sub(passed),
            };
            if left.is_zero() {
                return Task::Interval;
            }
            orders = self.wait(orders, left);
        }
    }
}

/// What runs in the thread.
struct Worker<R> {
    shared: Arc<Shared>,
    report: ReportAt,
    writer: Writer,
    reported: R,
    /// When the last interval ended.
    last: MediaTime,
    /// Frames came that no report of the whole time told of.
    unreported: bool,
}

impl<R: Reported> Worker<R> {
    fn run(mut self) {
        loop {
            let task = self.shared.next(self.last);
            guard("a report of latencytracer", (), || self.work(task));
            self.shared.order(|orders| orders.ends[2] = orders.ends[1]);
            if task == Task::Stop {
                break;
            }
        }
        let shared = self.shared.clone();
        // What it holds goes first: whoever waits may unload what that needs.
        drop(self);
        shared.order(|orders| orders.done = true);
    }

    fn work(&mut self, task: Task) {
        let now = clock::monotonic();
        let length = now.since(self.last);
        self.last = now;
        let Some(snapshot) = self.reported.snapshot(Over::Interval) else {
            return;
        };
        self.unreported |= has_frames(&snapshot);
        if task == Task::Stop && !self.unreported {
            return;
        }
        let occasion = occasion(Over::Interval, length);
        self.reported.on_interval(&snapshot);
        let logged = self.writer.log(&snapshot, &occasion);
        self.note(logged);
        match (self.report, task) {
            (ReportAt::Interval, _) => {
                let written = self.writer.report(&snapshot, &occasion);
                self.note(written);
            }
            (ReportAt::Eos, Task::End | Task::Stop) => self.report_all(now),
            _ => (),
        }
        self.unreported &= task == Task::Interval;
    }

    fn report_all(&mut self, now: MediaTime) {
        let began = lock(&self.shared.orders).began;
        if let Some(total) = self.reported.snapshot(Over::Total) {
            let occasion = occasion(Over::Total, now.since(began));
            let written = self.writer.report(&total, &occasion);
            self.note(written);
        }
    }

    fn note(&mut self, written: Result<(), Trouble>) {
        if let Err(trouble) = written {
            self.shared.write_errors.fetch_add(1, Ordering::Relaxed);
            if let Some(news) = trouble.news {
                self.reported.on_trouble(&news);
            }
        }
    }
}

fn occasion(over: Over, length: Duration) -> Occasion {
    Occasion {
        time: clock::unix(),
        over,
        length,
    }
}

fn has_frames(snapshot: &Snapshot) -> bool {
    let mut ends = snapshot.paths.iter().map(|path| &path.end);
    ends.any(|end| end.figures.age.count > 0)
}

#[cfg(test)]
mod tests;
