//! What the element knows while it runs.

use std::time::Duration;

use livetune_core::bitrate::{Config, ConfigError, Reason};
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use super::allotment::Allotment;
use super::encoder::{Drive, Encoder, Frame, Refusal, Setting};
use super::outbox::{Announcement, Trouble};
use super::settings::{Settings, Tuning};
use super::transport::{Network, Rounds, Transport};
use crate::runtime::telemetry::Registration;

/// Between two searches for what was not found, and between two looks whether what was found is still there.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);
/// Three of RTCP's regular intervals (RFC 3550, 6.2).
const REPORTS_DUE: Duration = Duration::from_secs(15);
/// Messages of rises keep this distance; all others are rare by nature.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(100);
/// Where nothing says what to start with: webrtcsink's start-bitrate.
const START: Bitrate = Bitrate::from_kbps(2_048);

/// Exists from READY→PAUSED to PAUSED→READY.
pub(super) struct State {
    pub(super) allotment: Allotment,
    enabled: bool,
    /// The user's start, `None` for the encoder's own.
    start: Option<Bitrate>,
    started: Started,
    pub(super) encoder: Found<Encoder>,
    pub(super) network: Network,
    began: Option<MediaTime>,
    /// Acts so far.
    acts: u64,
    pub(super) drive: Drive,
    pub(super) announced: Announcement,
    next_search: MediaTime,
    next_message: MediaTime,
    told: Vec<Trouble>,
    _registration: Registration,
}

/// What was found of an element: its name, and the handle where it can be driven.
#[derive(Debug)]
pub(super) struct Found<T> {
    pub(super) name: Option<String>,
    pub(super) handle: Result<T, Option<Refusal>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Started {
    No,
    WithoutEncoder,
    WithEncoder,
}

/// To be done once the state is unlocked.
pub(super) struct Act {
    /// Acts are counted: threads may overtake each other.
    pub(super) number: u64,
    /// What is to be set to what.
    pub(super) encoder: Option<(Encoder, Setting)>,
    /// The target changed too.
    pub(super) news: Option<News>,
}

pub(super) struct News {
    pub(super) announcement: Announcement,
    pub(super) limits: Config,
    /// There was no message just before.
    pub(super) post: bool,
}

impl State {
    pub(super) fn new(
        limits: Config,
        settings: &Settings,
        registration: Registration,
    ) -> Result<Self, ConfigError> {
        let start = Some(settings.start_bitrate).filter(|bps| *bps > 0);
        Ok(Self {
            allotment: Allotment::new(limits, &settings.tuning)?,
            enabled: settings.enabled,
            start: start.map(|bps| Bitrate::from_bps(bps.into())),
            started: Started::No,
            encoder: Found {
                name: None,
                handle: Err(None),
            },
            network: Network::default(),
            began: None,
            acts: 0,
            drive: Drive::new(),
            announced: Announcement {
                bitrate: Bitrate::ZERO,
                previous: Bitrate::ZERO,
                reason: Reason::Start,
                loss: livetune_core::units::Ratio::ZERO,
                rtt: None,
                queue_delay: None,
            },
            next_search: MediaTime::ZERO,
            next_message: MediaTime::ZERO,
            told: Vec::new(),
            _registration: registration,
        })
    }

    /// Whether to look for the encoder and the transport now.
    pub(super) fn is_search_due(&mut self, now: MediaTime) -> bool {
        self.began.get_or_insert(now);
        if now < self.next_search {
            return false;
        }
        self.next_search = now.after(SEARCH_INTERVAL);
        true
    }

    /// When the first buffer passed.
    pub(super) fn began(&self) -> MediaTime {
        self.began.unwrap_or_default()
    }

    pub(super) fn encoder(&self) -> Option<&Encoder> {
        self.encoder.handle.as_ref().ok()
    }

    /// Takes in the encoder that a search found, and what it is set to; gives back the one before.
    pub(super) fn on_encoder(
        &mut self,
        found: Found<Encoder>,
        bitrate: Option<Bitrate>,
        now: MediaTime,
    ) -> Found<Encoder> {
        let driven = found.handle.is_ok();
        if self.started == Started::No || (driven && self.started == Started::WithoutEncoder) {
            let encoder = found.handle.as_ref().ok();
            let measured = encoder.is_some_and(|encoder| encoder.quality().is_some());
            if measured && self.start.is_none() {
                // It starts with what it is seen to send.
                self.started = Started::No;
            } else {
                self.start_at(bitrate, driven, now);
            }
        }
        if let Ok(encoder) = &found.handle {
            self.drive.on_encoder(encoder);
        }
        std::mem::replace(&mut self.encoder, found)
    }

    fn start_at(&mut self, bitrate: Option<Bitrate>, driven: bool, now: MediaTime) {
        let start = self.start.or(bitrate).unwrap_or(START);
        self.announced.bitrate = bitrate.unwrap_or(start);
        self.allotment.start_at(start, now);
        self.started = if driven {
            Started::WithEncoder
        } else {
            Started::WithoutEncoder
        };
    }

    /// Takes in the transports that a search found; gives back those before.
    pub(super) fn on_transports(
        &mut self,
        found: Vec<Transport>,
        rounds: Option<Rounds>,
        now: MediaTime,
    ) -> Vec<Transport> {
        let before = self.network.replace(found, rounds, now);
        self.allotment.join(self.network.address());
        before
    }

    /// Answers whether `trouble` is new, and remembers it.
    pub(super) fn is_new(&mut self, trouble: &Trouble) -> bool {
        let new = !self.told.iter().any(|told| told.is_like(trouble));
        if new {
            self.told.push(trouble.clone());
        }
        new
    }

    pub(super) fn set_limits(&mut self, limits: Config, now: MediaTime) -> Result<(), ConfigError> {
        self.allotment.set_limits(limits, now)
    }

    pub(super) fn set_tuning(&mut self, tuning: &Tuning) {
        self.allotment.set_tuning(tuning);
    }

    /// Whether the encoder is to follow. Where it is again, all starts from the rate that it has.
    pub(super) fn set_enabled(&mut self, enabled: bool, current: Option<Bitrate>, now: MediaTime) {
        let resumes = enabled && !self.enabled;
        self.enabled = enabled;
        if let Some(current) = current.filter(|_| resumes) {
            self.allotment.start_at(current, now);
        }
    }

    /// What the network carries, once something is known of it.
    pub(super) fn estimate(&self) -> Option<Bitrate> {
        (self.started != Started::No).then(|| self.allotment.estimate())
    }

    pub(super) fn wants_key_frame(&mut self, now: MediaTime) -> bool {
        self.allotment.wants_key_frame(now)
    }

    /// Buffers of `rate` frames a second follow.
    pub(super) fn on_caps(&mut self, rate: Option<f64>) {
        self.drive.on_caps(rate);
    }

    /// A `frame` passes, whose running time is `media`. Answers what is to be done.
    pub(super) fn on_buffer(
        &mut self,
        frame: Frame,
        media: Option<MediaTime>,
        now: MediaTime,
    ) -> Option<Act> {
        self.allotment.on_sent(frame.size, now);
        self.network.on_buffer(frame.size, media);
        self.drive.on_buffer(frame, self.allotment.target(), now);
        if let (Started::No, Some(rate)) = (self.started, self.drive.observed()) {
            self.start_at(Some(rate), true, now);
        }
        self.judge(now)
    }

    /// Judges all feedback that has come. Answers what is to be done.
    pub(super) fn judge(&mut self, now: MediaTime) -> Option<Act> {
        while let Some((input, at)) = self.network.take() {
            self.allotment.on_input(input, at);
        }
        self.allotment.on_time(now);
        self.act(now)
    }

    /// The trouble that shows only with time.
    pub(super) fn late_trouble(&mut self, now: MediaTime) -> Option<Trouble> {
        let reports = self.allotment.controller().reports();
        let told = |trouble: &Trouble| self.told.iter().any(|told| told.is_like(trouble));
        let deaf = self.drive.is_ignored() || self.encoder().is_some_and(Encoder::refuses);
        if deaf && !told(&Trouble::Refused(String::new(), Refusal::Ignores)) {
            let name = self.encoder.name.clone().unwrap_or_default();
            return Some(Trouble::Refused(name, Refusal::Ignores));
        }
        let waits = self.network.waits_for_reports(now);
        let late = waits.is_some_and(|waits| waits > REPORTS_DUE);
        let silent = late && reports == 0 && !told(&Trouble::NoReports);
        silent.then_some(Trouble::NoReports)
    }

    fn act(&mut self, now: MediaTime) -> Option<Act> {
        let taken = matches!(self.encoder.handle, Err(Some(Refusal::Taken)));
        if taken || self.started == Started::No || !self.enabled {
            return None;
        }
        let target = self.allotment.target();
        let first = self.drive.is_new();
        let falls = target < self.announced.bitrate;
        let encoder = self.encoder.handle.as_ref().ok();
        let next = self.drive.next(target, encoder);
        let encoder = encoder.cloned().zip(next.setting);
        if !next.due && !falls && encoder.is_none() {
            return None;
        }
        self.acts += 1;
        let news = first || falls || (next.due && target != self.announced.bitrate);
        Some(Act {
            number: self.acts,
            encoder,
            news: news.then(|| self.announce(target, now)),
        })
    }

    /// No decision was made after that of `act`.
    pub(super) fn is_newest(&self, act: &Act) -> bool {
        act.number == self.acts
    }

    fn announce(&mut self, target: Bitrate, now: MediaTime) -> News {
        self.announced.previous = self.announced.bitrate;
        self.announced.bitrate = target;
        self.announced.reason = self.allotment.reason();
        self.observe_network();
        let post = now >= self.next_message || self.announced.reason != Reason::Increase;
        if post {
            self.next_message = now.after(MESSAGE_INTERVAL);
        }
        News {
            announcement: self.announced.clone(),
            limits: self.allotment.limits(),
            post,
        }
    }

    /// Who is to be told what at the end: the next start reads the encoder's bit rate, which is to be the target then.
    pub(super) fn farewell(&self) -> Option<(Encoder, Setting)> {
        let told_more = (self.drive.share() - 1.0).abs() > f64::EPSILON;
        let encoder = self.encoder().filter(|_| told_more)?;
        Some((encoder.clone(), Setting::Rate(self.allotment.target())))
    }

    pub(super) fn observe_network(&mut self) {
        let controller = self.allotment.controller();
        self.announced.loss = controller.loss();
        self.announced.rtt = controller.rtt();
        self.announced.queue_delay = controller.queue_delay();
    }
}
