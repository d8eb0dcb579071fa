//! What the packets say of the path: how long its queue is, what it delivers, how long the way there and back takes.

use std::time::Duration;

use crate::time::MediaTime;

use super::super::window::WindowedMin;
use super::bursts::{Burst, Bursts, later, one_way};
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

#[derive(Clone, Debug)]
pub(super) struct Path {
    bursts: Bursts,
    /// Shortest one-way delay; without its epoch it means nothing.
    base: WindowedMin<i64>,
    last_delay: Option<i64>,
    rtt: Option<Duration>,
}

impl Path {
    pub(super) fn new() -> Self {
        Self {
            bursts: Bursts::new(),
            base: WindowedMin::new(BASE_WINDOW),
            last_delay: None,
            rtt: None,
        }
    }

    pub(super) fn on_arrival(&mut self, packet: &PacketResult, arrived: MediaTime, now: MediaTime) {
        let delay = one_way(packet, arrived);
        let jump = |last: i64| delay.wrapping_sub(last).unsigned_abs() > JUMP.as_nanos() as u64;
        if self.last_delay.replace(delay).is_some_and(jump) {
            self.bursts.clear();
            self.base.clear();
        }
        self.base.update(delay, now);
        self.bursts.on_arrival(packet, arrived);
        let rtt = now.checked_since(packet.departed);
        self.rtt = rtt.filter(|rtt| *rtt <= ABSURD).or(self.rtt);
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Bits per second that arrived lately.
    pub(super) fn delivered(&self) -> Option<f64> {
        self.bursts.delivered(DELIVERY)
    }

    /// The queue that no burst of the last `window` found shorter (RFC 8289, section 3.1: the standing queue).
    pub(super) fn standing(&self, window: Duration) -> Option<Duration> {
        let newest = self.bursts.newest_first().next()?;
        let from = newest.departed().before(window);
        let lately = self.bursts.newest_first();
        let lately = lately.take_while(|burst| burst.departed() >= from);
        lately.map(|burst| self.queue(burst.first_delay)).min()
    }

    /// The queue that the newest packets found.
    pub(super) fn newest(&self) -> Option<&Burst> {
        self.bursts.newest_first().next()
    }

    pub(super) fn queue(&self, delay: i64) -> Duration {
        let base = self.base.min().unwrap_or(delay);
        let above = delay.wrapping_sub(base).max(0);
        Duration::from_nanos(above.unsigned_abs())
    }
}
