//! The rhythm of a stream, and when its next frame is due.

use std::time::Duration;

use crate::time::MediaTime;

/// Frame intervals of silence after which nobody waits for a stream any more.
const SILENCE: u32 = 2;
/// Deviations from the mean that a next frame may come early; as RFC 6298 bounds round trips.
const EARLY: u32 = 4;

/// Mean and deviation of the intervals, smoothed as RFC 6298 smooths round trips.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cadence {
    last: Option<MediaTime>,
    interval: Option<Duration>,
    deviation: Duration,
}

impl Cadence {
    pub(super) fn on_frame(&mut self, now: MediaTime) {
        let gap = self.last.replace(now).map(|last| now.since(last));
        match (gap, self.interval) {
            (None, _) => {}
            (Some(gap), None) => {
                self.interval = Some(gap);
                self.deviation = gap / 2;
            }
            (Some(gap), Some(mean)) => {
                // A pause is not a rhythm: what is longer counts as silence.
                let gap = gap.min((mean * SILENCE).max(Duration::from_millis(1)));
                self.deviation = (self.deviation * 3 + gap.abs_diff(mean)) / 4;
                self.interval = Some((mean * 7 + gap) / 8);
            }
        }
    }

    /// No frame is due until one has come.
    pub(super) fn rest(&mut self) {
        self.last = None;
    }

    /// Until when a frame is waited for that may come before `limit`; `None` where none is due or the stream is silent.
    pub(super) fn awaited_until(&self, limit: MediaTime, now: MediaTime) -> Option<MediaTime> {
        let (last, interval) = (self.last?, self.interval?);
        let early = self.deviation * EARLY;
        let earliest = last.after(interval.saturating_sub(early));
        let silent = last.after(interval * SILENCE);
        (earliest <= limit && now < silent).then_some(silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 40;

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    fn steady(frames: u64) -> Cadence {
        let mut cadence = Cadence::default();
        (0..frames).for_each(|frame| cadence.on_frame(at(frame * FRAME)));
        cadence
    }

    #[test]
    fn a_single_frame_is_no_rhythm() {
        assert_eq!(steady(1).awaited_until(at(1000), at(1)), None);
    }

    #[test]
    fn the_next_frame_of_a_steady_stream_is_awaited_when_it_is_due() {
        let cadence = steady(50);
        let last = 49 * FRAME;
        assert_eq!(cadence.awaited_until(at(last + 30), at(last + 25)), None);
        let until = cadence.awaited_until(at(last + 41), at(last + 36));
        assert_eq!(until, Some(at(last + 2 * FRAME)));
    }

    #[test]
    fn a_stream_that_is_silent_for_two_frames_is_not_awaited() {
        let cadence = steady(50);
        let silent = 49 * FRAME + 2 * FRAME;
        assert!(cadence.awaited_until(at(9999), at(silent - 1)).is_some());
        assert_eq!(cadence.awaited_until(at(9999), at(silent)), None);
    }

    #[test]
    fn a_pause_is_not_taken_for_a_rhythm_and_a_new_rhythm_is_learned() {
        let mut cadence = steady(50);
        cadence.on_frame(at(60_000));
        assert_eq!(cadence.awaited_until(at(90_000), at(60_100)), None);
        for frame in 1..60 {
            cadence.on_frame(at(60_000 + frame * 200));
        }
        let last = 60_000 + 59 * 200;
        let until = cadence.awaited_until(at(last + 200), at(last + 150));
        assert!(until > Some(at(last + 390)) && until <= Some(at(last + 400)));
    }

    #[test]
    fn frames_of_one_instant_are_no_trouble() {
        let mut cadence = Cadence::default();
        (0..9).for_each(|_| cadence.on_frame(at(5)));
        cadence.on_frame(at(6));
        cadence.rest();
        assert_eq!(cadence.awaited_until(at(9), at(6)), None);
    }
}
