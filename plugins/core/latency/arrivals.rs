//! When the last frames came to one place, for whoever meets them further down.
//!
//! The thread that brings frames to the place writes, threads behind it read, and none of them waits: a slot is taken
//! back before its time changes, and a reader that finds the frame's tag before and after it read the time has the
//! time of that frame.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::capture::Capture;
use crate::time::MediaTime;

/// Frames in flight between two places: 34 s of video at 30 frames a second.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;
/// The tag of no frame: every frame's tag is odd.
const NOBODY: u32 = 0;

/// Which frame came, and when.
#[derive(Debug)]
struct Slot {
    tag: AtomicU32,
    time: AtomicU64,
}

/// Times of the last 1024 frames. One thread writes at a time.
#[derive(Debug)]
pub struct Arrivals {
    slots: Box<[Slot]>,
}

impl Default for Arrivals {
    fn default() -> Self {
        let empty = |_| Slot {
            tag: AtomicU32::new(NOBODY),
            time: AtomicU64::new(0),
        };
        Self {
            slots: (0..SLOTS).map(empty).collect(),
        }
    }
}

impl Arrivals {
    /// A frame, or the first part of it, came at `now`. Later parts change nothing.
    #[inline]
    pub fn on_arrival(&self, frame: &Capture, now: MediaTime) {
        let (slot, tag) = self.place(frame);
        if slot.tag.load(Ordering::Relaxed) == tag {
            return;
        }
        slot.tag.store(NOBODY, Ordering::Relaxed);
        fence(Ordering::Release);
        slot.time.store(now.as_nanos(), Ordering::Relaxed);
        slot.tag.store(tag, Ordering::Release);
    }

    /// When `frame` came, or `None` where it did not, or more than 1024 frames ago.
    #[inline]
    pub fn find(&self, frame: &Capture) -> Option<MediaTime> {
        let (slot, tag) = self.place(frame);
        if slot.tag.load(Ordering::Acquire) != tag {
            return None;
        }
        let time = slot.time.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let same = slot.tag.load(Ordering::Relaxed) == tag;
        same.then_some(MediaTime::from_nanos(time))
    }

    /// Slot and tag of a frame. Successive frames of an origin lie in successive slots; origins begin at different ones.
    #[inline]
    fn place(&self, frame: &Capture) -> (&Slot, u32) {
        let spread = frame.origin.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = frame.sequence.wrapping_add(spread >> 32) as usize % SLOTS;
        let tag = (spread as u32) ^ (frame.sequence >> SLOT_BITS) as u32;
        (&self.slots[slot], tag << 1 | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(origin: u64, sequence: u64) -> Capture {
        Capture {
            origin,
            sequence,
            entry: MediaTime::ZERO,
            captured: MediaTime::ZERO,
        }
    }

    fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn a_frame_is_found_with_the_time_of_its_first_part() {
        let arrivals = Arrivals::default();
        arrivals.on_arrival(&frame(1, 5), at(10));
        arrivals.on_arrival(&frame(1, 5), at(11));
        assert_eq!(arrivals.find(&frame(1, 5)), Some(at(10)));
        assert_eq!(arrivals.find(&frame(1, 6)), None);
        assert_eq!(arrivals.find(&frame(2, 5)), None);
    }

    #[test]
    fn frames_of_other_origins_do_not_answer() {
        let arrivals = Arrivals::default();
        for sequence in 0..SLOTS as u64 {
            arrivals.on_arrival(&frame(7, sequence), at(sequence));
        }
        for origin in (0..10_000).filter(|origin| *origin != 7) {
            assert_eq!(arrivals.find(&frame(origin, 3)), None, "{origin}");
        }
        assert_eq!(arrivals.find(&frame(7, 1023)), Some(at(1023)));
    }

    #[test]
    fn the_oldest_make_room() {
        let arrivals = Arrivals::default();
        for sequence in 0..=SLOTS as u64 {
            arrivals.on_arrival(&frame(7, sequence), at(sequence));
        }
        assert_eq!(arrivals.find(&frame(7, 0)), None);
        assert_eq!(arrivals.find(&frame(7, 1)), Some(at(1)));
        assert_eq!(arrivals.find(&frame(7, 1024)), Some(at(1024)));
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "it is the threads that are tested"
    )]
    fn a_reader_never_gets_the_time_of_another_frame() {
        let arrivals = Arrivals::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for sequence in 0..300_000 {
                    arrivals.on_arrival(&frame(7, sequence), at(sequence));
                }
            });
            let mut found = 0_u64;
            for sequence in 0..300_000 {
                if let Some(time) = arrivals.find(&frame(7, sequence)) {
                    assert_eq!(time, at(sequence));
                    found += 1;
                }
            }
            found
        });
        assert_eq!(arrivals.find(&frame(7, 299_999)), Some(at(299_999)));
    }
}
