//! What the encoder may send: what the network carries, less what else is on the wire, and our part of the rest.

use livetune_core::bitrate::{
    Claim, Config, ConfigError, Controller, Coupling, Decision, Granularity, Overhead, Reason,
    Repair, Sent,
};
use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, ByteCount, Ratio};

use super::Mode;
use super::settings::Tuning;
use super::sharing::Member;
use super::transport::Input;

/// The controller counts bytes on the wire, of all streams of the transport; the target counts the encoder's.
#[derive(Debug)]
pub(super) struct Allotment {
    controller: Controller,
    overhead: Overhead,
    /// By the encoder alone.
    sent: Sent,
    member: Member,
    transport: Option<u64>,
    /// The group's changes that the target knows of.
    seen: u64,
    limits: Config,
    tuning: Tuning,
    granularity: Granularity,
    repair: Repair,
    target: Bitrate,
    reason: Reason,
}

impl Allotment {
    pub(super) fn new(limits: Config, tuning: &Tuning) -> Result<Self, ConfigError> {
        let mut new = Self {
            controller: Controller::new(limits)?,
            overhead: Overhead::default(),
            sent: Sent::default(),
            member: Member::alone(),
            transport: None,
            seen: 0,
            limits,
            tuning: tuning.clone(),
            granularity: Granularity::default(),
            repair: Repair::default(),
            target: limits.min,
            reason: Reason::Start,
        };
        new.set_tuning(tuning);
        Ok(new)
    }

    /// The stream starts at `bitrate`, or at the limit that is nearest.
    pub(super) fn start_at(&mut self, bitrate: Bitrate, now: MediaTime) {
        self.granularity = Granularity::default();
        self.adjust_granularity();
        let wire = self.wire(bitrate);
        let decision = self.controller.start_at(wire, now);
        self.take(Some(decision), now);
    }

    pub(super) fn set_limits(&mut self, limits: Config, now: MediaTime) -> Result<(), ConfigError> {
        self.limits = limits.validate()?;
        self.claim();
        self.reason = Reason::Limits;
        self.settle(now);
        Ok(())
    }

    pub(super) fn set_tuning(&mut self, tuning: &Tuning) {
        self.tuning = tuning.clone();
        let fixed = tuning.mode == Mode::FixedStep;
        self.controller.set_steps(fixed.then(|| tuning.steps()));
        let least = Ratio::new(tuning.quality_threshold);
        self.controller.set_least_arrival(least);
        self.adjust_granularity();
        self.claim();
    }

    /// The stream goes another way from now on: through the transport at this address.
    pub(super) fn join(&mut self, transport: Option<u64>) {
        self.controller.on_other_path();
        self.transport = transport;
        self.claim();
    }

    pub(super) fn on_sent(&mut self, bytes: ByteCount, now: MediaTime) {
        self.sent.on_sent(bytes, now);
        if self.overhead.on_media(bytes, now) {
            self.claim();
            self.allow(self.controller.target());
        }
        let wire = (bytes.as_u64() as f64 * self.factor()) as u64;
        let wire = ByteCount::new(wire);
        if let Some(sent) = self.member.with(|group, id| group.on_sent(id, wire)) {
            self.controller.on_sent(sent, now);
        }
        if self.member.with(|group, _| group.changes()) != self.seen {
            self.reason = Reason::Sharing;
            self.settle(now);
        }
    }

    pub(super) fn on_input(&mut self, input: Input, now: MediaTime) {
        let decision = match input {
            Input::Packets(packets) => {
                self.on_wire(packets.own, packets.others);
                self.controller.on_packets(&packets.results, now)
            }
            Input::Report(report) => self.controller.on_report(report, now),
            Input::Srt(report) => self.controller.on_srt(report, now),
            Input::Backlog(backlog) => self.controller.on_backlog(backlog, now),
        };
        self.take(decision, now);
    }

    /// Judges the silence of the receiver.
    pub(super) fn on_time(&mut self, now: MediaTime) {
        if self.controller.next_wakeup().is_some_and(|at| at <= now) {
            let decision = self.controller.on_timer(now);
            self.take(decision, now);
        }
    }

    /// Whether heavy loss is over and the receiver's pictures want mending.
    pub(super) fn wants_key_frame(&mut self, now: MediaTime) -> bool {
        self.repair.on_loss(self.controller.loss(), now)
    }

    pub(super) fn controller(&mut self) -> &mut Controller {
        &mut self.controller
    }

    /// The encoder's.
    pub(super) fn target(&self) -> Bitrate {
        self.target
    }

    /// What the encoder sent in the last half second.
    pub(super) fn sent_rate(&mut self, now: MediaTime) -> Bitrate {
        self.sent.rate(now)
    }

    /// Why the target changed last.
    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    /// What the network carries, on the wire, for all streams of the transport.
    pub(super) fn estimate(&self) -> Bitrate {
        let followed = |group: &mut Coupling, id| match group.leads(id) {
            true => None,
            false => group.together(id),
        };
        match self.member.with(followed) {
            Some(together) => {
                let all = together.as_bps().saturating_add(self.others().as_bps());
                Bitrate::from_bps(all)
            }
            None => self.controller.target(),
        }
    }

    /// The encoder's.
    pub(super) fn limits(&self) -> Config {
        self.limits
    }

    /// How many streams share the estimate, this one among them.
    pub(super) fn streams(&self) -> usize {
        self.member.with(|group, _| group.streams())
    }

    /// Bytes on the wire for each of the encoder's.
    pub(super) fn factor(&self) -> f64 {
        match self.tuning.mode {
            Mode::Auto => self.overhead.factor(),
            // Steps are of the encoder's rate.
            Mode::FixedStep => 1.0,
        }
    }

    /// The rate on the wire that is nobody's in the group.
    pub(super) fn others(&self) -> Bitrate {
        match self.tuning.mode {
            Mode::Auto => self.overhead.others(),
            Mode::FixedStep => Bitrate::ZERO,
        }
    }

    fn on_wire(&mut self, own: ByteCount, others: ByteCount) {
        // The packets of a brother look like ours or like anybody's.
        if self.streams() <= 1 {
            self.overhead.on_wire(own, others);
        }
    }

    fn adjust_granularity(&mut self) {
        let tuning = &self.tuning;
        match tuning.mode {
            Mode::Auto => self.granularity.set(tuning.step(), tuning.interval()),
            Mode::FixedStep => self.granularity = Granularity::default(),
        }
    }

    fn wire(&self, media: Bitrate) -> Bitrate {
        let own = media.as_bps() as f64 * self.factor();
        Bitrate::from_bps((own as u64).saturating_add(self.others().as_bps()))
    }

    /// Tells the group what we ask for, and the controller what its streams ask for together.
    fn claim(&mut self) {
        let own = |media: Bitrate| media.scaled(self.factor());
        let claim = Claim {
            min: own(self.limits.min),
            max: own(self.limits.max),
            weight: self.tuning.weight,
            priority: self.tuning.priority,
        };
        let group = self.tuning.group.as_deref();
        let other = self.member.join(group, self.transport, claim);
        if other {
            self.allow(self.controller.target());
        }
        let together = self.member.with(|group, id| group.limits(id));
        if let Some((min, max)) = together {
            let others = self.others().as_bps();
            let with = |rate: Bitrate| Bitrate::from_bps(rate.as_bps().saturating_add(others));
            let limits = Config {
                min: with(min),
                max: with(max),
            };
            // Neither is above the other where ours are not.
            let _ = self.controller.set_limits(limits);
        }
    }

    /// What a step of the controller means for the group and for us.
    fn take(&mut self, decision: Option<Decision>, now: MediaTime) {
        let Some(decision) = decision else {
            return;
        };
        self.claim();
        self.reason = decision.reason;
        self.allow(decision.bitrate);
        self.settle(now);
    }

    /// Where ours is the controller of the transport: tells the group what it allows, `all` on the wire.
    fn allow(&self, all: Bitrate) {
        let others = self.others().as_bps();
        let allowed = Bitrate::from_bps(all.as_bps().saturating_sub(others));
        self.member.with(|group, id| {
            if group.leads(id) {
                group.on_allowed(id, allowed);
            }
        });
    }

    fn settle(&mut self, now: MediaTime) {
        let (seen, share, together) = self.member.with(|group, id| {
            let shared = group.leads(id) && group.streams() > 1;
            let together = group.together(id).filter(|_| shared);
            (group.changes(), group.share(id), together)
        });
        self.seen = seen;
        if let Some(together) = together {
            let all = together.as_bps().saturating_add(self.others().as_bps());
            self.controller.assume(Bitrate::from_bps(all));
        }
        let share = share.unwrap_or(self.limits.min).as_bps() as f64;
        let wanted = Bitrate::from_bps((share / self.factor()).round() as u64);
        self.target = self.granularity.settle(wanted, self.limits, now);
    }
}
