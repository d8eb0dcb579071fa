//! Measures one place of a stream.

use std::time::Duration;

use super::capture::Capture;
use super::histogram::{Histogram, Summary};
use super::mark::Mark;
use super::span::{Counts, Figures, Span};
use super::track::{Novelty, Tracks};
use crate::time::{MediaTime, nanos};
use crate::units::ByteCount;

/// Upper bounds of distributions: the frame times of usual rates (10, 20, 33, 50 ms) and the usual budgets.
pub const BUCKETS: [Duration; 13] = [
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(33),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
    Duration::from_millis(150),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

/// The gain of the jitter's filter (RFC 3550, 6.4.1): 1/16.
const JITTER_SHIFT: u32 = 4;

/// How the age of a buffer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The frame was seen before, and the buffer says so.
    Capture,
    /// The frame was seen before, but the buffer lost its identity.
    Inferred,
    /// First seen: the running time now against that of the buffer.
    Age,
    /// First seen: the wall clock now against the capture time that came over the network.
    Network,
    /// First seen, and the buffer does not say how old it is: taken as new.
    Unknown,
}

/// How much older than the pipeline's latency a frame may be and is not late: what a sink allows for its own work
/// (the default of GstBaseSink's `processing-deadline`).
const GRACE: Duration = Duration::from_millis(20);

/// One buffer at one place.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Whose buffer it is.
    pub frame: Capture,
    /// The buffer's time stamp: tells the parts of a frame from its duplicates.
    pub pts: Option<MediaTime>,
    /// From the frame's capture until now.
    pub age: Duration,
    /// The frame came before its capture time; `age` is zero.
    pub negative: bool,
    /// How `age` is known.
    pub source: Source,
    /// How much data it is.
    pub size: ByteCount,
}

/// The latency of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// From its capture until now.
    pub age: Duration,
    /// From its coming to the stage until now, where that is known.
    pub transit: Option<Duration>,
}

/// One measured place: takes in every buffer and says each interval what they came to.
///
/// A frame in several parts (packets, slices) is measured by its first; the others count as buffers and bytes.
#[derive(Debug, Default)]
pub struct Point {
    interval: Duration,
    deadline: Option<Duration>,
    /// The buffers of this interval; `None` where nobody asks for intervals but by marks.
    window: Option<Span>,
    total: Span,
    gaps: Histogram,
    tracks: Tracks,
    counts: Counts,
    /// The counts when the window was opened.
    before: Counts,
    /// In 16ths of a nanosecond.
    jitter: u64,
    last_age: Option<Duration>,
    /// How often it was reset.
    era: u64,
}

impl Point {
    /// A point that has seen nothing and reports every `interval`; zero: only at the end. One that is made by `default`
    /// never reports: two marks say what came between them, and it takes less time and memory.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            window: Some(Span::default()),
            ..Self::default()
        }
    }

    /// Reports every `interval` from now on.
    pub const fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// The latency that the pipeline plays with: frames that are over 20 ms older come late.
    pub fn set_deadline(&mut self, deadline: Option<Duration>) {
        self.deadline = deadline.map(|deadline| deadline.saturating_add(GRACE));
    }

    /// Takes in a buffer; `arrived` says when its frame came to the stage that ends here, and is asked only where the
    /// buffer is measured. Answers with what was measured, or `None` for a part of a frame that was measured before.
    pub fn on_buffer(
        &mut self,
        sample: &Sample,
        arrived: impl FnOnce() -> Option<MediaTime>,
        now: MediaTime,
    ) -> Option<Measured> {
        let novelty = self.tracks.on_buffer(&sample.frame, sample.pts);
        let is_frame = novelty != Novelty::Part;
        let measured = is_frame.then(|| {
            self.measure(sample, now);
            let transit = arrived().map(|arrived| now.since(arrived));
            if let Some(transit) = transit {
                if let Some(window) = &mut self.window {
                    window.transit.record(transit);
                }
                self.total.transit.record(transit);
            }
            Measured {
                age: sample.age,
                transit,
            }
        });
        self.counts.buffers += 1;
        self.counts.duplicated += u64::from(novelty == Novelty::Duplicate);
        if let Some(window) = &mut self.window {
            window.on_buffer(sample.size, is_frame, now);
        }
        self.total.on_buffer(sample.size, is_frame, now);
        measured
    }

    fn measure(&mut self, sample: &Sample, now: MediaTime) {
        let age = sample.age;
        if let Some(window) = &mut self.window {
            window.age.record(age);
        }
        self.total.age.record(age);
        if self.total.opened().is_some() {
            self.gaps.record(now.since(self.total.last()));
        }
        if let Some(last) = self.last_age.replace(age) {
            let change = nanos(age.abs_diff(last));
            self.jitter = (self.jitter + change).saturating_sub(self.jitter >> JITTER_SHIFT);
        }
        let counts = &mut self.counts;
        counts.late += u64::from(self.deadline.is_some_and(|deadline| age > deadline));
        counts.negative += u64::from(sample.negative);
        counts.unstamped += u64::from(sample.source == Source::Unknown);
        counts.inferred += u64::from(sample.source == Source::Inferred);
        counts.network += u64::from(sample.source == Source::Network);
    }

    /// A buffer came that no frame could be found for.
    pub const fn on_stranger(&mut self) {
        self.counts.buffers += 1;
        self.counts.unstamped += 1;
    }

    /// The frame of the last buffer could not be made known to the places behind.
    pub const fn on_unmarked(&mut self) {
        self.counts.unstamped += 1;
    }

    /// Closes the interval where it is over, and begins the next.
    pub fn on_timer(&mut self, now: MediaTime) -> Option<Figures> {
        let opened = self.window.as_ref()?.opened()?;
        let due = !self.interval.is_zero() && now.since(opened) >= self.interval;
        due.then(|| self.close(now, Some(now))).flatten()
    }

    /// Closes the interval at the end of the stream. The next begins with the next buffer.
    pub fn on_end(&mut self, now: MediaTime) -> Option<Figures> {
        self.tracks.on_end();
        self.close(now, None)
    }

    /// Closes the interval now, whatever its length; `None` where nothing came.
    pub fn close_now(&mut self, now: MediaTime) -> Option<Figures> {
        self.close(now, Some(now))
    }

    /// All that was measured until `now`, to be kept and compared with later ones.
    pub fn mark(&self, now: MediaTime) -> Mark {
        Mark {
            total: self.total.clone(),
            gaps: self.gaps.clone(),
            counts: self.counts(),
            jitter: self.jitter(),
            end: self.total.last(),
            at: now,
            era: self.era,
        }
    }

    /// Forgets all figures; frames are told apart as before.
    pub fn reset(&mut self) {
        self.tracks.reset();
        if let Some(window) = &mut self.window {
            window.restart(None);
        }
        self.total.restart(None);
        self.gaps.clear();
        (self.counts, self.before) = (Counts::default(), Counts::default());
        (self.jitter, self.last_age) = (0, None);
        self.era += 1;
    }

    /// What all buffers so far came to.
    pub fn total(&self) -> Figures {
        self.total
            .figures(self.counts(), self.jitter(), self.total.last())
    }

    /// Buffers so far.
    pub const fn buffers(&self) -> u64 {
        self.counts.buffers
    }

    /// The times between successive frames so far.
    pub fn gaps(&self) -> Summary {
        self.gaps.summary()
    }

    /// All ages so far.
    pub const fn ages(&self) -> &Histogram {
        &self.total.age
    }

    /// All transits so far.
    pub const fn transits(&self) -> &Histogram {
        &self.total.transit
    }

    /// All times between successive frames so far.
    pub const fn intervals(&self) -> &Histogram {
        &self.gaps
    }

    fn counts(&self) -> Counts {
        Counts {
            lost: self.tracks.lost(),
            ..self.counts
        }
    }

    const fn jitter(&self) -> Duration {
        Duration::from_nanos(self.jitter >> JITTER_SHIFT)
    }

    fn close(&mut self, now: MediaTime, next: Option<MediaTime>) -> Option<Figures> {
        let counts = self.counts();
        let new = counts.since(&self.before);
        let any = new.buffers > 0;
        let jitter = self.jitter();
        self.before = counts;
        let window = self.window.as_mut()?;
        let figures = any.then(|| window.figures(new, jitter, now));
        window.restart(next);
        figures
    }
}

#[cfg(test)]
mod tests;
