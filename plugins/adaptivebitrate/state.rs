//! What the element knows while it runs.

use std::time::Duration;

use livetune_core::bitrate::{Config, ConfigError, Controller, Reason};
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use super::encoder::{Drive, Encoder, Frame, Refusal, Setting};
use super::outbox::{Announcement, Trouble};
use super::transport::{Input, Network, Rounds, Transport};
use crate::runtime::figures::{Figure, Value};
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
    core: Controller,
    /// The user's start, `None` for the encoder's own.
    start: Option<Bitrate>,
    started: Started,
    encoder: Found<Encoder>,
    pub(super) network: Network,
    began: Option<MediaTime>,
    /// Acts so far.
    acts: u64,
    drive: Drive,
    announced: Announcement,
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
        start: Option<Bitrate>,
        registration: Registration,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            core: Controller::new(limits)?,
            start,
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
        self.announced.reason = self.core.start_at(start, now).reason;
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
        self.core.on_other_path();
        self.network.replace(found, rounds, now)
    }

    /// Answers whether `trouble` is new, and remembers it.
    pub(super) fn is_new(&mut self, trouble: &Trouble) -> bool {
        let new = !self.told.iter().any(|told| told.is_like(trouble));
        if new {
            self.told.push(trouble.clone());
        }
        new
    }

    pub(super) fn set_limits(&mut self, limits: Config) -> Result<(), ConfigError> {
        if let Some(decision) = self.core.set_limits(limits)? {
            self.announced.reason = decision.reason;
        }
        Ok(())
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
        self.core.on_sent(frame.size, now);
        self.network.on_buffer(frame.size, media);
        self.drive.on_buffer(frame, self.core.target(), now);
        if let (Started::No, Some(rate)) = (self.started, self.drive.observed()) {
            self.start_at(Some(rate), true, now);
        }
        self.judge(now)
    }

    /// Judges all feedback that has come. Answers what is to be done.
    pub(super) fn judge(&mut self, now: MediaTime) -> Option<Act> {
        let mut decision = None;
        while let Some((input, at)) = self.network.take() {
            let decided = match input {
                Input::Packets(packets) => self.core.on_packets(&packets, at),
                Input::Report(report) => self.core.on_report(report, at),
                Input::Srt(report) => self.core.on_srt(report, at),
                Input::Backlog(backlog) => self.core.on_backlog(backlog, at),
            };
            decision = decided.or(decision);
        }
        if self.core.next_wakeup().is_some_and(|at| at <= now) {
            decision = self.core.on_timer(now).or(decision);
        }
        if let Some(decision) = decision {
            self.announced.reason = decision.reason;
        }
        self.act(now)
    }

    /// The trouble that shows only with time.
    pub(super) fn late_trouble(&self, now: MediaTime) -> Option<Trouble> {
        let told = |trouble: &Trouble| self.told.iter().any(|told| told.is_like(trouble));
        let deaf = self.drive.is_ignored() || self.encoder().is_some_and(Encoder::refuses);
        if deaf && !told(&Trouble::Refused(String::new(), Refusal::Ignores)) {
            let name = self.encoder.name.clone().unwrap_or_default();
            return Some(Trouble::Refused(name, Refusal::Ignores));
        }
        let waits = self.network.waits_for_reports(now);
        let late = waits.is_some_and(|waits| waits > REPORTS_DUE);
        let silent = late && self.core.reports() == 0 && !told(&Trouble::NoReports);
        silent.then_some(Trouble::NoReports)
    }

    fn act(&mut self, now: MediaTime) -> Option<Act> {
        if matches!(self.encoder.handle, Err(Some(Refusal::Taken))) || self.started == Started::No {
            return None;
        }
        let target = self.core.target();
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
        self.observe_network();
        let post = now >= self.next_message || self.announced.reason != Reason::Increase;
        if post {
            self.next_message = now.after(MESSAGE_INTERVAL);
        }
        News {
            announcement: self.announced.clone(),
            limits: self.core.config(),
            post,
        }
    }

    /// Who is to be told what at the end: the next start reads the encoder's bit rate, which is to be the target then.
    pub(super) fn farewell(&self) -> Option<(Encoder, Setting)> {
        let told_more = (self.drive.share() - 1.0).abs() > f64::EPSILON;
        let encoder = self.encoder().filter(|_| told_more)?;
        Some((encoder.clone(), Setting::Rate(self.core.target())))
    }

    fn observe_network(&mut self) {
        self.announced.loss = self.core.loss();
        self.announced.rtt = self.core.rtt();
        self.announced.queue_delay = self.core.queue_delay();
    }

    pub(super) fn figures(&mut self, now: MediaTime) -> Vec<Figure> {
        self.observe_network();
        let limits = self.core.config();
        let mut figures = self.announced.figures();
        figures.extend([
            Figure::new(
                "jitter",
                Value::Duration(self.core.jitter().unwrap_or_default()),
                "Interarrival jitter that the receiver reports (RFC 3550)",
            ),
            Figure::new(
                "sent-bitrate",
                Value::Bitrate(self.core.sent_rate(now)),
                "Rate of what passed in the last half second",
            ),
            Figure::new(
                "reports",
                Value::Count(self.core.reports()),
                "Pieces of feedback judged: reports, and messages on packets; none of a backlog",
            ),
            Figure::new(
                "min-bitrate",
                Value::Bitrate(limits.min),
                "Never below this",
            ),
            Figure::new(
                "max-bitrate",
                Value::Bitrate(limits.max),
                "Never above this",
            ),
            Figure::new(
                "encoder-bitrate",
                Value::Bitrate(self.drive.asked()),
                "What the encoder was last told, for the target to come out",
            ),
            Figure::new(
                "encoder-gain",
                Value::Number(self.drive.gain()),
                "How many times its share the encoder is told, for that much to come out",
            ),
            Figure::new(
                "encoder",
                Value::Text(self.encoder_text()),
                "The encoder that is driven",
            ),
            Figure::new(
                "transport",
                Value::Text(self.network.names()),
                "The elements that carry the stream and were found",
            ),
            Figure::new(
                "feedback",
                Value::Text(self.network.kind(now).as_str().to_owned()),
                "What tells of the network: twcc, rtcp, rist, srt, backpressure or none",
            ),
        ]);
        figures
    }

    fn encoder_text(&self) -> String {
        let name = self.encoder.name.as_deref().unwrap_or("none");
        match &self.encoder.handle {
            Ok(_) if self.drive.is_ignored() => format!("{name} (ignores its bit rate)"),
            Ok(_) | Err(None) => name.to_owned(),
            Err(Some(Refusal::Taken)) => format!("{name} (driven by another adaptivebitrate)"),
            Err(Some(_)) => format!("{name} (fixed)"),
        }
    }
}
