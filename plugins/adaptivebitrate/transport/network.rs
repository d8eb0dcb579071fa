//! The transports of one element, and what they told that was not judged yet.

use std::sync::Arc;
use std::time::Duration;

use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::twcc::{self, Twcc};
use super::{Found, Inbox, Input, Kind, Push, Rounds, Transport};

/// Feedback on packets is what rules until it was missing for that long (three of RTCP's regular intervals).
const TWCC_RULES: Duration = Duration::from_secs(15);
/// A push of this length is no ordinary one: judge without waiting for the next buffer.
const STALLED: Duration = Duration::from_millis(100);

/// Part of the element's state.
#[derive(Debug, Default)]
pub(in super::super) struct Network {
    transports: Vec<Transport>,
    since: MediaTime,
    inbox: Arc<Inbox>,
    twcc: Twcc,
    twcc_heard: Option<MediaTime>,
    push: Option<(Push, MediaTime)>,
    /// Runs while a transport has to be asked.
    rounds: Option<Rounds>,
}

impl Network {
    pub(in super::super) fn inbox(&self) -> Arc<Inbox> {
        self.inbox.clone()
    }

    /// These are the transports that were `found`.
    pub(in super::super) fn is(&self, found: &[Found]) -> bool {
        let same = self.transports.iter().zip(found).all(|(t, f)| t.is(f));
        same && self.transports.len() == found.len()
    }

    /// Takes in the transports of a search, and the rounds to ask them; gives back those before.
    pub(in super::super) fn replace(
        &mut self,
        transports: Vec<Transport>,
        rounds: Option<Rounds>,
        now: MediaTime,
    ) -> Vec<Transport> {
        self.since = now;
        self.twcc = Twcc::default();
        self.twcc_heard = None;
        self.rounds = rounds;
        std::mem::replace(&mut self.transports, transports)
    }

    /// The session tells what became of its packets. Comes on the thread that receives RTCP.
    pub(in super::super) fn on_twcc(&mut self, event: &gst::StructureRef, now: MediaTime) {
        let Some(packets) = twcc::packets(event) else {
            return;
        };
        let ours = self.transports.iter().find_map(Transport::payload_type);
        let packets = self.twcc.take_in(packets, ours, now);
        if !packets.results.is_empty() {
            self.twcc_heard = Some(now);
            self.inbox.put(Input::Packets(packets), now);
        }
    }

    /// A buffer of ours, with its running time, is about to go its way.
    pub(in super::super) fn on_buffer(&mut self, size: ByteCount, media: Option<MediaTime>) {
        self.push = None;
        for transport in &self.transports {
            transport.on_passed(size, media);
        }
    }

    /// Somebody wants to know how long our pushes take.
    pub(in super::super) fn times_pushes(&self) -> bool {
        self.rounds.is_some()
    }

    pub(in super::super) fn on_push(&mut self, push: Push, now: MediaTime) {
        self.push = Some((push, now));
    }

    /// The push under way has returned at the running time `running`.
    pub(in super::super) fn on_returned(&mut self, running: Option<MediaTime>, now: MediaTime) {
        if let Some(((push, _), running)) = self.push.take().zip(running) {
            for transport in &self.transports {
                transport.on_returned(push, running, now);
            }
        }
    }

    pub(in super::super) fn on_flush(&mut self) {
        self.push = None;
        for transport in &self.transports {
            transport.on_flush();
        }
    }

    /// Whom to ask, and the push under way.
    pub(in super::super) fn asked(&self) -> (Vec<Transport>, Option<Push>) {
        let asked = self.transports.iter().filter(|t| t.is_asked());
        (asked.cloned().collect(), self.push.map(|(push, _)| push))
    }

    /// No buffer passes, for the last one is still on its way.
    pub(in super::super) fn is_stalled(&self, now: MediaTime) -> bool {
        self.push
            .is_some_and(|(_, began)| now.since(began) > STALLED)
    }

    /// The oldest feedback that was not judged yet, and when it came.
    pub(in super::super) fn take(&self) -> Option<(Input, MediaTime)> {
        self.inbox.take()
    }

    /// What tells of the network.
    pub(in super::super) fn kind(&self, now: MediaTime) -> Kind {
        let twcc = self.twcc_heard.map(|heard| now.since(heard));
        if twcc.is_some_and(|age| age < TWCC_RULES) {
            return Kind::Twcc;
        }
        let kinds = self.transports.iter().map(Transport::kind);
        kinds.min_by_key(|kind| *kind as u8).unwrap_or(Kind::None)
    }

    /// What the first transport is known by in this process.
    pub(in super::super) fn address(&self) -> Option<u64> {
        self.transports.first().and_then(Transport::address)
    }

    /// The names of the elements that tell.
    pub(in super::super) fn names(&self) -> String {
        if self.transports.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<_> = self.transports.iter().map(Transport::name).collect();
        names.join(",")
    }

    /// How long a session that should report by itself has been known.
    pub(in super::super) fn waits_for_reports(&self, now: MediaTime) -> Option<Duration> {
        let kind = self.kind(now);
        matches!(kind, Kind::Rtcp | Kind::Rist).then(|| now.since(self.since))
    }
}
