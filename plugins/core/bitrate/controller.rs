//! Brings loss, delay, delivery and cadence together into one target.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount, Ratio};

use super::cadence::Cadence;
use super::delay::{Delay, DelayVerdict};
use super::delivery::Delivery;
use super::growth::Growth;
use super::loss::{Loss, LossVerdict};
use super::report::{Config, ConfigError, Decision, IntervalReport, Reason};
use super::sent::Sent;

/// What is left of the delivered rate after over-use (beta of draft-ietf-rmcat-gcc-02, section 5.5).
const BACK_OFF: f64 = 0.85;
/// A queue of this length would be drained in a second with nothing sent; a shorter one asks for its share of that.
const DRAIN: f64 = 1.0;
/// However long the queue, this much of the delivered rate goes on.
const DRAIN_LEAST: f64 = 0.5;
/// A drained path gets this much of what it was measured to carry at once, rather than grow back to it.
const SNAP_BACK: f64 = 0.95;
/// After heavy loss: just below what arrives.
const AFTER_LOSS: f64 = 0.95;
/// A queue of ours of 0.3 s is gone a second after the rate fell below 0.7 of the capacity, and an encoder takes
/// a second to follow. What stands for twice that is somebody else's queue, or a longer route.
const PATIENCE: Duration = Duration::from_secs(4);
/// What is left of the target each time that the receiver stays silent.
const SILENCE: f64 = 0.7;
/// The target rises only while that much of it is used: a still picture says nothing about the path.
const USED: f64 = 0.7;
/// Nor above this much of what arrives (draft-ietf-rmcat-gcc-02, section 5.5).
const PROVEN: f64 = 1.5;
/// Nothing grows from zero: 1 kbit/s, the least that any encoder takes.
const SEED: f64 = 1_000.0;
/// After a longer gap in what is sent (RTCP's regular interval) the receiver's silence was ours.
const PAUSE: Duration = Duration::from_secs(5);
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
    loss: Loss,
    delay: Delay,
    delivery: Delivery,
    growth: Growth,
    cadence: Cadence,
    hold_until: MediaTime,
    /// Growth counts from here.
    clear_since: MediaTime,
    /// The rate was lowered for a queue, then.
    draining: Option<MediaTime>,
    jitter: Option<Duration>,
    reports: u64,
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
            loss: Loss::new(),
            delay: Delay::new(),
            delivery: Delivery::default(),
            growth: Growth::default(),
            cadence: Cadence::default(),
            hold_until: MediaTime::ZERO,
            clear_since: MediaTime::ZERO,
            draining: None,
            jitter: None,
            reports: 0,
        })
    }

    /// A stream (or a new encoder of it) starts at `bitrate`, or at the limit that is nearest.
    pub fn start_at(&mut self, bitrate: Bitrate, now: MediaTime) -> Decision {
        let previous = self.told;
        self.set(bitrate.as_bps() as f64);
        self.told = Bitrate::from_bps(self.target as u64);
        self.hold_until = now;
        self.clear_since = now;
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

    /// `bytes` of the stream are sent.
    pub fn on_sent(&mut self, bytes: ByteCount, now: MediaTime) {
        let last = self.last_sent.replace(now);
        if last.is_none_or(|last| now.since(last) > PAUSE) {
            self.cadence.on_silence(now);
            self.clear_since = self.clear_since.max(now);
        }
        self.sent.on_sent(bytes, now);
    }

    /// The receiver reports.
    pub fn on_report(&mut self, report: IntervalReport, now: MediaTime) -> Option<Decision> {
        self.reports = self.reports.saturating_add(1);
        self.jitter = report.jitter.or(self.jitter);
        let interval = self.cadence.on_report(now);
        let delay = self.delay.on_report(report.rtt, now);
        let interval = interval?;
        let loss = self
            .loss
            .on_report(report.loss, report.expected, interval, now);
        let sent = self.sent.rate(now);
        self.delivery.on_report(&report, sent, interval);
        if now < self.hold_until {
            return None;
        }
        match (delay, loss) {
            (DelayVerdict::OverUse, _) => self.back_off_from_queue(now),
            (_, LossVerdict::TooMuch) => self.back_off_from_loss(now),
            (DelayVerdict::Clear, LossVerdict::Clear) => self.rise(now),
            (DelayVerdict::NoNews, LossVerdict::Clear) => None,
            _ => {
                self.clear_since = now;
                None
            }
        }
    }

    /// The time is `now`; call it at [`Self::next_wakeup`] or a little later.
    pub fn on_timer(&mut self, now: MediaTime) -> Option<Decision> {
        if self
            .cadence
            .deadline()
            .is_none_or(|deadline| now < deadline)
        {
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
        self.cadence.deadline()
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
        self.loss.value()
    }

    /// The last round trip.
    pub fn rtt(&self) -> Option<Duration> {
        self.delay.rtt()
    }

    /// The last round trip above the shortest of the last 30 s.
    pub fn queue_delay(&self) -> Option<Duration> {
        self.delay.queue()
    }

    /// The last jitter that a receiver said.
    pub fn jitter(&self) -> Option<Duration> {
        self.jitter
    }

    /// What was sent in the last half second, as a rate.
    pub fn sent_rate(&mut self, now: MediaTime) -> Bitrate {
        self.sent.rate(now)
    }

    /// Reports taken in.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    fn back_off_from_queue(&mut self, now: MediaTime) -> Option<Decision> {
        let delivered = self.delivery.rate_behind_queue()?;
        self.growth.on_congestion(delivered);
        let queue = self.delay.queue().unwrap_or_default().as_secs_f64();
        let share = (1.0 - queue / DRAIN).clamp(DRAIN_LEAST, BACK_OFF);
        let wanted = delivered * share;
        let since = *self.draining.get_or_insert(now);
        if wanted < self.target {
            self.draining = Some(now);
            self.set(wanted);
        } else if now.since(since) > PATIENCE {
            self.draining = None;
            self.delay.accept();
        } else if self.delay.is_standing() {
            self.set(self.target * BACK_OFF);
        }
        self.hold(now);
        self.tell(Reason::Delay)
    }

    fn back_off_from_loss(&mut self, now: MediaTime) -> Option<Decision> {
        let delivered = self.delivery.rate()?;
        self.growth.on_congestion(delivered);
        self.draining = None;
        self.set(AFTER_LOSS * delivered.min(self.target));
        self.hold(now);
        self.tell(Reason::Loss)
    }

    fn rise(&mut self, now: MediaTime) -> Option<Decision> {
        let clear = now.since(std::mem::replace(&mut self.clear_since, now));
        if self.draining.is_some() {
            return self.snap_back();
        }
        let sent = self.sent.rate(now).as_bps() as f64;
        if sent < USED * self.target {
            return None;
        }
        let wanted = self.target.max(SEED) * self.growth.factor(self.target, clear);
        let proven = PROVEN * self.delivery.rate()?;
        self.set(wanted.min(proven).max(self.target));
        self.tell(Reason::Increase)
    }

    fn snap_back(&mut self) -> Option<Decision> {
        if !self.delay.is_drained() {
            return None;
        }
        self.draining = None;
        let known = self.growth.capacity()? * SNAP_BACK;
        self.set(known.max(self.target));
        self.tell(Reason::Recover)
    }

    /// The next judgement waits until a report can show what this one changed.
    fn hold(&mut self, now: MediaTime) {
        let rtt = self.delay.rtt().unwrap_or_default();
        self.hold_until = now.after(rtt.saturating_add(self.cadence.interval()));
        self.clear_since = self.hold_until;
    }

    fn set(&mut self, target: f64) {
        let (min, max) = (self.config.min.as_bps(), self.config.max.as_bps());
        self.target = target.clamp(min as f64, max as f64);
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
