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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HIGH: Rendition = Rendition(0);
    const LOW: Rendition = Rendition(1);

    fn selector() -> Selector {
        let mut selector = Selector::new(SelectorConfig::default());
        selector.add(HIGH);
        selector.add(LOW);
        selector.on_wanted(HIGH);
        selector
    }

    fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn frame(number: u64, key: bool) -> Encoded {
        let time = Some(ms(number * 40));
        Encoded { key, time }
    }

    #[test]
    fn the_old_one_goes_on_until_the_new_ones_key_frame_is_there() {
        let mut selector = selector();
        assert_eq!(
            selector.on_frame(HIGH, frame(0, true), ms(0)),
            Verdict::Pass
        );
        assert_eq!(selector.on_frame(LOW, frame(0, true), ms(1)), Verdict::Drop);
        selector.on_wanted(LOW);
        assert_eq!(selector.on_time(ms(2)), Some(KeyRequest(LOW)));
        assert_eq!(selector.on_time(ms(3)), None);
        for number in 1..5 {
            let now = ms(number * 40);
            assert_eq!(
                selector.on_frame(HIGH, frame(number, false), now),
                Verdict::Pass
            );
            assert_eq!(
                selector.on_frame(LOW, frame(number, false), now),
                Verdict::Drop
            );
        }
        assert_eq!(selector.pending(), Some(LOW));
        assert_eq!(
            selector.on_frame(LOW, frame(5, true), ms(200)),
            Verdict::Pass
        );
        assert_eq!(
            selector.on_frame(HIGH, frame(5, false), ms(201)),
            Verdict::Drop
        );
        assert_eq!((selector.current(), selector.switches()), (Some(LOW), 1));
        assert_eq!((selector.pending(), selector.next_wakeup()), (None, None));
    }

    #[test]
    fn a_key_frame_that_does_not_come_is_asked_for_again() {
        let mut selector = selector();
        selector.on_frame(HIGH, frame(0, true), ms(0));
        selector.on_wanted(LOW);
        let asked = (0..1_000).filter(|now| selector.on_time(ms(*now)).is_some());
        assert_eq!(asked.collect::<Vec<_>>(), [0, 300, 600, 900]);
        selector.on_wanted(HIGH);
        assert_eq!(selector.on_time(ms(5_000)), None);
        assert_eq!(
            selector.on_frame(HIGH, frame(1, false), ms(5_000)),
            Verdict::Pass
        );
    }

    #[test]
    fn a_rendition_that_lags_goes_on_in_order() {
        let mut selector = selector();
        selector.on_frame(HIGH, frame(0, true), ms(0));
        selector.on_frame(HIGH, frame(1, false), ms(40));
        selector.on_frame(HIGH, frame(2, false), ms(80));
        selector.on_wanted(LOW);
        let verdict = selector.on_frame(LOW, frame(1, true), ms(81));
        let earliest = MediaTime::from_nanos(80_000_001);
        assert_eq!(verdict, Verdict::PassFrom(earliest));
        let verdict = selector.on_frame(LOW, frame(2, false), ms(100));
        assert_eq!(
            verdict,
            Verdict::PassFrom(MediaTime::from_nanos(80_000_002))
        );
        assert_eq!(
            selector.on_frame(LOW, frame(3, false), ms(120)),
            Verdict::Pass
        );
    }

    #[test]
    fn a_rendition_that_is_ahead_waits_until_no_frame_is_missing() {
        let mut selector = selector();
        for number in 0..3 {
            selector.on_frame(HIGH, frame(number, number == 0), ms(number * 40));
        }
        selector.on_wanted(LOW);
        let key = frame(5, true);
        assert_eq!(selector.on_frame(LOW, key, ms(81)), Verdict::Wait(ms(181)));
        assert_eq!(
            selector.on_frame(HIGH, frame(3, false), ms(120)),
            Verdict::Pass
        );
        assert_eq!(selector.on_frame(LOW, key, ms(121)), Verdict::Wait(ms(181)));
        assert_eq!(
            selector.on_frame(HIGH, frame(4, false), ms(160)),
            Verdict::Pass
        );
        assert_eq!(selector.on_frame(LOW, key, ms(161)), Verdict::Pass);
    }

    #[test]
    fn one_that_is_ahead_waits_no_longer_than_the_old_one_is_worth() {
        let mut selector = selector();
        selector.on_frame(HIGH, frame(0, true), ms(0));
        selector.on_frame(HIGH, frame(1, false), ms(40));
        selector.on_wanted(LOW);
        let key = frame(9, true);
        assert_eq!(selector.on_frame(LOW, key, ms(41)), Verdict::Wait(ms(141)));
        assert_eq!(selector.on_frame(LOW, key, ms(141)), Verdict::Pass);
    }

    #[test]
    fn where_the_current_one_stalls_or_is_gone_any_key_frame_is_taken() {
        let mut selector = selector();
        selector.on_frame(HIGH, frame(0, true), ms(0));
        assert_eq!(
            selector.on_frame(LOW, frame(1, true), ms(900)),
            Verdict::Drop
        );
        assert_eq!(
            selector.on_frame(LOW, frame(2, true), ms(1_100)),
            Verdict::Pass
        );
        assert_eq!(selector.pending(), Some(HIGH));
        selector.remove(LOW);
        assert_eq!(selector.current(), None);
        assert_eq!(
            selector.on_frame(HIGH, frame(3, false), ms(1_200)),
            Verdict::Drop
        );
        assert_eq!(
            selector.on_frame(HIGH, frame(4, true), ms(1_240)),
            Verdict::Pass
        );
        assert_eq!(
            selector.on_frame(Rendition(7), frame(9, true), ms(1_300)),
            Verdict::Drop
        );
    }

    #[test]
    fn frames_without_a_time_pass_as_they_are() {
        let mut selector = selector();
        let untimed = |key| Encoded { key, time: None };
        assert_eq!(selector.on_frame(HIGH, untimed(true), ms(0)), Verdict::Pass);
        selector.on_wanted(LOW);
        assert_eq!(selector.on_frame(LOW, untimed(false), ms(1)), Verdict::Drop);
        assert_eq!(selector.on_frame(LOW, untimed(true), ms(2)), Verdict::Pass);
    }

    proptest! {
        #[test]
        fn times_rise_and_every_rendition_begins_with_a_key_frame(
            frames in prop::collection::vec((0..3_u32, any::<bool>(), 0..50_u64, 0..4_u32), 1..300),
        ) {
            let mut selector = Selector::new(SelectorConfig::default());
            (0..3).for_each(|number| selector.add(Rendition(number)));
            let mut last: Option<MediaTime> = None;
            let mut current = None;
            for (tick, (number, key, skew, wanted)) in frames.into_iter().enumerate() {
                let now = ms(tick as u64 * 20 + 1_000);
                if wanted < 3 {
                    selector.on_wanted(Rendition(wanted));
                }
                let time = now.before(Duration::from_millis(skew * 4));
                let rendition = Rendition(number);
                let frame = Encoded { key, time: Some(time) };
                let passed = match selector.on_frame(rendition, frame, now) {
                    Verdict::Pass => time,
                    Verdict::PassFrom(earliest) => time.max(earliest),
                    Verdict::Drop | Verdict::Wait(_) => continue,
                };
                prop_assert!(last.is_none_or(|last| passed > last));
                prop_assert!(current == Some(rendition) || key);
                last = Some(passed);
                current = Some(rendition);
            }
        }
    }
}
