//! Tracking: which detection on this frame is which on the one before.
//!
//! After ByteTrack (Zhang et al. 2022, <https://arxiv.org/abs/2110.06864>): sure detections find their tracks first,
//! by overlap with where a Kalman filter expects them; what is left of the tracks looks among the doubtful
//! detections, which are how a half hidden object looks. Here time is time and not a count of frames, since frames
//! may be left out; overlap counts alone, not multiplied by confidence; and an object is shown from its first frame
//! on, though it gets its id only on the second, so that what flickers up once takes no id.

mod assignment;
mod motion;

use std::time::Duration;

use super::detection::{Area, Detection};
use crate::time::MediaTime;
use assignment::Assignment;
use motion::Motion;

/// The least overlap (intersection over union) of a sure detection with a track, of a doubtful one with a track, and
/// of one with a track that has been seen but once (ByteTrack).
const LEAST_OVERLAP: f32 = 0.2;
const LEAST_OVERLAP_IN_DOUBT: f32 = 0.5;
const LEAST_OVERLAP_OF_NEW: f32 = 0.3;
/// Tracks kept, of those out of sight the last ones: what a frame may hold, three times over.
const MOST_TRACKS: usize = 900;

/// How to track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackerConfig {
    /// How long an object may be out of sight and keep its id.
    pub lost_for: Duration,
    /// The least confidence, 0 to 1, with which a detection may go on with a track.
    pub least_confidence: f32,
}

impl TrackerConfig {
    /// Twice the second that ByteTrack waits, and its least confidence.
    pub const DEFAULT: Self = Self {
        lost_for: Duration::from_secs(2),
        least_confidence: 0.1,
    };
}

/// A detection and whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracked {
    /// `None` until it was seen a second time; never that of another object.
    pub track: Option<u64>,
    /// Where it is; what it is and how sure the network was when it saw it.
    pub detection: Detection,
    /// How long ago the network saw it.
    pub age: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Track {
    id: Option<u64>,
    detection: Detection,
    motion: Motion,
    /// Where it should be now.
    expected: Area,
    seen: MediaTime,
    /// Seen on the last frame that the network saw.
    in_sight: bool,
    /// Found on the frame at hand.
    matched: bool,
}

impl Track {
    fn new(found: Detection, id: Option<u64>, now: MediaTime) -> Self {
        Self {
            id,
            detection: found,
            motion: Motion::new(&found.area),
            expected: found.area,
            seen: now,
            in_sight: true,
            matched: true,
        }
    }
}

/// Follows the objects of one stream. Its buffers live as long as it does: no allocation once they have grown.
#[derive(Debug)]
pub struct Tracker {
    config: TrackerConfig,
    tracks: Vec<Track>,
    /// The track of each detection at hand.
    owners: Vec<Option<usize>>,
    matcher: Matcher,
    shown: Vec<Tracked>,
    last: Option<MediaTime>,
    next_id: u64,
}

/// Pairs some of the tracks with some of the detections.
#[derive(Debug, Default)]
struct Matcher {
    rows: Vec<usize>,
    columns: Vec<usize>,
    assignment: Assignment,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(config: TrackerConfig) -> Self {
        Self {
            config,
            tracks: Vec::new(),
            owners: Vec::new(),
            matcher: Matcher::default(),
            shown: Vec::new(),
            last: None,
            next_id: 1,
        }
    }

    /// The confidence from which on the network should report objects, where it should be `confidence` for those
    /// that are shown.
    pub const fn confidence_wanted(&self, confidence: f32) -> f32 {
        confidence.min(self.config.least_confidence)
    }

    /// On the frame of the time `now` the network saw `found`. What is shown of it, in its order: all that it is
    /// sure of by at least `confidence`, and what else goes on with a track.
    pub fn on_detections(
        &mut self,
        found: &[Detection],
        confidence: f32,
        now: MediaTime,
    ) -> &[Tracked] {
        let is_first = self.last.is_none();
        self.advance(now);
        self.owners.clear();
        self.owners.resize(found.len(), None);
        let least = self.config.least_confidence;
        let sure = |found: &Detection| found.confidence >= confidence;
        let doubtful = |found: &Detection| !sure(found) && found.confidence >= least;
        let known = |track: &Track| track.id.is_some();
        let in_sight = |track: &Track| track.id.is_some() && track.in_sight;
        let new = |track: &Track| track.id.is_none();
        self.associate(found, LEAST_OVERLAP, known, sure);
        self.associate(found, LEAST_OVERLAP_IN_DOUBT, in_sight, doubtful);
        self.associate(found, LEAST_OVERLAP_OF_NEW, new, sure);
        self.update(found, now);
        for (at, found) in found.iter().enumerate() {
            if self.owners[at].is_none() && sure(found) {
                self.owners[at] = Some(self.tracks.len());
                let id = is_first.then(|| new_id(&mut self.next_id));
                self.tracks.push(Track::new(*found, id, now));
            }
        }
        self.show(found);
        self.forget();
        &self.shown
    }

    /// Where the objects that the network saw last are at `now`, a frame that it does not see.
    pub fn predict(&mut self, now: MediaTime) -> &[Tracked] {
        self.shown.clear();
        let last = self.last.unwrap_or(now);
        let seen = self.tracks.iter().filter(|track| track.in_sight);
        self.shown.extend(seen.filter_map(|track| {
            let mut motion = track.motion;
            motion.advance(now.since(last).as_secs_f32());
            let area = motion.area();
            let detection = Detection {
                area,
                ..track.detection
            };
            let (track, age) = (track.id, now.since(track.seen));
            area.is_proper().then_some(Tracked {
                track,
                detection,
                age,
            })
        }));
        &self.shown
    }

    /// The stream begins anew, with other objects: their ids go on from where they are.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.last = None;
    }

    /// Moves all tracks to `now` and forgets those out of sight for too long.
    fn advance(&mut self, now: MediaTime) {
        if self.last.is_some_and(|last| now < last) {
            self.reset();
        }
        let passed = self.last.map_or(Duration::ZERO, |last| now.since(last));
        let lost_for = self.config.lost_for;
        self.tracks.retain_mut(|track| {
            track.motion.advance(passed.as_secs_f32());
            track.expected = track.motion.area();
            now.since(track.seen) <= lost_for
        });
        self.last = Some(now);
    }

    /// Gives the detections that are `wanted` and have none yet the tracks that are `fit`.
    fn associate(
        &mut self,
        found: &[Detection],
        least: f32,
        fit: impl Fn(&Track) -> bool,
        wanted: impl Fn(&Detection) -> bool,
    ) {
        let Matcher {
            rows,
            columns,
            assignment,
        } = &mut self.matcher;
        let (tracks, owners) = (&mut self.tracks, &mut self.owners);
        let is_free = |track: &Track| !track.matched && fit(track);
        rows.clear();
        rows.extend((0..tracks.len()).filter(|at| is_free(&tracks[*at])));
        columns.clear();
        columns.extend((0..found.len()).filter(|at| owners[*at].is_none() && wanted(&found[*at])));
        assignment.reset(rows.len(), columns.len());
        for (row, track) in rows.iter().enumerate() {
            let track = &tracks[*track];
            for (column, found) in columns.iter().map(|at| &found[*at]).enumerate() {
                if track.detection.class == found.class {
                    let overlap = track.expected.iou(&found.area);
                    assignment.set(row, column, (overlap - least).max(0.0));
                }
            }
        }
        for (row, column) in assignment.solve() {
            owners[columns[column]] = Some(rows[row]);
            tracks[rows[row]].matched = true;
        }
    }

    /// Tells all tracks what was seen of them.
    fn update(&mut self, found: &[Detection], now: MediaTime) {
        for track in &mut self.tracks {
            if track.in_sight && !track.matched {
                track.motion.keep_size();
            }
            track.in_sight = track.matched;
        }
        for (found, owner) in found.iter().zip(&self.owners) {
            let Some(track) = owner.map(|at| &mut self.tracks[at]) else {
                continue;
            };
            track.motion.correct(&found.area);
            track.detection = *found;
            track.seen = now;
            track.id = track.id.or_else(|| Some(new_id(&mut self.next_id)));
        }
    }

    /// What of `found` has a track now.
    fn show(&mut self, found: &[Detection]) {
        self.shown.clear();
        let owned = found.iter().zip(&self.owners);
        self.shown.extend(owned.filter_map(|(found, owner)| {
            let track = self.tracks.get((*owner)?)?.id;
            Some(Tracked {
                track,
                detection: *found,
                age: Duration::ZERO,
            })
        }));
    }

    /// Drops what was seen once and not again, and of too many tracks the oldest out of sight.
    fn forget(&mut self) {
        let mut surplus = self.tracks.len().saturating_sub(MOST_TRACKS);
        self.tracks.retain_mut(|track| {
            track.matched = false;
            let is_surplus = surplus > 0 && !track.in_sight;
            surplus -= usize::from(is_surplus);
            !is_surplus && (track.in_sight || track.id.is_some())
        });
    }
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new(TrackerConfig::DEFAULT)
    }
}

fn new_id(next: &mut u64) -> u64 {
    let id = *next;
    *next += 1;
    id
}

#[cfg(test)]
mod people;
#[cfg(test)]
mod scenarios;
