//! How busy the elements behind are with the frames that we give them.

use std::time::Duration;

use crate::time::MediaTime;

/// How far back a mean reaches, in seconds. Half of the shortest hold: of a new load, four in five parts are seen in
/// 0.4 s.
const MEMORY: f64 = 0.25;

/// How far back it reaches where what is made up for after one frame that was held up must not count as load.
const LONG_MEMORY: f64 = 1.0;

/// From this part of the time on, frames are taken to wait for the chain. Below, frames that come less often than the
/// caps say come from a slow camera.
const OCCUPIED: f64 = 0.7;

/// A frame counts for at most so many usual ones, or for the interval: one that was held up is not load, several are.
const HELD_UP: f64 = 1.5;

/// One frame can be held up by anything; so many in a row are load.
pub(super) const SEVERAL: u32 = 2;

/// After so many frames it is known what a usual one takes.
const FIRST: u32 = 3;

/// One thread's pushes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    returned: Option<MediaTime>,
    recent: Occupation,
    /// The same without what single frames were held up.
    usually: Occupation,
    lasting: Occupation,
    /// Seconds that a frame takes, and how many frames say so, up to those of the memory.
    usual: f64,
    frames: u32,
    load: f64,
    slow: Option<Slow>,
}

/// The last frames that each took too long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slow {
    /// When the first of them left.
    pub(super) since: MediaTime,
    pub(super) frames: u32,
    /// Seconds that they took together.
    took: f64,
}

/// Seconds in pushes, and in all, with the past fading.
#[derive(Clone, Copy, Debug, Default)]
struct Occupation {
    work: f64,
    wall: f64,
}

impl Chain {
    /// A frame was pushed and came back; frames are `interval` apart on this rung, and one that takes `high` times that
    /// takes too long. Answers the last ones that do.
    pub(super) fn on_frame(
        &mut self,
        pushed: MediaTime,
        returned: MediaTime,
        (interval, high): (Duration, f64),
    ) -> Option<Slow> {
        let interval = interval.as_secs_f64().max(1e-6);
        let took = returned.since(pushed).as_secs_f64();
        let since = self
            .returned
            .map_or(interval, |before| returned.since(before).as_secs_f64());
        let wall = since.max(took);
        self.returned = Some(returned);
        let occupied = self.recent.on_frame(took, wall, MEMORY);
        let lasting = self.lasting.on_frame(took, wall, LONG_MEMORY);
        let counted = self.counted(took, interval);
        let usually = self.usually.on_frame(counted, wall, MEMORY);
        self.learn_usual(counted, wall);
        self.slow = (took > high * interval).then(|| {
            let first = Slow {
                since: pushed,
                frames: 0,
                took: 0.0,
            };
            let slow = self.slow.unwrap_or(first);
            Slow {
                frames: slow.frames.saturating_add(1),
                took: slow.took + took,
                ..slow
            }
        });
        self.load = if occupied < OCCUPIED {
            usually
        } else {
            lasting.max(self.needed() / interval)
        };
        self.slow
    }

    /// The part of the time that pushes take, or, once frames wait for them, what a frame takes beside the interval,
    /// which may be more than one. `None` where no frame has come for as long as `fresh`.
    pub(super) fn load(&self, fresh: Duration, now: MediaTime) -> Option<f64> {
        let returned = self.returned?;
        (now.since(returned) < fresh).then_some(self.load)
    }

    /// Seconds that a frame takes: of frames that were too slow one after the other, their mean.
    fn needed(&self) -> f64 {
        let slow = self.slow.filter(|slow| slow.frames >= SEVERAL);
        let slow = slow.map_or(0.0, |slow| slow.took / f64::from(slow.frames));
        self.usual.max(slow)
    }

    /// What a frame counts for that took so long.
    fn counted(&self, took: f64, interval: f64) -> f64 {
        match self.frames < FIRST {
            true => took,
            false => took.min((HELD_UP * self.usual).max(interval)),
        }
    }

    fn learn_usual(&mut self, counted: f64, wall: f64) {
        // The first ones are the mean of all there were: nothing is usual yet.
        self.frames = self.frames.saturating_add(1);
        let part = (wall / (MEMORY + wall)).max(1.0 / f64::from(self.frames));
        self.usual += (counted - self.usual) * part;
    }
}

impl Occupation {
    fn on_frame(&mut self, took: f64, wall: f64, memory: f64) -> f64 {
        let kept = memory / (memory + wall);
        self.work = self.work * kept + took;
        self.wall = self.wall * kept + wall;
        self.work / self.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(40);

    /// The load after `count` frames that come each `every` ms and take `took` ms.
    fn after(chain: &mut Chain, count: u64, every: u64, took: u64) -> f64 {
        let start = chain.returned.unwrap_or_default().as_nanos() / 1_000_000;
        for n in 1..=count {
            let pushed = MediaTime::from_millis(start + n * every.max(took) - took);
            let returned = pushed.after(Duration::from_millis(took));
            chain.on_frame(pushed, returned, (INTERVAL, 0.85));
        }
        chain.load
    }

    #[test]
    fn the_load_is_the_part_of_the_time() {
        let mut chain = Chain::default();
        let load = after(&mut chain, 100, 40, 10);
        assert!((load - 0.25).abs() < 0.01, "{load}");
        let load = after(&mut chain, 100, 40, 38);
        assert!((load - 0.95).abs() < 0.01, "{load}");
    }

    #[test]
    fn more_than_there_is_time_for_is_more_than_one() {
        let load = after(&mut Chain::default(), 100, 40, 100);
        assert!((load - 2.5).abs() < 0.01, "{load}");
    }

    #[test]
    fn a_camera_that_is_slower_than_it_says_is_no_load() {
        let load = after(&mut Chain::default(), 100, 80, 44);
        assert!((load - 0.55).abs() < 0.01, "{load}");
    }

    #[test]
    fn one_frame_that_was_held_up_is_no_load_nor_are_those_that_waited_for_it() {
        let mut chain = Chain::default();
        after(&mut chain, 100, 40, 26);
        let load = after(&mut chain, 1, 40, 120);
        assert!(load < 0.85, "{load}");
        for _ in 0..6 {
            let load = after(&mut chain, 1, 26, 26);
            assert!(load < 0.85, "{load}");
        }
    }

    #[test]
    fn a_new_load_is_seen_within_a_few_frames() {
        let mut chain = Chain::default();
        after(&mut chain, 100, 40, 20);
        let load = after(&mut chain, 4, 40, 80);
        assert!(load > 1.0, "{load}");
    }
}
