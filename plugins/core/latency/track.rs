//! Which frames of each origin came, and which did not.

use super::capture::Capture;
use crate::time::MediaTime;

/// A frame that this many later ones have overtaken is lost: encoders reorder by 16 frames at most (H.264 and H.265
/// level limits on the decoded picture buffer).
const WINDOW: u32 = u64::BITS;

/// Origins that are told apart at one place; the one that was not heard of for longest makes room.
const ORIGINS: usize = 8;

/// What a buffer is among the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    /// The first of its frame.
    New,
    /// A further packet or slice of the frame: same frame, same time stamp.
    Part,
    /// The frame again, at another time.
    Duplicate,
}

/// Frames of one origin.
#[derive(Clone, Debug)]
struct Track {
    origin: u64,
    highest: u64,
    /// Bit n: frame `highest` - n came.
    seen: u64,
    last: (u64, Option<MediaTime>),
}

/// Watches the sequence numbers at one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracks {
    /// The origin heard of last is the last.
    tracks: Vec<Track>,
    lost: u64,
}

impl Tracks {
    /// Takes in a buffer of `frame` with this time stamp.
    pub(super) fn on_buffer(&mut self, frame: &Capture, pts: Option<MediaTime>) -> Novelty {
        let last = self.tracks.len().wrapping_sub(1);
        match self
            .tracks
            .iter()
            .rposition(|track| track.origin == frame.origin)
        {
            Some(index) => {
                let (novelty, lost) = self.tracks[index].on_buffer(frame.sequence, pts);
                self.lost += lost;
                if index != last {
                    self.tracks[index..].rotate_left(1);
                }
                novelty
            }
            None => {
                self.add(frame, pts);
                Novelty::New
            }
        }
    }

    /// The stream ended: what has not come will not.
    pub(super) fn on_end(&mut self) {
        let open: u64 = self.tracks.drain(..).map(|track| track.missing()).sum();
        self.lost += open;
    }

    /// Counts the lost from zero on.
    pub(super) const fn reset(&mut self) {
        self.lost = 0;
    }

    /// Frames that did not come though later ones did.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    fn add(&mut self, frame: &Capture, pts: Option<MediaTime>) {
        if self.tracks.len() == ORIGINS {
            self.lost += self.tracks.remove(0).missing();
        }
        self.tracks.reserve_exact(ORIGINS - self.tracks.len());
        self.tracks.push(Track {
            origin: frame.origin,
            highest: frame.sequence,
            seen: u64::MAX,
            last: (frame.sequence, pts),
        });
    }
}

impl Track {
    /// What the buffer is, and how many frames are now known to be lost.
    fn on_buffer(&mut self, sequence: u64, pts: Option<MediaTime>) -> (Novelty, u64) {
        let last = self.last;
        self.last = (sequence, pts);
        if sequence > self.highest {
            return (Novelty::New, self.advance(sequence));
        }
        let behind = self.highest - sequence;
        let bit = 1_u64.checked_shl(behind as u32).unwrap_or(0);
        let came = behind >= WINDOW.into() || self.seen & bit != 0;
        self.seen |= bit;
        let novelty = match (came, last == (sequence, pts)) {
            (false, _) => Novelty::New,
            (true, true) => Novelty::Part,
            (true, false) => Novelty::Duplicate,
        };
        (novelty, 0)
    }

    fn advance(&mut self, sequence: u64) -> u64 {
        let step = sequence - self.highest;
        self.highest = sequence;
        let lost = if step >= WINDOW.into() {
            let skipped = step - u64::from(WINDOW);
            let lost = self.missing() + skipped;
            self.seen = 0;
            lost
        } else {
            let leaving = !self.seen >> (u64::from(WINDOW) - step);
            self.seen <<= step;
            u64::from(leaving.count_ones())
        };
        self.seen |= 1;
        lost
    }

    fn missing(&self) -> u64 {
        u64::from(self.seen.count_zeros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(origin: u64, sequence: u64) -> Capture {
        Capture {
            origin,
            sequence,
            entry: MediaTime::ZERO,
            captured: MediaTime::ZERO,
        }
    }

    fn pts(sequence: u64) -> Option<MediaTime> {
        Some(MediaTime::from_millis(sequence * 40))
    }

    fn feed(tracks: &mut Tracks, sequences: impl IntoIterator<Item = u64>) -> Vec<Novelty> {
        let sequences = sequences.into_iter();
        let one = |sequence| tracks.on_buffer(&frame(1, sequence), pts(sequence));
        sequences.map(one).collect()
    }

    #[test]
    fn frames_that_are_left_out_are_lost() {
        let mut tracks = Tracks::default();
        feed(&mut tracks, (0..300).step_by(3));
        tracks.on_end();
        assert_eq!(tracks.lost(), 198, "two of three, up to the last that came");
    }

    #[test]
    fn a_stream_that_is_joined_late_lost_nothing_before() {
        let mut tracks = Tracks::default();
        feed(&mut tracks, 1_000..1_200);
        tracks.on_end();
        assert_eq!(tracks.lost(), 0);
    }

    #[test]
    fn reordered_frames_are_not_lost() {
        let mut tracks = Tracks::default();
        let groups = (0..50).flat_map(|group| [0, 4, 2, 1, 3].map(|n| group * 5 + n));
        let novelties = feed(&mut tracks, groups);
        assert!(novelties.iter().all(|novelty| *novelty == Novelty::New));
        tracks.on_end();
        assert_eq!(tracks.lost(), 0);
    }

    #[test]
    fn packets_are_parts_and_repeated_frames_are_duplicates() {
        let mut tracks = Tracks::default();
        assert_eq!(tracks.on_buffer(&frame(1, 7), pts(7)), Novelty::New);
        assert_eq!(tracks.on_buffer(&frame(1, 7), pts(7)), Novelty::Part);
        assert_eq!(tracks.on_buffer(&frame(1, 7), pts(8)), Novelty::Duplicate);
        assert_eq!(tracks.on_buffer(&frame(1, 7), pts(8)), Novelty::Part);
        assert_eq!(tracks.on_buffer(&frame(1, 8), pts(9)), Novelty::New);
        tracks.on_end();
        assert_eq!(tracks.lost(), 0);
    }

    #[test]
    fn a_gap_longer_than_the_window_is_counted_whole() {
        let mut tracks = Tracks::default();
        feed(&mut tracks, [0, 1, 1_000_002]);
        tracks.on_end();
        assert_eq!(tracks.lost(), 1_000_000);
    }

    #[test]
    fn origins_are_counted_apart_and_many_are_no_trouble() {
        let mut tracks = Tracks::default();
        for sequence in 0..100 {
            for origin in 0..4 {
                tracks.on_buffer(&frame(origin, sequence + origin * 1_000), pts(sequence));
            }
        }
        assert_eq!(tracks.lost(), 0);
        for origin in 100..10_000 {
            assert_eq!(
                tracks.on_buffer(&frame(origin, 9), None),
                Novelty::New,
                "{origin}"
            );
        }
        assert!(tracks.tracks.len() <= ORIGINS);
    }

    proptest! {
        #[test]
        fn every_frame_comes_or_is_lost(came in prop::collection::btree_set(0_u64..2_000, 1..300)) {
            let mut tracks = Tracks::default();
            feed(&mut tracks, came.iter().copied());
            tracks.on_end();
            let (first, last) = (came.first().copied().unwrap_or(0), came.last().copied().unwrap_or(0));
            prop_assert_eq!(tracks.lost() + came.len() as u64, last - first + 1);
        }
    }
}
