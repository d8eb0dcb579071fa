//! How many buffers a pool needs: the most that were out at once lately.

use std::time::Duration;

use crate::time::MediaTime;

/// Parts of the window; what was seen is forgotten part by part, so the window is up to an eighth shorter than asked.
const PARTS: usize = 8;

/// The most buffers that were out at once in the last while: what a pool may shrink to without a cost. A stall makes it
/// rise at once; a window after the stall it is forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    part: Duration,
    /// The most that were out in each part, the current one first.
    most: [u32; PARTS],
    /// When the current part began.
    began: MediaTime,
    out: u32,
}

impl Demand {
    /// Remembers for `window`; a window of zero never forgets.
    pub fn new(window: Duration) -> Self {
        Self {
            part: window / PARTS as u32,
            most: [0; PARTS],
            began: MediaTime::ZERO,
            out: 0,
        }
    }

    /// Now `out` buffers are out.
    pub fn on_outstanding(&mut self, out: u32, now: MediaTime) {
        self.forget(now);
        self.out = out;
        self.most[0] = self.most[0].max(out);
    }

    /// The most buffers that were out at once in the window that ends `now`.
    pub fn most(&mut self, now: MediaTime) -> u32 {
        self.forget(now);
        self.most.iter().copied().max().unwrap_or(self.out)
    }

    /// Begins as many new parts as time has passed; in each of them at least those are out that were before.
    fn forget(&mut self, now: MediaTime) {
        if self.part.is_zero() {
            return;
        }
        let passed = now.since(self.began).as_nanos() / self.part.as_nanos();
        if passed >= PARTS as u128 {
            self.most = [self.out; PARTS];
            self.began = now;
            return;
        }
        for _ in 0..passed {
            self.most.rotate_right(1);
            self.most[0] = self.out;
            self.began = self.began.after(self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(2);

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(10_000 + millis)
    }

    #[test]
    fn a_stall_is_remembered_for_the_window_and_then_forgotten() {
        let mut demand = Demand::new(WINDOW);
        demand.on_outstanding(60, at(0));
        demand.on_outstanding(2, at(10));
        assert_eq!(demand.most(at(1_900)), 60);
        assert_eq!(demand.most(at(2_300)), 2);
    }

    #[test]
    fn buffers_that_stay_out_count_however_long_ago_they_went() {
        let mut demand = Demand::new(WINDOW);
        demand.on_outstanding(7, at(0));
        assert_eq!(demand.most(at(3_600_000)), 7);
    }

    #[test]
    fn without_a_window_nothing_is_forgotten() {
        let mut demand = Demand::new(Duration::ZERO);
        demand.on_outstanding(9, at(0));
        demand.on_outstanding(0, at(1));
        assert_eq!(demand.most(at(3_600_000)), 9);
    }

    proptest! {
        #[test]
        fn it_is_never_below_what_is_out_nor_above_what_was(
            steps in prop::collection::vec((0..700_u64, 0..100_u32), 1..100),
        ) {
            let mut demand = Demand::new(WINDOW);
            let mut seen: Vec<(u64, u32)> = Vec::new();
            let mut millis = 0;
            for (pause, out) in steps {
                millis += pause;
                demand.on_outstanding(out, at(millis));
                seen.push((millis, out));
                let most = demand.most(at(millis));
                let within = |window: u64| {
                    // What was out when the window began was out in it, too.
                    let start = millis.saturating_sub(window);
                    let before = seen.iter().rev().find(|(when, _)| *when <= start);
                    let during = seen.iter().filter(|(when, _)| *when > start);
                    during.chain(before).map(|(_, out)| *out).max().unwrap_or(0)
                };
                prop_assert!(most >= within(1_750), "{most} < {}", within(1_750));
                prop_assert!(most <= within(2_000), "{most} > {}", within(2_000));
            }
        }
    }
}
