//! What upstream has left of its own buffers, and when to copy a frame so that it has one back.

/// Buffers that upstream should have at hand: one that it fills, and one that the device fills next (v4l2src counts two
/// for itself in the same way).
const AT_HAND: u32 = 2;

/// When frames are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyOut {
    /// Never.
    Never,
    /// While upstream's buffers run low.
    #[default]
    WhenLow,
    /// Every frame.
    Always,
}

/// What upstream has left of its own buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Supply {
    /// It goes on as it likes.
    #[default]
    Enough,
    /// Fewer than it should have at hand.
    Low,
    /// None: it waits until downstream lets one go.
    Dry,
}

/// Decides about each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyPolicy {
    when: CopyOut,
    /// Buffers of upstream that downstream may hold; 0 = by how many upstream has.
    threshold: u32,
}

impl CopyPolicy {
    /// Copies as `when` says. For [`CopyOut::WhenLow`], `threshold` is how many of upstream's buffers may be held
    /// downstream before frames are copied; 0 leaves upstream two of its own.
    pub fn new(when: CopyOut, threshold: u32) -> Self {
        Self { when, threshold }
    }

    /// Whether it matters how many buffers of an upstream are out that has `capacity` of them (`None` = as many as it
    /// likes).
    pub fn counts(&self, capacity: Option<u32>) -> bool {
        // Where all is copied, downstream never holds one.
        self.when != CopyOut::Always && self.allowed(capacity).is_some()
    }

    /// What an upstream that has `capacity` buffers has left once a frame of it has gone downstream, where `held` are held
    /// already.
    pub fn supply(&self, capacity: Option<u32>, held: u32) -> Supply {
        if capacity.is_some_and(|capacity| held.saturating_add(1) >= capacity) {
            return Supply::Dry;
        }
        match self.allowed(capacity) {
            Some(allowed) if held >= allowed => Supply::Low,
            _ => Supply::Enough,
        }
    }

    /// Whether to copy a frame that comes while `held` buffers of upstream are held downstream.
    pub fn copies(&self, capacity: Option<u32>, held: u32) -> bool {
        match self.when {
            CopyOut::Never => false,
            CopyOut::Always => true,
            CopyOut::WhenLow => self
                .allowed(capacity)
                .is_some_and(|allowed| held >= allowed),
        }
    }

    /// How many buffers downstream may hold, where that is limited.
    fn allowed(&self, capacity: Option<u32>) -> Option<u32> {
        if self.threshold > 0 {
            return Some(self.threshold);
        }
        capacity.map(|capacity| capacity.saturating_sub(AT_HAND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_keeps_two_buffers_at_hand() {
        let policy = CopyPolicy::new(CopyOut::WhenLow, 0);
        assert!(!policy.copies(Some(4), 1));
        assert!(policy.copies(Some(4), 2));
        // With two in all, none may be held.
        assert!(policy.copies(Some(2), 0));
        assert!(policy.copies(Some(1), 0));
    }

    #[test]
    fn who_has_as_many_as_it_likes_never_runs_low() {
        let policy = CopyPolicy::new(CopyOut::WhenLow, 0);
        assert!(!policy.counts(None));
        assert!(!policy.copies(None, 1_000));
    }

    #[test]
    fn a_threshold_counts_whatever_upstream_has() {
        let policy = CopyPolicy::new(CopyOut::WhenLow, 3);
        for capacity in [None, Some(2), Some(100)] {
            assert!(policy.counts(capacity));
            assert!(!policy.copies(capacity, 2));
            assert!(policy.copies(capacity, 3));
        }
    }

    #[test]
    fn always_copies_and_needs_no_count() {
        let policy = CopyPolicy::new(CopyOut::Always, 3);
        assert!(!policy.counts(Some(4)));
        assert!(policy.copies(Some(4), 0) && policy.copies(Some(4), 100));
    }

    #[test]
    fn never_copies_nothing_and_still_counts_where_there_is_a_limit() {
        let policy = CopyPolicy::new(CopyOut::Never, 0);
        assert!(policy.counts(Some(4)) && !policy.counts(None));
        assert!(!policy.copies(Some(4), 0) && !policy.copies(Some(4), 100));
        assert!(CopyPolicy::new(CopyOut::Never, 3).counts(None));
    }

    #[test]
    fn supply_falls_from_enough_to_low_to_dry() {
        use Supply::{Dry, Enough, Low};
        let of = |threshold, capacity| {
            let policy = CopyPolicy::new(CopyOut::Never, threshold);
            [0, 1, 2, 3, 4].map(|held| policy.supply(capacity, held))
        };
        assert_eq!(of(0, Some(4)), [Enough, Enough, Low, Dry, Dry]);
        assert_eq!(of(0, None), [Enough; 5]);
        assert_eq!(of(3, None), [Enough, Enough, Enough, Low, Low]);
        assert_eq!(of(1, Some(4)), [Enough, Low, Low, Dry, Dry]);
        assert_eq!(of(0, Some(1)), [Dry; 5]);
    }
}
