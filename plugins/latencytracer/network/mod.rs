//! What makes a capture time known on another machine, or in another pipeline.
//!
//! A tap with `network=true` attaches the capture time to its buffers (see `ntp_stamp`) and sees to it that RTP
//! payloaders write it into every packet (see `payloaders`). One with `sei=true` puts it into H.264 or H.265 video (see
//! `embed`), for transports that have no place for it. The first tap of the receiver reads either.

mod clock;
mod embed;
mod ntp_stamp;
mod payloaders;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use livetune_core::latency::sei::Format;
use livetune_core::latency::{Histogram, Summary};

use super::reading::Reading;
use crate::runtime::figures::{Figure, Value};
use crate::runtime::lock::lock;
use clock::Wall;
use embed::Slot;
use payloaders::Carrier;

/// Times of two frames differ by at least this much: jitter buffers up to GStreamer 1.22 drop a time that is equal to
/// the one before, and a 64-bit NTP time may be a nanosecond less when it is read.
const APART: gst::ClockTime = gst::ClockTime::from_nseconds(2);

/// What the user chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Attach capture times for RTP.
    pub(super) stamp: bool,
    /// Put capture times into the video.
    pub(super) embed: bool,
    /// Nanoseconds to add to the clock.
    pub(super) offset: i64,
}

/// What to put on a buffer, for receivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    stamp: Option<gst::ClockTime>,
    embed: Option<(Slot, gst::ClockTime)>,
}

impl Marks {
    pub(super) fn are_none(&self) -> bool {
        self.stamp.is_none() && self.embed.is_none()
    }

    /// `buffer` with them.
    pub(super) fn put_on(self, mut buffer: gst::Buffer) -> gst::Buffer {
        if let Some(time) = self.stamp {
            ntp_stamp::add(buffer.make_mut(), time);
        }
        match self.embed {
            Some((slot, time)) => slot.fill(buffer, time),
            None => buffer,
        }
    }
}

/// What keeps capture times from getting across. Frames go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    NoExtension,
    NoVideo,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoExtension => {
                "RTP cannot carry the capture time: element rtphdrextntp64 is missing. Install GStreamer's plugin \
                 rtpmanager of version 1.22 or newer (Debian: gstreamer1.0-plugins-good)"
            }
            Self::NoVideo => {
                "sei=true can do nothing here: it is for H.264 and H.265. Put a latencytracer with it behind the \
                 encoder or the parser"
            }
        })
    }
}

/// The network side of a tap. Nothing is locked here for a buffer that has nothing to do with a network.
#[derive(Debug, Default)]
pub(super) struct Network {
    stamps: AtomicBool,
    embeds: AtomicBool,
    /// What lies behind the tap may have changed.
    changed: AtomicBool,
    parts: Mutex<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    choice: Choice,
    wall: Wall,
    format: Option<Format>,
    /// The last time that was put on a frame.
    last: Option<gst::ClockTime>,
    latency: Option<Histogram>,
    carriers: Vec<Arc<Carrier>>,
    warned: Warned,
}

/// Each trouble is told once.
#[derive(Clone, Copy, Debug, Default)]
struct Warned {
    extension: bool,
    video: bool,
}

impl Network {
    pub(super) fn start(&self) {
        let mut parts = lock(&self.parts);
        *parts = Parts {
            choice: parts.choice,
            wall: parts.wall.clone(),
            ..Parts::default()
        };
        self.changed.store(true, Ordering::Release);
    }

    pub(super) fn choose(&self, choice: Choice) {
        self.stamps.store(choice.stamp, Ordering::Release);
        self.embeds.store(choice.embed, Ordering::Release);
        let before = std::mem::replace(&mut lock(&self.parts).choice, choice);
        if choice.stamp && !before.stamp {
            self.changed.store(true, Ordering::Release);
        }
    }

    pub(super) fn follow(&self, clock: Option<&gst::Clock>) {
        lock(&self.parts).wall = Wall::of(clock);
    }

    /// The pipeline behind the tap is another one now.
    pub(super) fn on_reconfigure(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// Takes in the `caps` of the stream; answers with a warning where they do not suit.
    pub(super) fn on_caps(&self, caps: &gst::CapsRef) -> Option<Trouble> {
        let format = embed::format(caps);
        let mut parts = lock(&self.parts);
        parts.format = format;
        let unsuited = parts.choice.embed && format.is_none() && !parts.warned.video;
        parts.warned.video |= unsuited;
        unsuited.then_some(Trouble::NoVideo)
    }

    /// Sees to it that what is behind `srcpad` carries the times. To be called before the stream starts and before
    /// each buffer; looks only where something may have changed. Answers with a warning where it cannot.
    pub(super) fn prepare(&self, srcpad: &gst::Pad) -> Option<Trouble> {
        let stamps = self.stamps.load(Ordering::Acquire);
        if !stamps || !self.changed.swap(false, Ordering::AcqRel) {
            return None;
        }
        let carriers = payloaders::prepare(srcpad);
        let missing = !carriers.is_empty() && !payloaders::extension_is_there();
        let mut parts = lock(&self.parts);
        parts.carriers = carriers;
        let missing = missing && !parts.warned.extension;
        parts.warned.extension |= missing;
        missing.then_some(Trouble::NoExtension)
    }

    /// The latency of a frame that no tap of this process saw, where it brought its capture time.
    pub(super) fn reading(&self, buffer: &gst::BufferRef) -> Option<Reading> {
        let stamp = ntp_stamp::oldest(buffer).or_else(|| {
            let format = lock(&self.parts).format?;
            embed::read(buffer, format)
        })?;
        let now = self.now();
        let reading = Reading::since_stamp(stamp, now);
        let mut parts = lock(&self.parts);
        let latency = parts.latency.get_or_insert_default();
        latency.record(reading.latency);
        Some(reading)
    }

    /// What to put on `buffer`, which is late by `latency`.
    pub(super) fn marks(&self, buffer: &gst::BufferRef, latency: Duration) -> Marks {
        let stamps = self.stamps.load(Ordering::Acquire);
        let embeds = self.embeds.load(Ordering::Acquire);
        if !stamps && !embeds {
            return Marks::default();
        }
        let there = ntp_stamp::oldest(buffer);
        let stamps = stamps && there.is_none();
        let format = embeds.then(|| lock(&self.parts).format).flatten();
        let slot = format.and_then(|format| Slot::find(buffer, format));
        if !stamps && slot.is_none() {
            return Marks::default();
        }
        let time = there.unwrap_or_else(|| ntp_stamp::before(self.now(), latency));
        let time = self.apart(time);
        Marks {
            stamp: stamps.then_some(time),
            embed: slot.map(|slot| (slot, time)),
        }
    }

    /// What is known of the network, and `latencies` of frames that came over it.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let (wall, offset, latency, carriers) = {
            let parts = lock(&self.parts);
            let summary = parts.latency.as_ref().map(Histogram::summary);
            let carriers = parts.carriers.clone();
            (
                parts.wall.clone(),
                parts.choice.offset,
                summary.unwrap_or_default(),
                carriers,
            )
        };
        let carrying = carriers.iter().filter(|carrier| carrier.carries()).count();
        let mut figures = latencies(&latency);
        figures.extend([
            Figure::new(
                "clock-offset",
                Value::Offset(wall.ahead(offset)),
                "How far the clock for capture times is ahead of the system's",
            ),
            Figure::new(
                "payloaders",
                Value::Level(carrying as u64),
                "RTP payloaders behind this stage that carry the capture time",
            ),
        ]);
        figures
    }

    fn now(&self) -> gst::ClockTime {
        let (wall, offset) = {
            let parts = lock(&self.parts);
            (parts.wall.clone(), parts.choice.offset)
        };
        wall.now(offset)
    }

    /// `time`, or a little more where the frame before had just that.
    fn apart(&self, time: gst::ClockTime) -> gst::ClockTime {
        let mut parts = lock(&self.parts);
        let near = parts.last.filter(|last| last.absdiff(time) < APART);
        let time = near.map_or(time, |last| last + APART);
        parts.last = Some(time);
        time
    }
}

fn latencies(summary: &Summary) -> Vec<Figure> {
    let duration = |name, value, help| Figure::new(name, Value::Duration(value), help);
    vec![
        duration(
            "network-mean",
            summary.mean,
            "Mean latency from the capture at the sender",
        ),
        duration(
            "network-p50",
            summary.p50,
            "Half of the buffers from the network were at most this late",
        ),
        duration(
            "network-p95",
            summary.p95,
            "95 % of the buffers from the network were at most this late",
        ),
        duration(
            "network-p99",
            summary.p99,
            "99 % of the buffers from the network were at most this late",
        ),
        duration(
            "network-max",
            summary.max,
            "Longest latency from the capture at the sender",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_frame_has_the_time_of_the_one_before() {
        let network = Network::default();
        let time = gst::ClockTime::from_nseconds;
        let times = [100, 100, 100, 105, 90].map(|nanos| network.apart(time(nanos)).nseconds());
        assert_eq!(times, [100, 102, 100, 105, 90]);
    }
}
