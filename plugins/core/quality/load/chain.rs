//! How busy the elements behind are with the frames that we give them.

use std::time::Duration;

use crate::time::MediaTime;

/// How far back a mean reaches. Half of the shortest hold, so that one frame that was held up is forgotten before it
/// counts, and four in five parts of a new load are seen in 0.4 s.
const MEMORY: f64 = 0.25;

/// From this part of the time on, frames are taken to wait for the chain. Below, frames that come less often than the
/// caps say come from a slow camera.
const OCCUPIED: f64 = 0.7;

/// A frame counts for at most so many times the interval, so that one that was held up for a second is not load for
/// seconds.
const MOST: f64 = 8.0;

/// One thread's pushes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    returned: Option<MediaTime>,
    /// Seconds in the push, seconds in all, and frames, each with the past fading.
    work: f64,
    wall: f64,
    frames: f64,
    /// Seconds that frames took, with none counted for more than there is to say of it.
    bounded: f64,
    load: f64,
    /// When the first of the last frames left that each took too long.
    slow_since: Option<MediaTime>,
}

impl Chain {
    /// A frame was pushed and came back; frames are `interval` apart on this rung, and one that takes `high` times that
    /// takes too long. Answers since when they do.
    pub(super) fn on_frame(
        &mut self,
        pushed: MediaTime,
        returned: MediaTime,
        (interval, high): (Duration, f64),
    ) -> MediaTime {
        let interval = interval.as_secs_f64().max(1e-6);
        let took = returned.since(pushed).as_secs_f64();
        let since = self
            .returned
            .map_or(interval, |before| returned.since(before).as_secs_f64());
        let wall = since.max(took);
        self.returned = Some(returned);
        let kept = MEMORY / (MEMORY + wall);
        self.work = self.work * kept + took;
        self.wall = self.wall * kept + wall;
        self.frames = self.frames * kept + 1.0;
        self.bounded = self.bounded * kept + took.min(MOST * interval);
        let occupied = self.work / self.wall;
        self.load = if occupied < OCCUPIED {
            occupied
        } else {
            occupied.max(self.bounded / (self.frames * interval))
        };
        self.slow_since = (took > high * interval).then(|| self.slow_since.unwrap_or(pushed));
        self.slow_since.unwrap_or(pushed)
    }

    /// The part of the time that pushes take, or, once frames wait for them, what a frame takes beside the interval,
    /// which may be more than one. `None` where no frame has come for as long as `fresh`.
    pub(super) fn load(&self, fresh: Duration, now: MediaTime) -> Option<f64> {
        let returned = self.returned?;
        (now.since(returned) < fresh).then_some(self.load)
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
    fn one_frame_that_was_held_up_fades_within_the_hold() {
        let mut chain = Chain::default();
        after(&mut chain, 100, 40, 16);
        assert!(after(&mut chain, 1, 40, 200) > 0.6);
        let load = after(&mut chain, 10, 40, 16);
        assert!(load < 0.7, "{load}");
    }
}
