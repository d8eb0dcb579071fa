//! Back-pressure: how far a sink is behind what leaves our pad (RTMP, TCP, HTTP, pipes).
//!
//! Most let their input wait. tcpserversink and its kin take everything, and say how many buffers the slowest of their
//! clients is behind.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst_base::prelude::*;
use livetune_core::bitrate::{Backlog, Meter};
use livetune_core::time::{MediaTime, nanos};
use livetune_core::units::ByteCount;

use crate::runtime::lock::lock;
use crate::runtime::{clock, guard};

/// The property of sinks that take everything.
const QUEUED: &str = "buffers-queued";
/// Buffers that a client may be behind: half a minute of 30 frames a second.
const MOST_QUEUED: usize = 1024;

/// Watches one sink. Weak: it keeps no element alive. Ends when dropped.
#[derive(Debug)]
pub(in super::super) struct Pressure {
    sink: glib::WeakRef<gst::Element>,
    pad: glib::WeakRef<gst::Pad>,
    probe: Option<gst::PadProbeId>,
    intake: Arc<Mutex<Intake>>,
    /// How long the sink waits for its clock, in nanoseconds.
    latency: AtomicU64,
}

/// A push of ours that has not returned.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Push {
    /// Running time when it began: it stands still while the pipeline does.
    pub(in super::super) began: MediaTime,
    /// Running time of the buffer.
    pub(in super::super) media: Option<MediaTime>,
}

impl Pressure {
    /// Watches what enters `sink` through `pad`.
    pub(super) fn watch(sink: &gst::Element, pad: &gst::Pad) -> Self {
        let intake = Arc::new(Mutex::new(Intake::of(sink)));
        let of_probe = intake.clone();
        let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        let probe = pad.add_probe(mask, move |pad, info| {
            guard::guard("adaptivebitrate's probe of a sink", (), || {
                let now = clock::monotonic();
                let enters = |buffer: &gst::BufferRef| {
                    if let Some(media) = running_time(pad, buffer) {
                        lock(&of_probe).on_entered(media, now);
                    }
                };
                match &info.data {
                    Some(gst::PadProbeData::Buffer(buffer)) => enters(buffer),
                    Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(enters),
                    _ => (),
                }
            });
            gst::PadProbeReturn::Ok
        });
        Self {
            sink: sink.downgrade(),
            pad: pad.downgrade(),
            probe,
            intake,
            latency: AtomicU64::new(0),
        }
    }

    /// A buffer of ours goes its way.
    pub(in super::super) fn on_passed(&self, size: ByteCount, media: MediaTime) {
        lock(&self.intake).meter.on_passed(size, media);
    }

    /// The `push` returns at the running time `running`.
    pub(in super::super) fn on_returned(&self, push: Push, running: MediaTime, now: MediaTime) {
        let held = self.held(push, running);
        if held > Duration::ZERO {
            lock(&self.intake).meter.on_held(held, now);
        }
    }

    pub(in super::super) fn on_flush(&self) {
        lock(&self.intake).on_flush();
    }

    /// The backlog, while the `push` is under way.
    pub(super) fn read(
        &self,
        push: Option<Push>,
        running: Option<MediaTime>,
        now: MediaTime,
    ) -> Backlog {
        let sink = self.sink.upgrade();
        let latency = sink.as_ref().map_or(Duration::ZERO, latency);
        let queued = sink.as_ref().and_then(queued);
        self.latency.store(nanos(latency), Ordering::Relaxed);
        let holding = push.zip(running);
        let holding = holding.map_or(Duration::ZERO, |(push, running)| self.held(push, running));
        let mut intake = lock(&self.intake);
        if let Some(queued) = queued {
            intake.on_queued(queued, now);
        }
        intake.meter.set_latency(latency);
        intake.meter.read(holding, now)
    }

    /// How long the `push` takes longer than the sink waits for its clock.
    fn held(&self, push: Push, running: MediaTime) -> Duration {
        let latency = Duration::from_nanos(self.latency.load(Ordering::Relaxed));
        let due = push.media.map(|media| media.after(latency));
        let waits = latency > Duration::ZERO || self.is_synchronised();
        let from = due
            .filter(|_| waits)
            .map_or(push.began, |due| due.max(push.began));
        running.since(from)
    }

    fn is_synchronised(&self) -> bool {
        let sink = self.sink.upgrade();
        let sink = sink.and_then(|sink| sink.downcast::<gst_base::BaseSink>().ok());
        sink.is_some_and(|sink| sink.is_sync())
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        if let (Some(pad), Some(probe)) = (self.pad.upgrade(), self.probe.take()) {
            pad.remove_probe(probe);
        }
    }
}

/// What the sink took, and what of it still waits for its clients.
#[derive(Debug)]
struct Intake {
    meter: Meter,
    /// Running times of what entered a sink that takes everything.
    entered: Option<VecDeque<MediaTime>>,
}

impl Intake {
    fn of(sink: &gst::Element) -> Self {
        Self {
            meter: Meter::default(),
            entered: queued(sink).map(|_| VecDeque::with_capacity(MOST_QUEUED)),
        }
    }

    fn on_entered(&mut self, media: MediaTime, now: MediaTime) {
        let Some(entered) = &mut self.entered else {
            self.meter.on_taken(media, now);
            return;
        };
        if entered.len() >= MOST_QUEUED {
            entered.pop_front();
        }
        entered.push_back(media);
    }

    /// The last `queued` buffers wait for a client.
    fn on_queued(&mut self, queued: usize, now: MediaTime) {
        let entered = self.entered.as_ref();
        let gone = entered.and_then(|entered| {
            let gone = entered.len().checked_sub(queued)?.checked_sub(1)?;
            entered.get(gone).copied()
        });
        if let Some(media) = gone {
            self.meter.on_taken(media, now);
        }
    }

    fn on_flush(&mut self) {
        self.meter.on_flush();
        if let Some(entered) = &mut self.entered {
            entered.clear();
        }
    }
}

/// How many buffers the slowest client is behind.
fn queued(sink: &gst::Element) -> Option<usize> {
    sink.find_property(QUEUED)?;
    let queued = sink.property_value(QUEUED).get::<u32>().ok()?;
    usize::try_from(queued).ok()
}

/// How long after its running time a buffer is to be sent; nothing where the sink does not wait.
fn latency(sink: &gst::Element) -> Duration {
    let sink = sink.downcast_ref::<gst_base::BaseSink>();
    let Some(sink) = sink.filter(|sink| sink.is_sync()) else {
        return Duration::ZERO;
    };
    let delay = u64::try_from(sink.ts_offset()).unwrap_or(0);
    Duration::from(sink.latency()).saturating_add(Duration::from_nanos(delay))
}

/// The running time at which `buffer` passes `pad`.
pub(in super::super) fn running_time(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<MediaTime> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<gst::ClockTime>()?;
    let time = segment.to_running_time(buffer.pts().or(buffer.dts()))?;
    Some(clock::media_time(time))
}
