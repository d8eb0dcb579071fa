//! What the stream did, from READY to PAUSED and back.

use std::time::Duration;

use livetune_core::quality::{Account, Decimator, Fitted, Governor, InputVideo, Reason, Switch};
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use super::group::Member;
use super::steering::Steering;
use crate::runtime::clock;
use crate::runtime::figures::Figure;
use crate::runtime::telemetry::Registration;

pub(super) struct State {
    pub(super) governor: Governor,
    pub(super) member: Member,
    pub(super) account: Account,
    decimator: Decimator,
    segment: gst::FormattedSegment<gst::ClockTime>,
    pub(super) caps: Option<gst::Caps>,
    pub(super) input: Option<InputVideo>,
    /// The rung that frames are sent on.
    pub(super) applied: Option<usize>,
    /// Why the rung changed last.
    pub(super) reason: Option<Reason>,
    pub(super) target: Option<Bitrate>,
    pub(super) steering: Option<Steering>,
    /// Frames come at the pace of a clock.
    pub(super) live: bool,
    /// The input is what renditions come to, not frames.
    encoded: bool,
    /// Frames go on past the scaler, which has nothing to do.
    direct: Direct,
    /// When the governor is asked again.
    ask_at: MediaTime,
    pub(super) counts: Counts,
    told_unscaled: bool,
    pub(super) told_blind: bool,
    pub(super) told_ahead: bool,
    pub(super) began: MediaTime,
    _registration: Registration,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) switches: u64,
    pub(super) frames_in: u64,
    pub(super) frames_out: u64,
    pub(super) frames_untimed: u64,
    pub(super) refusals: u64,
}

/// Whether the scaler may be gone around. It may once it has seen a frame, until something else comes.
#[derive(Clone, Copy, Debug, Default)]
struct Direct {
    open: bool,
    /// Grows with each event.
    events: u64,
}

/// The governor is asked no more often than this unless there is something new: for each frame at any rate that a camera
/// has.
const ASK: Duration = Duration::from_millis(5);

/// What becomes of a frame.
#[derive(Debug)]
pub(super) enum Way {
    /// It is dropped.
    Out,
    /// Something has to be done first.
    First(Box<Order>),
    /// Past the scaler.
    Direct,
    /// Through the scaler, when so many events had come.
    Through(u64),
}

/// A rung to send frames on.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) rung: usize,
    pub(super) before: Option<usize>,
    pub(super) fitted: Fitted,
    pub(super) input: gst::Caps,
    pub(super) scalable: bool,
    /// Whether frames pass uncopied after it and did not before, or the other way round: upstream has to ask anew whose
    /// memory it should fill.
    pub(super) reallocates: bool,
}

/// A switch that was carried out.
#[derive(Debug)]
pub(super) struct Carried {
    /// The level before, and the message about it but for its name; `None` at the start, where there was no rung before.
    pub(super) news: Option<News>,
    /// Whether somebody other than the owner of the property moved the level.
    pub(super) notify: bool,
}

/// What there is to tell of a switch.
#[derive(Debug)]
pub(super) struct News {
    pub(super) previous: String,
    pub(super) level: String,
    pub(super) reason: &'static str,
    pub(super) figures: Vec<Figure>,
}

impl State {
    pub(super) fn new(governor: Governor, member: Member, registration: Registration) -> Self {
        let names = governor.ladder().rungs().iter();
        Self {
            account: Account::new(names.map(|rung| rung.name.clone())),
            governor,
            member,
            decimator: Decimator::new(),
            segment: gst::FormattedSegment::new(),
            caps: None,
            input: None,
            applied: None,
            reason: None,
            target: None,
            steering: None,
            live: false,
            encoded: false,
            direct: Direct::default(),
            ask_at: MediaTime::ZERO,
            counts: Counts::default(),
            told_unscaled: false,
            told_blind: false,
            told_ahead: false,
            began: clock::monotonic(),
            _registration: registration,
        }
    }

    /// Video of those `caps` comes from now on.
    pub(super) fn on_caps(&mut self, caps: gst::Caps, input: Option<InputVideo>) {
        self.caps = Some(caps);
        self.input = input;
        self.encoded = false;
        let Some(input) = input else {
            self.decimator.set_rate(None);
            return;
        };
        let switch = self.governor.on_input(&input, clock::monotonic());
        self.remember(switch);
    }

    /// Renditions come, of which the best is `best`; `sent` answers which of them is sent on a rung.
    pub(super) fn on_renditions(
        &mut self,
        best: InputVideo,
        sent: impl Fn(&Fitted) -> Option<InputVideo>,
    ) {
        let now = clock::monotonic();
        self.caps = Some(gst::Caps::new_empty());
        self.input = Some(best);
        self.encoded = true;
        let switch = self.governor.on_input(&best, now);
        self.remember(switch);
        for place in 0..self.governor.ladder().rungs().len() {
            let fitted = self.governor.fitted(place);
            let video = fitted.and_then(|fitted| Some((fitted, sent(&fitted)?)));
            if let Some((fitted, video)) = video {
                let rate = video.rate.unwrap_or(fitted.rate);
                let need = livetune_core::quality::bitrate_needed(video.width, video.height, rate);
                self.governor.on_need(place, need, now);
            }
        }
    }

    /// Whether to say now that the video that comes in passes unscaled: once.
    pub(super) fn tells_unscaled(&mut self) -> bool {
        let unscaled = self.input.is_none_or(|input| !input.scalable);
        let told = self.told_unscaled;
        self.told_unscaled |= unscaled;
        unscaled && !told
    }

    /// Notes why the rung changed, where it did.
    pub(super) fn remember(&mut self, switch: Option<Switch>) {
        self.reason = switch.map(|switch| switch.reason).or(self.reason);
    }

    /// Frames no longer follow on those before.
    pub(super) fn on_segment(&mut self, segment: Option<gst::FormattedSegment<gst::ClockTime>>) {
        self.segment = segment.unwrap_or_default();
        self.decimator.reset();
    }

    /// Something other than a frame passes, in either direction.
    pub(super) fn on_event(&mut self) {
        self.direct.open = false;
        self.direct.events += 1;
    }

    /// Something happened that the governor may act upon.
    pub(super) fn ask_soon(&mut self) {
        self.ask_at = MediaTime::ZERO;
    }

    /// The rung to change to at `now`, if there is one.
    pub(super) fn order_due(&mut self, now: MediaTime) -> Option<Order> {
        self.input?;
        if now < self.ask_at && self.governor.rung() == self.applied {
            return None;
        }
        self.ask_at = now.after(ASK);
        let governor = &mut self.governor;
        let switch = self.member.with(|seat| match seat {
            Some(seat) => governor.on_time_in(seat, now),
            None => governor.on_time(now),
        });
        self.remember(switch);
        let moved = self.governor.rung() != self.applied;
        moved.then(|| self.order()).flatten()
    }

    /// Whether frames pass uncopied on `rung`.
    fn passes(&self, rung: usize) -> bool {
        let fitted = self.governor.fitted(rung);
        fitted.is_some_and(|fitted| fitted.full_size)
    }

    /// What has to be done for the rung that holds.
    pub(super) fn order(&self) -> Option<Order> {
        let rung = self.governor.rung()?;
        Some(Order {
            rung,
            before: self.applied,
            fitted: self.governor.fitted(rung)?,
            input: self.caps.clone()?,
            scalable: self.input?.scalable,
            reallocates: self
                .applied
                .is_some_and(|before| self.passes(before) != self.passes(rung)),
        })
    }

    /// Downstream does not take what `order` asks for. Answers what to try instead.
    pub(super) fn on_refused(&mut self, order: &Order) -> Option<Order> {
        self.counts.refusals += 1;
        let now = clock::monotonic();
        let switch = self.governor.on_refused(order.before, now)?;
        self.remember(Some(switch));
        self.order()
    }

    /// Frames are sent as `order` says from now on.
    pub(super) fn on_carried_out(&mut self, order: &Order) -> Carried {
        let fitted = order.fitted;
        let rate = (fitted.decimates && !self.encoded).then_some(fitted.rate);
        self.decimator.set_rate(rate);
        self.on_event();
        let moved = self.applied.replace(order.rung) != Some(order.rung);
        if !moved {
            return Carried {
                news: None,
                notify: false,
            };
        }
        let reason = self.reason.unwrap_or(Reason::Input);
        let best = order.rung == self.best();
        let now = clock::monotonic();
        let held = self.account.on_rung(order.rung, best, reason.as_str(), now);
        let news = order.before.zip(held).map(|(before, held)| {
            self.counts.switches += 1;
            self.news(before, held, reason)
        });
        Carried {
            news,
            notify: self.reason != Some(Reason::Manual),
        }
    }

    /// The best rung that differs for this input.
    fn best(&self) -> usize {
        let rungs = 0..self.governor.ladder().rungs().len();
        let same = |place: &usize| self.governor.fitted(*place) == self.governor.fitted(0);
        rungs.into_iter().take_while(same).last().unwrap_or(0)
    }

    /// What becomes of the frame shown at `pts`; `asked` once what had to be done first is done.
    pub(super) fn on_frame(
        &mut self,
        pts: Option<gst::ClockTime>,
        asked: bool,
        now: MediaTime,
    ) -> Way {
        if !asked && let Some(order) = self.order_due(now) {
            return Way::First(Box::new(order));
        }
        self.counts.frames_in += 1;
        let shown = pts.and_then(|pts| self.segment.to_running_time(pts));
        let keep = match shown {
            Some(at) => self.decimator.on_frame(clock::media_time(at)),
            None => {
                self.counts.frames_untimed += 1;
                true
            }
        };
        self.counts.frames_out += u64::from(keep);
        match (keep, self.direct.open) {
            (false, _) => Way::Out,
            (true, true) => Way::Direct,
            (true, false) => Way::Through(self.direct.events),
        }
    }

    /// A frame went through the scaler, when so many events had come.
    pub(super) fn on_through(&mut self, events: u64) {
        let passes = self.applied.is_some_and(|rung| self.passes(rung));
        let scalable = self.input.is_some_and(|input| input.scalable);
        self.direct.open = passes && scalable && events == self.direct.events;
    }

    /// The name of the rung that holds, or nothing before there is one.
    pub(super) fn level(&self) -> Option<String> {
        self.governor.rung().map(|rung| self.name_of(Some(rung)))
    }

    pub(super) fn name_of(&self, rung: Option<usize>) -> String {
        let rung = rung.and_then(|rung| self.governor.ladder().rungs().get(rung));
        rung.map(|rung| rung.name.clone()).unwrap_or_default()
    }
}
