//! The controller that a shell drives: limits, target, silence of the receiver. Estimators judge.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount, Ratio};

use super::advice::{Advice, Situation};
use super::backlog::{Backlog, Backlogs};
use super::cadence::Cadence;
use super::packets::{PacketResult, Packets};
use super::report::{Config, ConfigError, Decision, IntervalReport, Reason};
use super::reports::Reports;
use super::sent::Sent;
use super::srt::{Srt, SrtReport};

/// What is left of the target each time that the receiver stays silent.
const SILENCE: f64 = 0.7;
/// After a longer gap in what is sent (RTCP's regular interval) the receiver's silence was ours.
const PAUSE: Duration = Duration::from_secs(5);
/// Feedback on packets is listened to, rather than reports, until it was missing for that long (three of RTCP's
/// regular intervals).
const TRUST: Duration = Duration::from_secs(15);
/// Feedback on packets comes with every frame: nothing for so long is silence ...
const PACKETS_SILENCE: Duration = Duration::from_millis(500);
/// ... but for so many round trips, or usual intervals of messages, it may be late.
const PACKETS_MISSING: u32 = 3;
/// Smaller rises are saved up: an encoder has nothing of 1 %.
const LEAST_RISE: f64 = 0.02;

/// Chooses the bit rate of one stream. Inputs are what was sent, what the receiver reports, and the time.
#[derive(Clone, Debug)]
pub struct Controller {
    config: Config,
    /// The exact target, and what was last decided of it.
    target: f64,
    told: Bitrate,
    sent: Sent,
    last_sent: Option<MediaTime>,
    cadence: Cadence,
    packets: Packets,
    packets_heard: Option<MediaTime>,
    reports: Reports,
    srt: Srt,
    backlogs: Backlogs,
    reports_taken: u64,
}

impl Controller {
    /// A controller that stands at the lower limit until [`Self::start_at`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let config = config.validate()?;
        Ok(Self {
            config,
            target: config.min.as_bps() as f64,
            told: config.min,
            sent: Sent::default(),
            last_sent: None,
            cadence: Cadence::default(),
            packets: Packets::new(),
            packets_heard: None,
            reports: Reports::new(),
            srt: Srt::new(),
            backlogs: Backlogs::default(),
            reports_taken: 0,
        })
    }

    /// A stream (or a new encoder of it) starts at `bitrate`, or at the limit that is nearest.
    pub fn start_at(&mut self, bitrate: Bitrate, now: MediaTime) -> Decision {
        let previous = self.told;
        self.set(bitrate.as_bps() as f64);
        self.told = Bitrate::from_bps(self.target as u64);
        self.reports.on_start(now);
        Decision {
            bitrate: self.told,
            previous,
            reason: Reason::Start,
        }
    }

    /// New limits; what was learnt of the path stays.
    pub fn set_limits(&mut self, config: Config) -> Result<Option<Decision>, ConfigError> {
        self.config = config.validate()?;
        self.set(self.target);
        Ok(self.tell(Reason::Limits))
    }

    /// The stream goes another way from now on, or nobody knows where: silence of whoever reported means nothing.
    pub fn on_other_path(&mut self) {
        self.cadence = Cadence::default();
        self.packets_heard = None;
    }

    /// `bytes` of the stream are sent.
    pub fn on_sent(&mut self, bytes: ByteCount, now: MediaTime) {
        let last = self.last_sent.replace(now);
        let pause = if self.hears_packets(now) {
            self.packets_silence() / 2
        } else {
            PAUSE
        };
        if last.is_none_or(|last| now.since(last) > pause) {
            self.cadence.on_silence(now);
            self.reports.on_pause(now);
        }
        self.sent.on_sent(bytes, now);
    }

    /// The receiver says of each packet whether and when it arrived: the results of one message, in any order. The
    /// target is then counted as the packets' sizes are: on the wire.
    pub fn on_packets(&mut self, results: &[PacketResult], now: MediaTime) -> Option<Decision> {
        self.reports_taken = self.reports_taken.saturating_add(1);
        self.packets_heard = Some(now);
        self.cadence.on_report(now);
        let situation = self.situation(now);
        let advice = self.packets.on_packets(results, situation);
        self.follow(advice)
    }

    /// The receiver reports. While it says more of each packet, that is listened to instead.
    pub fn on_report(&mut self, report: IntervalReport, now: MediaTime) -> Option<Decision> {
        self.reports_taken = self.reports_taken.saturating_add(1);
        let interval = self.cadence.on_report(now);
        let situation = self.situation(now);
        let advice = self.reports.on_report(&report, interval, situation);
        self.follow(advice.filter(|_| !self.hears_packets(now)))
    }

    /// What an SRT sender saw since its last look; call it ten and more times a second.
    pub fn on_srt(&mut self, report: SrtReport, now: MediaTime) -> Option<Decision> {
        self.reports_taken = self.reports_taken.saturating_add(1);
        let situation = self.situation(now);
        let advice = self.srt.on_report(&report, situation);
        self.follow(advice)
    }

    /// How far the sink is behind; call it ten and more times a second.
    pub fn on_backlog(&mut self, backlog: Backlog, now: MediaTime) -> Option<Decision> {
        let situation = self.situation(now);
        let advice = self.backlogs.on_backlog(&backlog, situation);
        // A sink that keeps up says nothing about a path of which somebody reports.
        let reported = self.cadence.deadline().is_some();
        let advice = advice.filter(|advice| advice.reason.is_congestion() || !reported);
        self.follow(advice)
    }

    /// The time is `now`; call it at [`Self::next_wakeup`] or a little later.
    pub fn on_timer(&mut self, now: MediaTime) -> Option<Decision> {
        if self.next_wakeup().is_none_or(|deadline| now < deadline) {
            return None;
        }
        self.cadence.on_silence(now);
        if self.sent.rate(now) == Bitrate::ZERO {
            return None;
        }
        self.set(self.target * SILENCE);
        self.tell(Reason::FeedbackLost)
    }

    /// When to call [`Self::on_timer`].
    pub fn next_wakeup(&self) -> Option<MediaTime> {
        let deadline = self.cadence.deadline()?;
        let packets = self.cadence.deadline_after(self.packets_silence());
        match self.packets_heard.and(packets) {
            Some(packets) => Some(packets.min(deadline)),
            None => Some(deadline),
        }
    }

    /// Send this much.
    pub fn target(&self) -> Bitrate {
        self.told
    }

    /// The limits.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Loss, smoothed over about a second.
    pub fn loss(&self) -> Ratio {
        match self.packets_heard {
            Some(_) => self.packets.loss(),
            None if self.srt.rtt().is_some() => self.srt.loss(),
            None => self.reports.loss(),
        }
    }

    /// The last round trip.
    pub fn rtt(&self) -> Option<Duration> {
        self.packets.rtt().or(self.reports.rtt()).or(self.srt.rtt())
    }

    /// How long packets wait in the path: above the shortest way of the last 30 s.
    pub fn queue_delay(&self) -> Option<Duration> {
        let reported = self.packets.queue_delay().or(self.reports.queue_delay());
        reported.or(self.srt.queue()).or(self.backlogs.behind())
    }

    /// What arrived lately; `None` where only reports say so.
    pub fn delivered(&self) -> Option<Bitrate> {
        self.packets.delivered()
    }

    /// What the path was last found to carry and no more; `None` before that.
    pub fn capacity(&self) -> Option<Bitrate> {
        self.packets.capacity()
    }

    /// The last jitter that a receiver said.
    pub fn jitter(&self) -> Option<Duration> {
        self.reports.jitter()
    }

    /// What was sent in the last half second, as a rate.
    pub fn sent_rate(&mut self, now: MediaTime) -> Bitrate {
        self.sent.rate(now)
    }

    /// Reports taken in.
    pub fn reports(&self) -> u64 {
        self.reports_taken
    }

    fn packets_silence(&self) -> Duration {
        let rtt = self.packets.rtt().unwrap_or_default();
        let usual = rtt.max(self.cadence.interval());
        PACKETS_SILENCE.max(usual.saturating_mul(PACKETS_MISSING))
    }

    fn hears_packets(&self, now: MediaTime) -> bool {
        self.packets_heard
            .is_some_and(|heard| now.since(heard) < TRUST)
    }

    fn situation(&mut self, now: MediaTime) -> Situation {
        Situation {
            target: self.target,
            sent: self.sent.rate(now).as_bps() as f64,
            cadence: self.cadence.interval(),
            now,
        }
    }

    fn follow(&mut self, advice: Option<Advice>) -> Option<Decision> {
        let advice = advice?;
        self.set(advice.target);
        self.tell(advice.reason)
    }

    fn set(&mut self, target: f64) {
        let (min, max) = (self.config.min.as_bps(), self.config.max.as_bps());
        // In this order what is no number becomes the lower limit.
        self.target = target.max(min as f64).min(max as f64);
    }

    fn tell(&mut self, reason: Reason) -> Option<Decision> {
        let bitrate = Bitrate::from_bps(self.target as u64);
        let previous = self.told;
        let saved_up = bitrate > previous
            && bitrate < previous.scaled(1.0 + LEAST_RISE)
            && bitrate < self.config.max;
        if bitrate == previous || saved_up {
            return None;
        }
        self.told = bitrate;
        Some(Decision {
            bitrate,
            previous,
            reason,
        })
    }
}
