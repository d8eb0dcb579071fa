//! The threads that frames go through behind the element, and how long each works on a frame: those of queues, and of
//! whatever else pushes from a thread of its own, as mixers and some hardware encoders do.
//!
//! A thread works from the time it pushes a frame until that push returns, or until the frame comes to an element that
//! waits for the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use gst::glib;
use gst::prelude::*;
use livetune_core::time::MediaTime;

use super::queues::Queue;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::walk::{Step, internal_links, walk};

/// Threads looked at; more are hardly behind one camera.
const MOST_STAGES: usize = 16;

/// What hears of each push: the number of the thread, 0 for the one that brings our frames; when it pushed, and when its
/// work was done.
pub(in super::super) type Hear = Arc<dyn Fn(usize, MediaTime, MediaTime) + Send + Sync>;

/// One push at a time of one thread.
#[derive(Debug, Default)]
pub(in super::super) struct Push {
    /// The thread that pushes; 0 where none does.
    thread: AtomicUsize,
    /// Nanoseconds.
    began: AtomicU64,
    /// When the frame came to an element that waits, in nanoseconds; 0 before.
    reached: AtomicU64,
}

impl Push {
    /// This thread pushes a frame now.
    pub(in super::super) fn begin(&self, now: MediaTime) {
        self.began.store(now.as_nanos(), Ordering::Relaxed);
        self.reached.store(0, Ordering::Relaxed);
        self.thread.store(this_thread(), Ordering::Relaxed);
    }

    /// The push is over. Answers when it began, and when the work was done; `None` where no frame was pushed.
    pub(in super::super) fn end(&self, now: MediaTime) -> Option<(MediaTime, MediaTime)> {
        if self.thread.swap(0, Ordering::Relaxed) != this_thread() {
            return None;
        }
        let began = MediaTime::from_nanos(self.began.load(Ordering::Relaxed));
        let done = match self.reached.load(Ordering::Relaxed) {
            0 => now,
            nanos => MediaTime::from_nanos(nanos),
        };
        Some((began, done))
    }

    /// What is pushed now says nothing of any work.
    pub(in super::super) fn forget(&self) {
        self.thread.store(0, Ordering::Relaxed);
    }

    /// A frame came to an element that waits.
    fn on_arrival(&self) {
        if self.thread.load(Ordering::Relaxed) == this_thread()
            && self.reached.load(Ordering::Relaxed) == 0
        {
            let now = clock::monotonic().as_nanos();
            self.reached.store(now, Ordering::Relaxed);
        }
    }
}

/// What no other thread has at this time.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

/// Where a thread begins to push, and where it waits for the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    start: gst::Pad,
    waiting: Vec<gst::Pad>,
}

impl Stage {
    /// All that begin at `src`, or behind it at a queue or at another element that pushes from a thread of its own.
    pub(super) fn all_behind(src: &gst::Pad) -> Vec<Self> {
        let mut stages: Vec<Self> = Vec::new();
        let mut starts = vec![src.clone()];
        while let Some(start) = starts.pop() {
            let known = stages.iter().any(|stage| stage.start == start);
            if known || stages.len() >= MOST_STAGES {
                continue;
            }
            let mut waiting = Vec::new();
            walk(&start, |pad| {
                let mut links = internal_links(pad);
                if Queue::behind(pad).is_none() {
                    links.retain(has_thread);
                }
                if !links.is_empty() {
                    starts.extend(links);
                    return Step::<()>::Around;
                }
                if pad.parent_element().is_some_and(|element| waits(&element)) {
                    waiting.push(pad.clone());
                }
                Step::On
            });
            stages.push(Self { start, waiting });
        }
        stages
    }
}

/// Whether a thread of the pad's own pushes from it.
fn has_thread(pad: &gst::Pad) -> bool {
    pad.task_state() != gst::TaskState::Stopped
}

/// Whether `element` waits with each frame until that is due.
fn waits(element: &gst::Element) -> bool {
    let spec = element.find_property("sync");
    spec.is_some_and(|spec| {
        spec.value_type() == bool::static_type() && element.property::<bool>("sync")
    })
}

/// A stage that is listened to as long as this lives.
#[derive(Debug)]
pub(super) struct Listening {
    start: glib::WeakRef<gst::Pad>,
    waiting: Vec<glib::WeakRef<gst::Pad>>,
    probes: Vec<(glib::WeakRef<gst::Pad>, gst::PadProbeId)>,
}

impl Listening {
    /// Whether it is `stage` that is listened to.
    pub(super) fn is_to(&self, stage: &Stage) -> bool {
        let waiting = self.waiting.iter().map(glib::WeakRef::upgrade);
        self.start.upgrade().as_ref() == Some(&stage.start)
            && waiting.eq(stage.waiting.iter().cloned().map(Some))
    }

    /// Our own stage: who pushes tells `push` when.
    pub(super) fn to_own(stage: &Stage, push: &Arc<Push>) -> Self {
        let probes = stage.waiting.iter().map(|pad| on_arrival(pad, push));
        Self::new(stage, probes.flatten().collect())
    }

    /// The stage `number`, whose thread is not ours: `hear` is told of its pushes.
    pub(super) fn to_other(stage: &Stage, number: usize, hear: &Hear) -> Self {
        let push = Arc::new(Push::default());
        let arrivals = stage.waiting.iter().map(|pad| on_arrival(pad, &push));
        let mut probes: Vec<_> = arrivals.flatten().collect();
        probes.extend(on_push(&stage.start, &push));
        probes.extend(on_return(&stage.start, &push, number, hear));
        Self::new(stage, probes)
    }

    fn new(stage: &Stage, probes: Vec<(gst::Pad, gst::PadProbeId)>) -> Self {
        let weak = |(pad, probe): (gst::Pad, _)| (pad.downgrade(), probe);
        Self {
            start: stage.start.downgrade(),
            waiting: stage.waiting.iter().map(ObjectExt::downgrade).collect(),
            probes: probes.into_iter().map(weak).collect(),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        for (pad, probe) in self.probes.drain(..) {
            if let Some(pad) = pad.upgrade() {
                pad.remove_probe(probe);
            }
        }
    }
}

const FRAMES: gst::PadProbeType = gst::PadProbeType::BUFFER.union(gst::PadProbeType::BUFFER_LIST);

type Probed = Option<(gst::Pad, gst::PadProbeId)>;

fn on_arrival(pad: &gst::Pad, push: &Arc<Push>) -> Probed {
    let push = push.clone();
    let probe = pad.add_probe(FRAMES, move |_, _| {
        guard("a frame at an element that waits", (), || push.on_arrival());
        gst::PadProbeReturn::Ok
    });
    probe.map(|probe| (pad.clone(), probe))
}

fn on_push(pad: &gst::Pad, push: &Arc<Push>) -> Probed {
    let push = push.clone();
    let probe = pad.add_probe(FRAMES, move |_, _| {
        guard("a frame behind a queue", (), || {
            push.begin(clock::monotonic());
        });
        gst::PadProbeReturn::Ok
    });
    probe.map(|probe| (pad.clone(), probe))
}

/// Pads become idle when a push returns, and say so on the thread that pushed.
fn on_return(pad: &gst::Pad, push: &Arc<Push>, number: usize, hear: &Hear) -> Probed {
    let (push, hear) = (push.clone(), hear.clone());
    let probe = pad.add_probe(gst::PadProbeType::IDLE, move |_, _| {
        guard("the end of a push behind a queue", (), || {
            if let Some((began, done)) = push.end(clock::monotonic()) {
                hear(number, began, done);
            }
        });
        gst::PadProbeReturn::Ok
    });
    probe.map(|probe| (pad.clone(), probe))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    const LATE: MediaTime = MediaTime::from_nanos(u64::MAX / 2);

    #[test]
    fn waiting_is_no_work() {
        gst::init().expect("GStreamer starts");
        let push = Push::default();
        let began = clock::monotonic();
        assert_eq!(push.end(LATE), None, "nothing was pushed");
        push.begin(began);
        assert_eq!(push.end(LATE), Some((began, LATE)), "nobody waited");
        push.begin(began);
        push.on_arrival();
        assert!(push.end(LATE).is_some_and(|(_, done)| done < LATE));
        push.on_arrival();
        push.begin(began);
        assert_eq!(push.end(LATE), Some((began, LATE)), "that was another push");
    }

    #[test]
    fn what_other_threads_bring_is_not_ours() {
        gst::init().expect("GStreamer starts");
        let push = Arc::new(Push::default());
        let began = clock::monotonic();
        push.begin(began);
        let other = push.clone();
        let thread = std::thread::spawn(move || other.on_arrival());
        thread.join().expect("the other thread ends");
        assert_eq!(push.end(LATE), Some((began, LATE)));
    }

    /// The length of pushes of the thread behind `head`, whose elements end with `end`.
    fn pushes_behind(head: &str, end: &str) -> Vec<Duration> {
        gst::init().expect("GStreamer starts");
        let line = format!(
            "videotestsrc name=source is-live=true num-buffers=20 \
             ! video/x-raw,width=16,height=16,framerate=20/1 ! {head} ! {end}"
        );
        let pipeline = gst::parse::launch(&line).expect("a pipeline");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
        let source = pipeline.by_name("source").expect("a source");
        let src = source.static_pad("src").expect("its pad");
        let bus = pipeline.bus().expect("a bus");
        pipeline.set_state(gst::State::Playing).expect("it plays");
        let plays = pipeline.state(gst::ClockTime::from_seconds(30));
        assert_eq!(plays.1, gst::State::Playing);
        let stages = Stage::all_behind(&src);
        assert_eq!(stages.len(), 2, "{stages:?}");
        let (tell, told) = channel();
        let hear: Hear = Arc::new(move |stage, began: MediaTime, done: MediaTime| {
            let _ = tell.send((stage, done.since(began)));
        });
        let listening = Listening::to_other(&stages[1], 1, &hear);
        assert!(listening.is_to(&stages[1]) && !listening.is_to(&stages[0]));
        let end =
            bus.timed_pop_filtered(gst::ClockTime::from_seconds(30), &[gst::MessageType::Eos]);
        assert!(end.is_some());
        pipeline.set_state(gst::State::Null).expect("it stops");
        drop((listening, hear));
        told.iter()
            .map(|(stage, took)| if stage == 1 { took } else { Duration::MAX })
            .collect()
    }

    #[test]
    fn the_work_of_a_thread_of_its_own_is_seen() {
        for head in ["queue", "compositor"] {
            let took = pushes_behind(head, "identity sleep-time=20000 ! fakesink");
            assert!(took.len() >= 4, "{head}: {took:?}");
            let worked = |took: &Duration| (20..1_000).contains(&took.as_millis());
            assert!(took.iter().all(worked), "{head}: {took:?}");
        }
    }
}
