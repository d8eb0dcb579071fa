//! What the packets say of the path: how long its queue is, what it delivers, how long the way there and back takes.

use std::time::Duration;

use crate::time::MediaTime;

use super::super::window::WindowedMin;
use super::bursts::{Bursts, one_way};
use super::result::PacketResult;

/// The path without a queue is the shortest one-way delay of this time. Clocks that drift apart by 100 ppm, which is
/// more than crystals do, move it by 3 ms.
const BASE_WINDOW: Duration = Duration::from_secs(30);
/// One-way delays further apart than this are another clock, not another queue.
const JUMP: Duration = Duration::from_secs(10);
/// Longer round trips are a lie.
const ABSURD: Duration = Duration::from_secs(10);
/// What arrives is measured over this: twelve frames of 30 a second.
const DELIVERY: Duration = Duration::from_millis(400);

/// A queue is a standing one when four frames of 30 a second found it (RFC 8289, section 4.2: about 100 ms).
const STANDING: Duration = Duration::from_millis(110);
/// A burst that waited that long found the path busy.
const BUSY: Duration = Duration::from_millis(5);
/// A rate over less than this is that of a few packets.
const LEAST_BUSY: Duration = Duration::from_millis(50);

/// Nothing is divided by less: 1 kbit/s, the least that any encoder takes.
const LEAST_RATE: f64 = 1_000.0;

/// The path, as the newest packets show it. Rates are bit/s.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// What arrived lately.
    pub(super) delivered: f64,
    /// What arrived since the path is busy.
    pub(super) busy: f64,
    /// The queue that all bursts found lately.
    pub(super) standing: Duration,
    /// The queue that the newest burst found.
    pub(super) head: Duration,
    /// How much longer its end took than its size and the queue explain.
    pub(super) jam: Duration,
}

impl View {
    /// What a path with a queue carries. It was less lately where it was not always busy, and more where it has become
    /// narrower: the newest and least counts.
    pub(super) fn capacity(&self) -> f64 {
        self.busy.min(self.delivered)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Path {
    bursts: Bursts,
    /// Shortest one-way delay; without its epoch it means nothing.
    base: WindowedMin<i64>,
    last_delay: Option<i64>,
    rtt: Option<Duration>,
    /// The time by which [`Self::base`] ages.
    age: MediaTime,
}

impl Path {
    pub(super) fn new() -> Self {
        Self {
            bursts: Bursts::new(),
            base: WindowedMin::new(BASE_WINDOW),
            last_delay: None,
            rtt: None,
            age: MediaTime::ZERO,
        }
    }

    pub(super) fn on_arrival(&mut self, packet: &PacketResult, arrived: MediaTime, now: MediaTime) {
        let delay = one_way(packet, arrived);
        let jump = |last: i64| delay.wrapping_sub(last).unsigned_abs() > JUMP.as_nanos() as u64;
        if self.last_delay.replace(delay).is_some_and(jump) {
            self.bursts.clear();
            self.base.clear();
        }
        self.base.update(delay, self.age);
        self.bursts.on_arrival(packet, arrived);
        let rtt = now.checked_since(packet.departed);
        self.rtt = rtt.filter(|rtt| *rtt <= ABSURD).or(self.rtt);
    }

    /// `passed` of the time has gone by that makes old delays void.
    pub(super) fn on_time(&mut self, passed: Duration) {
        self.age = self.age.after(passed);
    }

    /// The delay is the path's own from now on.
    pub(super) fn accept(&mut self) {
        self.base.clear();
        if let Some(delay) = self.last_delay {
            self.base.update(delay, self.age);
        }
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Bits per second that arrived lately.
    pub(super) fn delivered(&self) -> Option<f64> {
        self.bursts.delivered(DELIVERY)
    }

    /// What the newest packets say.
    pub(super) fn view(&self) -> Option<View> {
        let newest = self.bursts.newest_first().next()?;
        let delivered = self.delivered()?.max(LEAST_RATE);
        let head = self.queue(newest.first_delay);
        let own = Duration::from_secs_f64((newest.bits() / delivered).min(1.0));
        Some(View {
            delivered,
            busy: self.busy_rate().unwrap_or(delivered),
            standing: self.standing(STANDING),
            head,
            jam: self.queue(newest.last_delay).saturating_sub(head.max(own)),
        })
    }

    /// The queue that no burst of the last `window` found shorter (RFC 8289, section 3.1: the standing queue).
    fn standing(&self, window: Duration) -> Duration {
        let mut bursts = self.bursts.newest_first();
        let Some(newest) = bursts.next() else {
            return Duration::ZERO;
        };
        let from = newest.departed().before(window);
        let lately = bursts.take_while(|burst| burst.departed() >= from);
        let least = lately.map(|burst| self.queue(burst.first_delay)).min();
        least
            .unwrap_or_default()
            .min(self.queue(newest.first_delay))
    }

    /// What the path delivers while it is busy, which is what it can: from the first burst that found a queue to the
    /// end of the last one.
    fn busy_rate(&self) -> Option<f64> {
        let mut bursts = self.bursts.newest_first();
        let newest = bursts.next()?;
        let (mut bits, mut since) = (newest.bits_spread(), newest);
        for burst in bursts {
            if self.queue(burst.first_delay) < BUSY || newest.arrived_after(burst) > DELIVERY {
                break;
            }
            if self.queue(since.first_delay) < BUSY {
                break;
            }
            bits += burst.bits_spread() + since.first_bits();
            since = burst;
        }
        let span = newest.ended_after(since);
        (span >= LEAST_BUSY).then(|| bits / span.as_secs_f64())
    }

    pub(super) fn queue(&self, delay: i64) -> Duration {
        let base = self.base.min().unwrap_or(delay);
        let above = delay.wrapping_sub(base).max(0);
        Duration::from_nanos(above.unsigned_abs())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::units::ByteCount;

    /// Frames of three packets, 30 a second, over a path that takes `packet_ms` for each.
    fn feed(path: &mut Path, frames: u64, packet_ms: u64, epoch: u64) {
        for packet in 0..frames * 3 {
            let departed = MediaTime::from_millis(packet / 3 * 33);
            let behind = MediaTime::from_millis((packet + 1) * packet_ms);
            let alone = departed.after(Duration::from_millis((packet % 3 + 1) * packet_ms));
            let nanos = behind.max(alone).as_nanos().wrapping_add(epoch);
            let result = PacketResult {
                sequence: packet,
                departed,
                arrived: Some(MediaTime::from_nanos(nanos)),
                size: ByteCount::new(1_200),
            };
            path.on_time(Duration::from_millis(11));
            path.on_arrival(&result, MediaTime::from_nanos(nanos), departed);
        }
    }

    #[test]
    fn a_frame_that_waits_for_itself_alone_is_no_queue() {
        let mut path = Path::new();
        feed(&mut path, 30, 10, 0);
        let view = path.view().unwrap();
        assert_eq!((view.standing, view.jam), (Duration::ZERO, Duration::ZERO));
        let sent = 3.0 * 9_600.0 / 0.033;
        assert!((view.delivered / sent - 1.0).abs() < 0.01, "{view:?}");
    }

    #[test]
    fn a_queue_grows_and_what_comes_out_of_it_is_the_capacity() {
        for epoch in [0, u64::MAX - 50_000_000] {
            let mut path = Path::new();
            feed(&mut path, 30, 12, epoch);
            let view = path.view().unwrap();
            let grown = (29 - 3) * 3;
            assert_eq!(view.standing, Duration::from_millis(grown), "{epoch}");
            let capacity = 9_600.0 / 0.012;
            assert!((view.capacity() / capacity - 1.0).abs() < 0.02, "{view:?}");
        }
    }

    #[test]
    fn another_clock_is_not_another_queue() {
        let mut path = Path::new();
        feed(&mut path, 30, 10, 0);
        feed(&mut path, 30, 10, 3_600_000_000_000);
        assert_eq!(path.view().unwrap().standing, Duration::ZERO);
    }

    #[test]
    fn a_longer_way_can_be_accepted() {
        let mut path = Path::new();
        feed(&mut path, 30, 12, 0);
        path.accept();
        assert!(path.view().unwrap().standing < Duration::from_millis(25));
    }
}
