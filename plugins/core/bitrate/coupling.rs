//! Several streams that share what the network carries: on one transport, or on several behind one bottleneck.
//!
//! Coupled congestion control for RTP media (RFC 8699): every transport is judged by its own controller, the sum of what
//! they allow is divided among all streams by priority and weight, and each controller goes on from what its streams
//! got. The streams of one transport share one controller, that of its first stream.

use crate::units::{Bitrate, ByteCount};

use super::share::{Claim, Share, divide};

/// Who divides, and what each gets. Bit rates are on the wire, without what is not of the streams.
#[derive(Clone, Debug, Default)]
pub struct Coupling {
    streams: Vec<Stream>,
    /// Reused for each division.
    shares: Vec<Share>,
    changes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    id: u64,
    transport: u64,
    share: Share,
    /// What the transport was last allowed; counts for its first stream only.
    allowed: Bitrate,
    /// Sent and not yet told to the transport's controller.
    sent: ByteCount,
}

impl Coupling {
    /// The stream `id` sends through `transport` and asks for `claim`, from now on.
    pub fn join(&mut self, id: u64, transport: u64, claim: Claim) {
        match self.stream(id) {
            Some(stream) if stream.transport == transport && stream.share.claim == claim => return,
            Some(stream) => {
                stream.transport = transport;
                stream.share.claim = claim;
            }
            None => {
                let stream = Stream {
                    id,
                    transport,
                    share: Share::from(claim),
                    allowed: Bitrate::ZERO,
                    sent: ByteCount::ZERO,
                };
                self.streams.push(stream);
                self.shares.reserve(self.streams.len());
            }
        }
        self.divide();
    }

    /// The stream `id` is no more.
    pub fn leave(&mut self, id: u64) {
        let leads = self.leads(id);
        let left = self.stream(id).copied();
        self.streams.retain(|stream| stream.id != id);
        if let Some(left) = left.filter(|_| leads)
            && let Some(heir) = self
                .streams
                .iter_mut()
                .find(|s| s.transport == left.transport)
        {
            heir.allowed = left.allowed;
        }
        self.divide();
    }

    /// Whether the controller of the stream `id` is the one of its transport.
    pub fn leads(&self, id: u64) -> bool {
        let transport = self.streams.iter().find(|stream| stream.id == id);
        transport.is_some_and(|own| {
            let first = self
                .streams
                .iter()
                .find(|stream| stream.transport == own.transport);
            first.is_some_and(|first| first.id == id)
        })
    }

    /// The stream `id` sends `bytes`. Answers what its transport's streams sent since the last answer, where it leads.
    pub fn on_sent(&mut self, id: u64, bytes: ByteCount) -> Option<ByteCount> {
        let stream = self.stream(id)?;
        stream.sent = plus(stream.sent, bytes);
        let transport = stream.transport;
        if !self.leads(id) {
            return None;
        }
        let own = self
            .streams
            .iter_mut()
            .filter(|stream| stream.transport == transport);
        Some(own.fold(ByteCount::ZERO, |sum, stream| {
            plus(sum, std::mem::replace(&mut stream.sent, ByteCount::ZERO))
        }))
    }

    /// The controller of the stream `id`, which leads, allows its transport `bitrate`. From there on it, and every other,
    /// is to go on from what its streams get [together](Self::together).
    pub fn on_allowed(&mut self, id: u64, bitrate: Bitrate) {
        if let Some(stream) = self.stream(id)
            && stream.allowed != bitrate
        {
            stream.allowed = bitrate;
            self.divide();
        }
    }

    /// What the stream `id` gets.
    pub fn share(&self, id: u64) -> Option<Bitrate> {
        let stream = self.streams.iter().find(|stream| stream.id == id)?;
        Some(stream.share.bitrate)
    }

    /// What the streams of `id`'s transport get together.
    pub fn together(&self, id: u64) -> Option<Bitrate> {
        let stream = self.streams.iter().find(|stream| stream.id == id)?;
        Some(self.used_by(stream.transport))
    }

    /// The sum of the least and of the most that the streams of `id`'s transport ask for.
    pub fn limits(&self, id: u64) -> Option<(Bitrate, Bitrate)> {
        let transport = self.streams.iter().find(|s| s.id == id)?.transport;
        let own = self.streams.iter().filter(|s| s.transport == transport);
        Some(
            own.fold((Bitrate::ZERO, Bitrate::ZERO), |(min, max), stream| {
                let claim = &stream.share.claim;
                (add(min, claim.min), add(max, claim.max))
            }),
        )
    }

    /// Counts divisions: where it stands still, all shares do.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    fn stream(&mut self, id: u64) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.id == id)
    }

    fn used_by(&self, transport: u64) -> Bitrate {
        let own = self.streams.iter().filter(|s| s.transport == transport);
        own.fold(Bitrate::ZERO, |sum, stream| add(sum, stream.share.bitrate))
    }

    /// RFC 8699, 5.3.1: the sum of what the controllers allow, divided; what each transport's streams got is what its
    /// controller is taken to allow from here.
    fn divide(&mut self) {
        self.changes = self.changes.wrapping_add(1);
        let total = self
            .streams
            .iter()
            .fold(Bitrate::ZERO, |sum, stream| add(sum, stream.allowed));
        self.shares.clear();
        self.shares
            .extend(self.streams.iter().map(|stream| stream.share));
        divide(total, &mut self.shares);
        for (stream, share) in self.streams.iter_mut().zip(&self.shares) {
            stream.share = *share;
            stream.allowed = Bitrate::ZERO;
        }
        for at in 0..self.streams.len() {
            let Stream { id, transport, .. } = self.streams[at];
            if self.leads(id) {
                self.streams[at].allowed = self.used_by(transport);
            }
        }
    }
}

fn add(one: Bitrate, other: Bitrate) -> Bitrate {
    Bitrate::from_bps(one.as_bps().saturating_add(other.as_bps()))
}

fn plus(one: ByteCount, other: ByteCount) -> ByteCount {
    ByteCount::new(one.as_u64().saturating_add(other.as_u64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(weight: f64) -> Claim {
        Claim {
            min: Bitrate::from_kbps(100),
            max: Bitrate::from_kbps(8_000),
            weight,
            priority: 0,
        }
    }

    fn kbps(coupling: &Coupling, id: u64) -> u64 {
        coupling.share(id).unwrap_or(Bitrate::ZERO).as_bps() / 1_000
    }

    #[test]
    fn the_streams_of_one_transport_share_the_estimate_of_the_first() {
        let mut coupling = Coupling::default();
        coupling.join(1, 7, claim(1.0));
        coupling.join(2, 7, claim(3.0));
        assert!(coupling.leads(1) && !coupling.leads(2));
        coupling.on_allowed(1, Bitrate::from_kbps(2_000));
        assert_eq!(coupling.together(2), Some(Bitrate::from_kbps(2_000)));
        assert_eq!((kbps(&coupling, 1), kbps(&coupling, 2)), (550, 1_450));
        assert_eq!(
            coupling.limits(2),
            Some((Bitrate::from_kbps(200), Bitrate::from_kbps(16_000)))
        );
        assert_eq!(coupling.on_sent(2, ByteCount::new(5)), None);
        let both = coupling.on_sent(1, ByteCount::new(3));
        assert_eq!(both, Some(ByteCount::new(8)));
    }

    #[test]
    fn transports_behind_one_bottleneck_move_rate_to_the_heavier_stream() {
        let mut coupling = Coupling::default();
        coupling.join(1, 7, claim(1.0));
        coupling.join(2, 8, claim(3.0));
        coupling.on_allowed(1, Bitrate::from_kbps(1_000));
        coupling.on_allowed(2, Bitrate::from_kbps(1_000));
        let sum = kbps(&coupling, 1) + kbps(&coupling, 2);
        assert!(kbps(&coupling, 2) > 2 * kbps(&coupling, 1), "{coupling:?}");
        assert!((1_100..=2_000).contains(&sum), "{coupling:?}");
        let second = coupling.together(2).unwrap_or(Bitrate::ZERO);
        assert_eq!(second.as_bps() / 1_000, kbps(&coupling, 2));
    }

    #[test]
    fn who_leaves_gives_its_part_and_the_estimate_to_the_others() {
        let mut coupling = Coupling::default();
        coupling.join(1, 7, claim(1.0));
        coupling.join(2, 7, claim(1.0));
        coupling.on_allowed(1, Bitrate::from_kbps(2_000));
        coupling.leave(1);
        assert!(coupling.leads(2));
        assert_eq!(kbps(&coupling, 2), 2_000);
        coupling.leave(2);
        assert_eq!(coupling.streams(), 0);
    }
}
