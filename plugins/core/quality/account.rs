//! How long each rung held, and what kept the video below its best for how long.

use std::time::Duration;

use crate::time::MediaTime;

/// What is said where nothing limits the quality, as WebRTC's `qualityLimitationReason` does.
const UNLIMITED: &str = "none";

/// Keeps the times of one run.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The names of the rungs, the best first, and how long each held up to `since`.
    rungs: Vec<(String, Duration)>,
    /// How long each reason kept the quality down up to `since`.
    limits: Vec<(&'static str, Duration)>,
    /// How often each reason changed the rung.
    switches: Vec<(&'static str, u64)>,
    /// The rung that holds, and since when the times are to be added to.
    at: Option<(usize, MediaTime)>,
    /// Since when the rung holds.
    began: MediaTime,
    limit: Option<&'static str>,
}

impl Account {
    /// Nothing was spent on these rungs yet.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let rungs = names.into_iter().map(|name| (name, Duration::ZERO));
        Self {
            rungs: rungs.collect(),
            ..Self::default()
        }
    }

    /// The rung `to` holds from now on because of `reason`; `best` is the best that there is. Answers how long the one
    /// before held.
    pub fn on_rung(
        &mut self,
        to: usize,
        best: bool,
        reason: &'static str,
        now: MediaTime,
    ) -> Option<Duration> {
        self.settle(now);
        let before = self.at.replace((to, now));
        if before.is_none_or(|(rung, _)| to > rung) {
            self.limit = Some(reason);
        }
        if best {
            self.limit = None;
        }
        let held = before.map(|_| now.since(self.began));
        self.began = now;
        if before.is_some() {
            add(&mut self.switches, reason, 1);
        }
        held
    }

    /// How long each rung has held, the best first; only those that did.
    pub fn times(&self, now: MediaTime) -> Vec<(String, Duration)> {
        let mut now_too = self.clone();
        now_too.settle(now);
        let held = now_too
            .rungs
            .into_iter()
            .filter(|(_, time)| !time.is_zero());
        held.collect()
    }

    /// How long each reason has kept the quality down, `none` for how long nothing did.
    pub fn limits(&self, now: MediaTime) -> Vec<(String, Duration)> {
        let mut now_too = self.clone();
        now_too.settle(now);
        let limits = now_too.limits.into_iter();
        limits
            .map(|(reason, time)| (reason.to_owned(), time))
            .collect()
    }

    /// How often each reason changed the rung.
    pub fn switches(&self) -> Vec<(String, u64)> {
        let switches = self.switches.iter();
        switches
            .map(|(reason, count)| ((*reason).to_owned(), *count))
            .collect()
    }

    /// Adds what passed up to `now`.
    fn settle(&mut self, now: MediaTime) {
        let Some((rung, since)) = &mut self.at else {
            return;
        };
        let passed = now.since(*since);
        *since = now;
        if let Some((_, time)) = self.rungs.get_mut(*rung) {
            *time += passed;
        }
        add(&mut self.limits, self.limit.unwrap_or(UNLIMITED), passed);
    }
}

fn add<T: std::ops::AddAssign>(sums: &mut Vec<(&'static str, T)>, name: &'static str, more: T) {
    match sums.iter_mut().find(|(known, _)| *known == name) {
        Some((_, sum)) => *sum += more,
        None => sums.push((name, more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> MediaTime {
        MediaTime::from_millis(seconds * 1_000)
    }

    fn seconds(times: &[(String, Duration)]) -> Vec<(&str, u64)> {
        let times = times.iter();
        times
            .map(|(name, time)| (name.as_str(), time.as_secs()))
            .collect()
    }

    #[test]
    fn all_time_is_somebodys() {
        let mut account = Account::new(["high", "medium", "low"].map(str::to_owned));
        assert_eq!(account.times(at(5)), []);
        assert_eq!(account.on_rung(0, true, "input", at(10)), None);
        let held = account.on_rung(2, false, "chain", at(40));
        assert_eq!(held, Some(Duration::from_secs(30)));
        let held = account.on_rung(1, false, "latency", at(50));
        assert_eq!(held, Some(Duration::from_secs(10)));
        assert_eq!(
            seconds(&account.times(at(52))),
            [("high", 30), ("medium", 2), ("low", 10)]
        );
        // The step up was no limit: what pressed it down still does.
        assert_eq!(
            seconds(&account.limits(at(52))),
            [("none", 30), ("chain", 12)]
        );
        account.on_rung(0, true, "chain", at(60));
        assert_eq!(
            seconds(&account.limits(at(61))),
            [("none", 31), ("chain", 20)]
        );
        let switches = [("chain".to_owned(), 2), ("latency".to_owned(), 1)];
        assert_eq!(account.switches(), switches);
    }

    #[test]
    fn who_begins_low_has_a_reason_too() {
        let mut account = Account::new(["high", "low"].map(str::to_owned));
        account.on_rung(1, false, "manual", at(0));
        assert_eq!(seconds(&account.limits(at(3))), [("manual", 3)]);
        assert_eq!(account.switches(), [], "the start is no switch");
    }
}
