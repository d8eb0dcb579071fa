//! When to copy a frame so that upstream has its buffer back.

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
        self.when == CopyOut::WhenLow && self.allowed(capacity).is_some()
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
    fn always_and_never_need_no_count() {
        for (when, copied) in [(CopyOut::Always, true), (CopyOut::Never, false)] {
            let policy = CopyPolicy::new(when, 3);
            assert!(!policy.counts(Some(4)));
            assert_eq!(policy.copies(Some(4), 0), copied);
            assert_eq!(policy.copies(Some(4), 100), copied);
        }
    }
}
