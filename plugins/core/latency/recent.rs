//! The last frames by running time: to know again a buffer that lost its meta.

use super::capture::Capture;

/// Frames that are remembered: 8 s of video at 30 frames a second.
const FRAMES: usize = 256;

/// How far the running time of a frame may lie from that of the buffer that is held for it, in nanoseconds: muxers round
/// to milliseconds, mixers to frames of their own rate.
const TOLERANCE: u64 = 20_000_000;

/// The last frames that went into an element that loses metas.
#[derive(Debug, Default)]
pub struct Recent {
    frames: Vec<(Option<i64>, Capture)>,
    next: usize,
}

impl Recent {
    /// Takes in a frame at `running`, its running time in nanoseconds, where that is known. A frame that came before
    /// as another part changes nothing.
    pub fn on_arrival(&mut self, frame: Capture, running: Option<i64>) {
        if self.newest().is_some_and(|newest| is_same(newest, &frame)) {
            return;
        }
        if self.frames.len() < FRAMES {
            self.frames.reserve_exact(FRAMES - self.frames.len());
            self.frames.push((running, frame));
        } else {
            self.frames[self.next] = (running, frame);
        }
        self.next = (self.next + 1) % FRAMES;
    }

    /// The frame that a buffer with the running time `running` is likely to hold: the nearest within 20 ms, of those
    /// as near the older; else the one that came last.
    pub fn find(&self, running: Option<i64>) -> Option<Capture> {
        let by_time = running.and_then(|wanted| self.nearest(wanted));
        by_time.or_else(|| self.newest().copied())
    }

    /// The frame whose running time is nearest to `wanted`, in nanoseconds, and within 20 ms of it.
    pub fn nearest(&self, wanted: i64) -> Option<Capture> {
        let distances = self.frames.iter().filter_map(|(running, frame)| {
            let distance = (*running)?.abs_diff(wanted);
            (distance <= TOLERANCE).then_some((distance, frame))
        });
        let nearest = distances.min_by_key(|(distance, frame)| (*distance, frame.entry));
        nearest.map(|(_, frame)| *frame)
    }

    /// The frame that came last.
    pub fn newest(&self) -> Option<&Capture> {
        let last = (self.next + FRAMES - 1) % FRAMES;
        self.frames.get(last).map(|(_, frame)| frame)
    }
}

fn is_same(one: &Capture, other: &Capture) -> bool {
    (one.origin, one.sequence) == (other.origin, other.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MediaTime;

    const MS: i64 = 1_000_000;

    fn frame(sequence: u64) -> Capture {
        Capture {
            origin: 1,
            sequence,
            entry: MediaTime::from_millis(sequence * 40),
            captured: MediaTime::from_millis(sequence * 40),
        }
    }

    /// Frames 0 to `count` - 1, 40 ms apart.
    fn filled(count: u64) -> Recent {
        let mut recent = Recent::default();
        for sequence in 0..count {
            recent.on_arrival(frame(sequence), Some(sequence as i64 * 40 * MS));
        }
        recent
    }

    #[test]
    fn a_buffer_is_known_by_its_running_time_though_it_was_rounded() {
        let recent = filled(100);
        assert_eq!(recent.find(Some(80 * 40 * MS + 900_000)), Some(frame(80)));
        assert_eq!(recent.find(Some(80 * 40 * MS - 900_000)), Some(frame(80)));
        assert_eq!(
            recent.find(Some(80 * 40 * MS + 20 * MS)),
            Some(frame(80)),
            "the older"
        );
    }

    #[test]
    fn what_is_far_from_all_frames_is_taken_for_the_last() {
        let recent = filled(300);
        assert_eq!(recent.find(Some(3_600_000 * 1_000 * MS)), Some(frame(299)));
        assert_eq!(recent.find(None), Some(frame(299)));
        assert_eq!(recent.find(Some(0)), Some(frame(299)), "forgotten");
        assert_eq!(recent.find(Some(44 * 40 * MS)), Some(frame(44)));
    }

    #[test]
    fn parts_of_a_frame_take_one_place() {
        let mut recent = filled(2);
        for _ in 0..FRAMES {
            recent.on_arrival(frame(2), None);
        }
        assert_eq!(recent.find(Some(0)), Some(frame(0)));
        assert_eq!(recent.find(None), Some(frame(2)));
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        assert_eq!(Recent::default().find(Some(0)), None);
    }
}
