//! Says when a limit on the latency is broken and when it holds again.

use std::time::Duration;

/// The limit holds again where the value is at or under this part of it: a value that trembles around the limit
/// must not report on every interval.
const RESTORED_PERCENT: u32 = 90;

/// Whether the limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaState {
    /// The value went over the limit.
    Violated,
    /// The value came back to 90 % of the limit or less.
    Restored,
}

/// The limit broke or holds again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlaChange {
    /// What happened.
    pub state: SlaState,
    /// The value that made it happen.
    pub value: Duration,
    /// The limit.
    pub limit: Duration,
}

/// Watches one limit.
#[derive(Debug, Default)]
pub struct SlaMonitor {
    limit: Option<Duration>,
    violated: bool,
}

impl SlaMonitor {
    /// Watches `limit`; `None` never breaks.
    pub const fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            violated: false,
        }
    }

    /// Watches `limit` from now on. The limit that was broken stays so until a value says otherwise, except that no
    /// limit cannot be broken.
    pub fn set_limit(&mut self, limit: Option<Duration>) {
        self.limit = limit;
        self.violated &= limit.is_some();
    }

    /// The limit.
    pub const fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Whether one value is over the limit.
    pub fn is_over(&self, value: Duration) -> bool {
        self.limit.is_some_and(|limit| value > limit)
    }

    /// Takes in the value of an interval; answers where that changes the state.
    pub fn on_value(&mut self, value: Duration) -> Option<SlaChange> {
        let limit = self.limit?;
        let state = if self.violated {
            (value <= limit * RESTORED_PERCENT / 100).then_some(SlaState::Restored)
        } else {
            (value > limit).then_some(SlaState::Violated)
        }?;
        self.violated = state == SlaState::Violated;
        Some(SlaChange {
            state,
            value,
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(monitor: &mut SlaMonitor, values: &[u64]) -> Vec<Option<SlaState>> {
        let values = values.iter().copied().map(Duration::from_millis);
        let changes = values.map(|value| monitor.on_value(value));
        changes.map(|change| Some(change?.state)).collect()
    }

    #[test]
    fn a_limit_breaks_once_and_holds_again_ten_percent_below() {
        let mut monitor = SlaMonitor::new(Some(Duration::from_millis(100)));
        assert_eq!(
            states(&mut monitor, &[100, 101, 150, 95, 91, 90, 100]),
            [
                None,
                Some(SlaState::Violated),
                None,
                None,
                None,
                Some(SlaState::Restored),
                None
            ]
        );
    }

    #[test]
    fn no_limit_never_breaks() {
        let mut monitor = SlaMonitor::new(None);
        assert_eq!(states(&mut monitor, &[u64::MAX / 1_000_000]), [None]);
        assert!(!monitor.is_over(Duration::MAX));
    }

    #[test]
    fn a_limit_taken_away_is_forgotten() {
        let limit = Some(Duration::from_millis(100));
        let mut monitor = SlaMonitor::new(limit);
        assert_eq!(states(&mut monitor, &[200]), [Some(SlaState::Violated)]);
        monitor.set_limit(None);
        monitor.set_limit(limit);
        assert_eq!(
            states(&mut monitor, &[50, 200]),
            [None, Some(SlaState::Violated)]
        );
    }

    #[test]
    fn a_limit_that_is_raised_is_restored_by_the_next_value() {
        let mut monitor = SlaMonitor::new(Some(Duration::from_millis(100)));
        assert_eq!(states(&mut monitor, &[200]), [Some(SlaState::Violated)]);
        monitor.set_limit(Some(Duration::from_millis(300)));
        assert_eq!(states(&mut monitor, &[200]), [Some(SlaState::Restored)]);
    }
}
