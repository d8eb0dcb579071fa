//! What the path was found to carry, and how fast to rise towards it and past it.

/// A drained path gets this much of its capacity at once. The rest is the margin in which frames of uneven size pass
/// without a queue.
const SNAP_BACK: f64 = 0.95;
/// Far from any known capacity the target doubles in a second (slow start, RFC 5681, at the pace of an encoder).
const FAST: f64 = 2.0;
/// Near the capacity the target rises by this many bit/s in a second for the root of each (bit/s)²: at 1 Mbit/s by
/// 8 % of it, at 4 Mbit/s by 4 %. That the root decides makes flows that share a path equal in time (binomial
/// congestion control, Bansal and Balakrishnan, INFOCOM 2001).
const BELOW: f64 = 80.0;
/// Above it, where a queue begins, four times slower (sweep "constant": 95 of 100 packets wait under 45 ms).
const ABOVE: f64 = 20.0;
/// The capacity is more than was thought when the path has delivered this much more than it could have: 10 ms and one
/// and a half packets. A token bucket (tbf) saves up as much (sweep "0.6 Mbit/s behind a bucket of 3200 bytes") ...
const BEYOND: f64 = 0.010;
const BEYOND_BITS: f64 = 1.5 * 1_200.0 * 8.0;
/// ... and how much more it is, nobody knows: the pace is full an eighth above, and a tenth of that to begin with.
const PASSED: f64 = 8.0;
const PASSED_LEAST: f64 = 0.1;

#[derive(Clone, Debug, Default)]
pub(super) struct Capacity {
    /// Bit/s; `None` before the first congestion, and since the path proved that it carries more.
    known: Option<f64>,
    /// The capacity that turned out to be too low.
    passed: Option<f64>,
    /// What the path has delivered beyond the known capacity, in seconds of it.
    beyond: f64,
}

impl Capacity {
    pub(super) fn known(&self) -> Option<f64> {
        self.known
    }

    /// The path carries `rate` and no more.
    pub(super) fn on_congestion(&mut self, rate: f64) {
        self.known = Some(rate);
        self.passed = None;
        self.beyond = 0.0;
    }

    /// The path is another one, or another company is on it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What a drained path may be given at once.
    pub(super) fn snap_back(&self) -> Option<f64> {
        Some(SNAP_BACK * self.known?)
    }

    /// `delivered` (bit/s) arrived over `seconds`, and a queue of `queue` seconds stands.
    pub(super) fn on_delivery(&mut self, delivered: f64, queue: f64, seconds: f64) {
        let Some(known) = self.known else {
            return;
        };
        self.beyond = (self.beyond + (delivered / known - 1.0) * seconds).max(0.0);
        if self.beyond > BEYOND + BEYOND_BITS / delivered + queue {
            self.passed = self.known.take();
            self.beyond = 0.0;
        }
    }

    /// The target after `seconds`. `room` is 1 where no queue stands and 0 where it is as long as it may be.
    pub(super) fn raise(&self, target: f64, delivered: f64, room: f64, seconds: f64) -> f64 {
        let passed = self.passed.filter(|passed| target > SNAP_BACK * passed);
        let pace = passed.map_or(1.0, |passed| {
            (PASSED * (delivered / passed - 1.0)).clamp(PASSED_LEAST, 1.0)
        });
        let fast = target * FAST.powf(seconds * room * pace);
        let Some(known) = self.known else {
            return fast;
        };
        let slope = if target > known { ABOVE } else { BELOW };
        let near = target + slope * target.sqrt() * seconds * room;
        near.max(fast.min(SNAP_BACK * known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_fast_to_what_is_known_and_slowly_there() {
        let mut capacity = Capacity::default();
        assert_eq!(capacity.raise(1e6, 1e6, 1.0, 1.0), 2e6);
        capacity.on_congestion(2e6);
        assert_eq!(capacity.raise(1e6, 1e6, 1.0, 1.0), 1.9e6);
        let near = capacity.raise(1.9e6, 1.9e6, 1.0, 1.0);
        assert!((1.92e6..2.02e6).contains(&near), "{near}");
        let above = capacity.raise(2.1e6, 2e6, 1.0, 1.0);
        assert!((2.11e6..2.14e6).contains(&above), "{above}");
        assert_eq!(capacity.raise(2.1e6, 2e6, 0.0, 1.0), 2.1e6);
    }

    #[test]
    fn a_path_that_delivers_more_without_a_queue_has_more() {
        let mut capacity = Capacity::default();
        capacity.on_congestion(1e6);
        for _ in 0..30 {
            capacity.on_delivery(1.0e6, 0.0, 0.033);
        }
        assert_eq!(capacity.known(), Some(1e6));
        for _ in 0..30 {
            capacity.on_delivery(1.05e6, 0.040, 0.033);
        }
        assert_eq!(capacity.known(), Some(1e6), "the queue explains it");
        capacity.on_delivery(1.05e6, 0.0, 0.033);
        assert_eq!(capacity.known(), None);
    }
}
