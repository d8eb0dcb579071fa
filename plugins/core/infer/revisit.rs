//! When a tracked object has to be looked at again: what a second network said of it is kept until then.

use std::collections::HashMap;
use std::time::Duration;

use super::detection::Area;
use crate::time::MediaTime;

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RevisitConfig {
    /// So long after the last look; never for that alone where there is none.
    pub interval: Option<Duration>,
    /// As soon as the object's box is so many times as large as at the last look: it is seen better now.
    pub growth: f32,
    /// How long an answer may take; after that it is asked for again.
    pub patience: Duration,
    /// How long an object is remembered that is not seen.
    pub memory: Duration,
}

impl RevisitConfig {
    /// Once, and again where the box has grown by half.
    pub const DEFAULT: Self = Self {
        interval: None,
        growth: 1.5,
        patience: Duration::from_secs(2),
        memory: Duration::from_secs(10),
    };
}

/// Why an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was never looked at.
    New,
    /// It was looked at too long ago.
    Old,
    /// It was much smaller when it was looked at.
    Grown,
    /// It was asked for, and no answer came.
    Unanswered,
}

#[derive(Clone, Debug)]
struct Entry<R> {
    result: Option<R>,
    /// Of the box at the last look, in pixels.
    size: f32,
    looked: MediaTime,
    asked: Option<MediaTime>,
    seen: MediaTime,
}

/// What is known of the objects of one stream, by their tracks.
#[derive(Clone, Debug)]
pub struct Revisit<R> {
    config: RevisitConfig,
    entries: HashMap<u64, Entry<R>>,
    swept: MediaTime,
}

impl<R> Revisit<R> {
    /// Nothing is known yet.
    pub fn new(config: RevisitConfig) -> Self {
        Self {
            config,
            entries: HashMap::new(),
            swept: MediaTime::ZERO,
        }
    }

    /// The object `track` is at `area` on the frame of the time `now`: why it has to be looked at, or `None` where
    /// what is known will do. Who is told why is expected to look and to [`learn`](Self::learn).
    pub fn on_object(&mut self, track: u64, area: &Area, now: MediaTime) -> Option<Reason> {
        self.sweep(now);
        let config = self.config;
        let size = size(area);
        let entry = self.entries.entry(track).or_insert(Entry {
            result: None,
            size,
            looked: now,
            asked: None,
            seen: now,
        });
        entry.seen = now;
        let reason = match entry.asked {
            Some(asked) if now.since(asked) < config.patience => return None,
            Some(_) => Reason::Unanswered,
            None if entry.result.is_none() => Reason::New,
            None if config
                .interval
                .is_some_and(|interval| now.since(entry.looked) >= interval) =>
            {
                Reason::Old
            }
            None if size >= config.growth * entry.size => Reason::Grown,
            None => return None,
        };
        entry.asked = Some(now);
        Some(reason)
    }

    /// `result` is what was seen of the object `track` when it was at `area`, on the frame of the time `now`. The
    /// result it replaces comes back.
    pub fn learn(&mut self, track: u64, result: R, area: &Area, now: MediaTime) -> Option<R> {
        let entry = self.entries.get_mut(&track)?;
        entry.asked = None;
        entry.looked = now;
        entry.size = size(area);
        entry.result.replace(result)
    }

    /// No answer will come for the object `track`: the next time it is asked for again.
    pub fn give_up(&mut self, track: u64) {
        if let Some(entry) = self.entries.get_mut(&track) {
            entry.asked = None;
        }
    }

    /// What was last seen of the object `track`.
    pub fn known(&self, track: u64) -> Option<&R> {
        self.entries.get(&track)?.result.as_ref()
    }

    /// The stream begins anew, with other objects.
    pub fn reset(&mut self) {
        self.entries.clear();
        self.swept = MediaTime::ZERO;
    }

    /// Forgets objects that are not seen any more, now and then.
    fn sweep(&mut self, now: MediaTime) {
        if now < self.swept {
            self.reset();
        }
        let memory = self.config.memory;
        if now.since(self.swept) >= memory {
            self.entries
                .retain(|_, entry| now.since(entry.seen) < memory);
            self.swept = now;
        }
    }
}

fn size(area: &Area) -> f32 {
    (area.right - area.left) * (area.bottom - area.top)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Area = Area {
        left: 0.0,
        top: 0.0,
        right: 10.0,
        bottom: 20.0,
    };

    fn scaled(factor: f32) -> Area {
        Area::around(50.0, 50.0, 10.0 * factor, 20.0)
    }

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn revisit(interval: Option<u64>) -> Revisit<&'static str> {
        Revisit::new(RevisitConfig {
            interval: interval.map(Duration::from_millis),
            ..RevisitConfig::DEFAULT
        })
    }

    #[test]
    fn an_object_is_looked_at_once() {
        let mut revisit = revisit(None);
        assert_eq!(revisit.on_object(7, &SMALL, at(0)), Some(Reason::New));
        assert_eq!(
            revisit.on_object(7, &SMALL, at(40)),
            None,
            "it is asked for"
        );
        assert_eq!(revisit.known(7), None);
        revisit.learn(7, "red", &SMALL, at(50));
        for millis in (80..9_000).step_by(40) {
            assert_eq!(revisit.on_object(7, &SMALL, at(millis)), None);
        }
        assert_eq!(revisit.known(7), Some(&"red"));
        assert_eq!(revisit.on_object(8, &SMALL, at(80)), Some(Reason::New));
    }

    #[test]
    fn after_the_interval_it_is_looked_at_again() {
        let mut revisit = revisit(Some(500));
        revisit.on_object(7, &SMALL, at(0));
        revisit.learn(7, "red", &SMALL, at(0));
        assert_eq!(revisit.on_object(7, &SMALL, at(499)), None);
        assert_eq!(revisit.on_object(7, &SMALL, at(500)), Some(Reason::Old));
        assert_eq!(revisit.known(7), Some(&"red"), "until the answer comes");
        assert_eq!(revisit.learn(7, "blue", &SMALL, at(510)), Some("red"));
        assert_eq!(revisit.on_object(7, &SMALL, at(900)), None);
    }

    #[test]
    fn a_box_that_grew_by_half_is_looked_at_again() {
        let mut revisit = revisit(None);
        revisit.on_object(7, &scaled(1.0), at(0));
        revisit.learn(7, "red", &scaled(1.0), at(0));
        assert_eq!(revisit.on_object(7, &scaled(1.4), at(40)), None);
        let grown = revisit.on_object(7, &scaled(1.5), at(80));
        assert_eq!(grown, Some(Reason::Grown));
        revisit.learn(7, "blue", &scaled(1.5), at(80));
        assert_eq!(revisit.on_object(7, &scaled(0.5), at(120)), None);
        assert_eq!(revisit.on_object(7, &scaled(2.0), at(160)), None);
    }

    #[test]
    fn a_question_without_an_answer_is_asked_again() {
        let mut revisit = revisit(None);
        revisit.on_object(7, &SMALL, at(0));
        assert_eq!(revisit.on_object(7, &SMALL, at(1_999)), None);
        let again = revisit.on_object(7, &SMALL, at(2_000));
        assert_eq!(again, Some(Reason::Unanswered));
        revisit.give_up(7);
        assert_eq!(revisit.on_object(7, &SMALL, at(2_001)), Some(Reason::New));
    }

    #[test]
    fn objects_that_are_gone_are_forgotten() {
        let mut revisit = revisit(None);
        for track in 0..1000 {
            let now = at(track * 100);
            revisit.on_object(track, &SMALL, now);
            revisit.learn(track, "red", &SMALL, now);
        }
        assert!(revisit.entries.len() <= 201, "{}", revisit.entries.len());
        revisit.on_object(1, &SMALL, at(0));
        assert_eq!(revisit.entries.len(), 1, "after a seek all is new");
    }
}
