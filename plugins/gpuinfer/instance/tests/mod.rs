//! Instances with a network that does what the test says, and with real ones.

mod batches;
mod crew;
mod cuda;
mod fake;
mod frames;
mod life;
mod lost;
mod real;
mod sharing;

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use gst_video::{VideoFormat, VideoInfo};
use livetune_core::infer::Thresholds;
use livetune_core::time::MediaTime;

use super::*;
use crate::runtime::clock;

/// Far longer than anything takes that works.
const LIMIT: Duration = Duration::from_secs(30);
const NEVER: MediaTime = MediaTime::from_nanos(u64::MAX);
const SIDE: u32 = 16;

/// Somebody to call.
#[derive(Debug, Default)]
struct Bell {
    calls: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    fn wake(self: &Arc<Self>) -> Wake {
        let bell = self.clone();
        Arc::new(move || bell.ring())
    }

    fn ring(&self) {
        *lock(&self.calls) += 1;
        self.rung.notify_all();
    }

    fn calls(&self) -> u64 {
        *lock(&self.calls)
    }

    /// Asks `condition` whenever somebody called, and now and then, until it answers.
    fn wait<T>(&self, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
        let start = clock::monotonic();
        loop {
            if let Some(answer) = condition() {
                return answer;
            }
            let waited = clock::monotonic().since(start);
            assert!(waited < LIMIT, "waited {waited:?} for {what}");
            let calls = lock(&self.calls);
            let woken = self.rung.wait_timeout(calls, Duration::from_millis(2));
            drop(woken.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Waits until `condition` holds.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    Bell::default().wait(what, || condition().then_some(()));
}

/// A grey frame of `shade`, of `SIDE` by `SIDE` pixels.
fn job(shade: u8) -> Job {
    gst::init().expect("GStreamer starts");
    let info = VideoInfo::builder(VideoFormat::Gray8, SIDE, SIDE).build();
    Job {
        buffer: gst::Buffer::from_mut_slice(vec![shade; (SIDE * SIDE) as usize]),
        info: info.expect("a format that is known"),
        regions: Regions::default(),
        thresholds: Thresholds::default(),
    }
}

/// A stream with its bell.
struct Listener {
    stream: Stream,
    bell: Arc<Bell>,
}

impl Listener {
    fn new(instance: &Arc<Instance>, backlog: u32) -> Self {
        let bell = Arc::new(Bell::default());
        Self {
            stream: instance.join(backlog, bell.wake()),
            bell,
        }
    }

    fn submit(&self, shade: u8) -> u64 {
        self.stream.submit(job(shade), NEVER, clock::monotonic())
    }

    fn wait(&self, ticket: u64) -> Outcome {
        self.bell.wait("an outcome", || self.stream.take(ticket))
    }

    /// The class of the object found, which is the shade of the frame.
    fn shade(&self, ticket: u64) -> usize {
        match self.wait(ticket) {
            Outcome::Found(answer) => answer.found()[0].objects[0].class,
            other => unreachable!("{other:?}"),
        }
    }

    fn failure(&self, ticket: u64) -> String {
        match self.wait(ticket) {
            Outcome::Failed(why) => why,
            other => unreachable!("{other:?}"),
        }
    }
}
