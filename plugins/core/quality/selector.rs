//! Simulcast: which of several encoded renditions goes on, switched where the new one can be decoded from.
//!
//! A rendition can only be joined at a key frame. The old one goes on until the new one's is there; a key frame is asked
//! for at once, and again as long as none comes. So do the forwarding units of conferences (Jitsi's bridge and LiveKit
//! switch layers at key frames they ask for); GStreamer's own selectors switch at any frame.

use std::time::Duration;

use crate::time::MediaTime;

/// How patient a selector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectorConfig {
    /// From one request for a key frame to the next.
    pub ask_again: Duration,
    /// A rendition that brought nothing for so long is gone: any other is better.
    pub stalled: Duration,
    /// How long a key frame that is ahead of the old rendition waits for that to catch up.
    pub catch_up: Duration,
}

impl Default for SelectorConfig {
    /// 300 ms: libwebrtc asks for key frames no more often (`kMinKeyFrameRequestIntervalMs`).
    fn default() -> Self {
        Self {
            ask_again: Duration::from_millis(300),
            stalled: Duration::from_secs(1),
            catch_up: Duration::from_millis(100),
        }
    }
}

/// Names a rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rendition(pub u32);

/// What has to be known of an encoded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Nothing before it is needed to decode it.
    pub key: bool,
    /// When it is decoded, or shown where that is not said; all renditions on one axis.
    pub time: Option<MediaTime>,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// It goes on, but not with an earlier time than that: the rendition lags behind the one before it.
    PassFrom(MediaTime),
    /// It is left out.
    Drop,
    /// It is ahead of the rendition that goes on still. It has to be offered again when a frame of that was, and at that
    /// time at the latest.
    Wait(MediaTime),
}

/// Ask that rendition's encoder for a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRequest(pub Rendition);

#[derive(Clone, Copy, Debug)]
struct Input {
    rendition: Rendition,
    seen: Option<MediaTime>,
}

/// Lets one rendition through.
#[derive(Clone, Debug)]
pub struct Selector {
    config: SelectorConfig,
    inputs: Vec<Input>,
    current: Option<Rendition>,
    wanted: Option<Rendition>,
    /// When the wanted rendition's key frame was last asked for.
    asked: Option<MediaTime>,
    /// The time of the last frame that went on, and from the one before it to that.
    last: Option<MediaTime>,
    interval: Duration,
    /// Since when the wanted rendition's key frame, of that time, waits for the old one.
    ahead: Option<(MediaTime, MediaTime)>,
    switches: u64,
}

impl Selector {
    /// A selector without renditions.
    pub const fn new(config: SelectorConfig) -> Self {
        Self {
            config,
            inputs: Vec::new(),
            current: None,
            wanted: None,
            asked: None,
            last: None,
            interval: Duration::ZERO,
            ahead: None,
            switches: 0,
        }
    }

    /// There is a rendition more.
    pub fn add(&mut self, rendition: Rendition) {
        if self.input(rendition).is_none() {
            let seen = None;
            self.inputs.push(Input { rendition, seen });
        }
    }

    /// The rendition is no more.
    pub fn remove(&mut self, rendition: Rendition) {
        self.inputs.retain(|input| input.rendition != rendition);
        self.current = self.current.filter(|current| *current != rendition);
        if self.wanted == Some(rendition) {
            self.want(self.current);
        }
    }

    /// The rendition that goes on.
    pub fn current(&self) -> Option<Rendition> {
        self.current
    }

    /// The rendition whose key frame is waited for.
    pub fn pending(&self) -> Option<Rendition> {
        self.wanted.filter(|wanted| self.current != Some(*wanted))
    }

    /// How often one rendition followed on another.
    pub fn switches(&self) -> u64 {
        self.switches
    }

    /// That rendition shall go on.
    pub fn on_wanted(&mut self, rendition: Rendition) {
        if self.input(rendition).is_some() && self.wanted != Some(rendition) {
            self.want(Some(rendition));
        }
    }

    /// Frames no longer follow on those before.
    pub fn on_flush(&mut self) {
        self.last = None;
        self.ahead = None;
        self.interval = Duration::ZERO;
    }

    /// A frame of `rendition` came.
    pub fn on_frame(&mut self, rendition: Rendition, frame: Encoded, now: MediaTime) -> Verdict {
        let Some(input) = self.input(rendition) else {
            return Verdict::Drop;
        };
        input.seen = Some(now);
        if self.current == Some(rendition) {
            return self.on_current(frame);
        }
        if !frame.key || !self.takes(rendition, now) {
            return Verdict::Drop;
        }
        if let Some(deadline) = self.waits(frame, now) {
            return Verdict::Wait(deadline);
        }
        self.switches += u64::from(self.current.is_some());
        self.current = Some(rendition);
        self.ahead = None;
        self.asked = None;
        self.pass(frame)
    }

    /// A key frame to ask for, if it is time to.
    pub fn on_time(&mut self, now: MediaTime) -> Option<KeyRequest> {
        let pending = self.pending()?;
        if self.ahead.is_some() || self.next_wakeup().is_some_and(|due| now < due) {
            return None;
        }
        self.asked = Some(now);
        Some(KeyRequest(pending))
    }

    /// When [`on_time`](Self::on_time) has something to do; at once where a key frame is missing and none was asked for.
    pub fn next_wakeup(&self) -> Option<MediaTime> {
        self.pending()?;
        Some(
            self.asked
                .map_or(MediaTime::ZERO, |asked| asked.after(self.config.ask_again)),
        )
    }

    fn input(&mut self, rendition: Rendition) -> Option<&mut Input> {
        let mut inputs = self.inputs.iter_mut();
        inputs.find(|input| input.rendition == rendition)
    }

    fn want(&mut self, rendition: Option<Rendition>) {
        self.wanted = rendition;
        self.asked = None;
        self.ahead = None;
    }

    /// The old rendition's frames go on until one is as late as the key frame that waits.
    fn on_current(&mut self, frame: Encoded) -> Verdict {
        if let (Some((key, _)), Some(time)) = (self.ahead, frame.time)
            && time >= key
        {
            // Nothing of it goes on any more: the waiting key frame is next.
            self.last = self.last.max(Some(key.before(Duration::from_nanos(1))));
            return Verdict::Drop;
        }
        self.pass(frame)
    }

    /// Whether a key frame of `rendition` is where to go on: it is the wanted one, or the current one is gone.
    fn takes(&self, rendition: Rendition, now: MediaTime) -> bool {
        self.wanted == Some(rendition) || !self.is_current_live(now)
    }

    fn is_current_live(&self, now: MediaTime) -> bool {
        let mut inputs = self.inputs.iter();
        let input = inputs.find(|input| self.current == Some(input.rendition));
        let seen = input.and_then(|input| input.seen);
        seen.is_some_and(|seen| now.since(seen) < self.config.stalled)
    }

    /// Until when this key frame has to wait for the rendition that goes on.
    fn waits(&mut self, key: Encoded, now: MediaTime) -> Option<MediaTime> {
        if !self.is_current_live(now) {
            return None;
        }
        let (time, last) = key.time.zip(self.last)?;
        let (_, since) = *self.ahead.get_or_insert((time, now));
        let deadline = since.after(self.config.catch_up);
        // Half an interval: time stamps are not even.
        let follows = time.since(last) <= self.interval + self.interval / 2;
        let caught_up = last >= time.before(Duration::from_nanos(1));
        (!follows && !caught_up && now < deadline).then_some(deadline)
    }

    fn pass(&mut self, frame: Encoded) -> Verdict {
        let Some(time) = frame.time else {
            return Verdict::Pass;
        };
        let last = self
            .last
            .replace(self.last.map_or(time, |last| last.max(time)));
        match last {
            Some(last) if time <= last => {
                let earliest = last.after(Duration::from_nanos(1));
                self.last = Some(earliest);
                Verdict::PassFrom(earliest)
            }
            Some(last) => {
                self.interval = time.since(last);
                Verdict::Pass
            }
            None => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests;
