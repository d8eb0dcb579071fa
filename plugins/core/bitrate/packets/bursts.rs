//! Packets that left together: a frame, or the part of one that a pacer lets go at once.
//!
//! The first packet of a burst shows the queue that others, or we before, have left in the path; what comes after it
//! waits for its own frame too, and shows how fast the path takes packets that follow each other closely.

use std::time::Duration;

use crate::time::MediaTime;

use super::result::PacketResult;

/// Packets that leave closer than this to each other are one burst (draft-ietf-rmcat-gcc-02, section 5.2: 5 ms) ...
const GAP: Duration = Duration::from_millis(5);
/// ... unless that goes on for longer than half a frame of 60 a second, as a pacer does.
const LONGEST: Duration = Duration::from_millis(8);
/// Packets that left so much before the newest are of another clock.
const BACKWARDS: Duration = Duration::from_secs(2);
/// Bursts that are remembered: 0.6 s of the shortest ones, and a power of two.
const REMEMBERED: usize = 128;

/// Times of arrival are nanoseconds of the receiver's clock; they and one-way delays are only ever subtracted from
/// each other, wrapping, so the clock may have any epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Burst {
    first_departed: MediaTime,
    last_departed: MediaTime,
    first_arrived: u64,
    last_arrived: u64,
    /// One-way delay of the first packet.
    pub(super) first_delay: i64,
    /// The longest one-way delay: of the last packet, where they keep their order.
    pub(super) last_delay: i64,
    bytes: u64,
    first_bytes: u64,
}

impl Burst {
    fn of(packet: &PacketResult, arrived: MediaTime) -> Self {
        let delay = one_way(packet, arrived);
        Self {
            first_departed: packet.departed,
            last_departed: packet.departed,
            first_arrived: arrived.as_nanos(),
            last_arrived: arrived.as_nanos(),
            first_delay: delay,
            last_delay: delay,
            bytes: packet.size.as_u64(),
            first_bytes: packet.size.as_u64(),
        }
    }

    fn takes(&self, departed: MediaTime) -> bool {
        departed >= self.first_departed
            && departed.since(self.last_departed) <= GAP
            && departed.since(self.first_departed) <= LONGEST
    }

    fn add(&mut self, packet: &PacketResult, arrived: MediaTime) {
        let arrived_at = arrived.as_nanos();
        if later(arrived_at, self.last_arrived) > 0 {
            self.last_arrived = arrived_at;
        }
        self.last_departed = self.last_departed.max(packet.departed);
        self.last_delay = self.last_delay.max(one_way(packet, arrived));
        self.bytes = self.bytes.saturating_add(packet.size.as_u64());
    }

    pub(super) fn departed(&self) -> MediaTime {
        self.first_departed
    }

    /// From the first packet of `earlier` to the first of this.
    pub(super) fn arrived_after(&self, earlier: &Self) -> Duration {
        between(self.first_arrived, earlier.first_arrived)
    }

    /// From the first packet of `earlier` to the last of this.
    pub(super) fn ended_after(&self, earlier: &Self) -> Duration {
        between(self.last_arrived, earlier.first_arrived)
    }

    pub(super) fn bits(&self) -> f64 {
        self.bytes as f64 * 8.0
    }

    pub(super) fn first_bits(&self) -> f64 {
        self.first_bytes as f64 * 8.0
    }

    /// What came after the first packet, in bits.
    pub(super) fn bits_spread(&self) -> f64 {
        self.bytes.saturating_sub(self.first_bytes) as f64 * 8.0
    }
}

/// Nanoseconds from `earlier` to `at`.
const fn later(at: u64, earlier: u64) -> i64 {
    at.wrapping_sub(earlier).cast_signed()
}

fn between(at: u64, earlier: u64) -> Duration {
    Duration::from_nanos(later(at, earlier).max(0).unsigned_abs())
}

pub(super) const fn one_way(packet: &PacketResult, arrived: MediaTime) -> i64 {
    later(arrived.as_nanos(), packet.departed.as_nanos())
}

/// The last bursts, in the order of their departure.
#[derive(Clone, Debug)]
pub(super) struct Bursts {
    ring: Box<[Burst; REMEMBERED]>,
    /// Bursts ever begun.
    begun: u64,
}

impl Bursts {
    pub(super) fn new() -> Self {
        Self {
            ring: Box::new([Burst::default(); REMEMBERED]),
            begun: 0,
        }
    }

    /// Takes in a packet that arrived.
    pub(super) fn on_arrival(&mut self, packet: &PacketResult, arrived: MediaTime) {
        if let Some(newest) = self.newest_mut() {
            if newest.takes(packet.departed) {
                newest.add(packet, arrived);
                return;
            }
            if newest.first_departed.since(packet.departed) > BACKWARDS {
                self.begun = 0;
            } else if packet.departed < newest.first_departed {
                // Late, and its burst is done with.
                return;
            }
        }
        self.ring[slot(self.begun)] = Burst::of(packet, arrived);
        self.begun += 1;
    }

    pub(super) fn clear(&mut self) {
        self.begun = 0;
    }

    /// From the newest on, backwards.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Burst> {
        let remembered = self.begun.min(REMEMBERED as u64);
        (1..=remembered).map(|back| &self.ring[slot(self.begun - back)])
    }

    /// What arrives, in bit/s, over the last `window` of the receiver's time: from the head of one burst to the head
    /// of another, so that neither a frame more or less nor its length counts.
    pub(super) fn delivered(&self, window: Duration) -> Option<f64> {
        let mut bursts = self.newest_first();
        let newest = bursts.next()?;
        let (mut bits, mut span) = (0.0, Duration::ZERO);
        for burst in bursts {
            bits += burst.bits();
            span = newest.arrived_after(burst);
            if span >= window {
                break;
            }
        }
        (!span.is_zero()).then(|| bits / span.as_secs_f64())
    }

    fn newest_mut(&mut self) -> Option<&mut Burst> {
        let newest = self.begun.checked_sub(1)?;
        Some(&mut self.ring[slot(newest)])
    }
}

const fn slot(number: u64) -> usize {
    (number % REMEMBERED as u64) as usize
}
