//! Objects that walk, cross, hide and flicker, in virtual time.

use super::*;

const CONFIDENCE: f32 = 0.5;
const PERSON: usize = 0;
const DOG: usize = 1;

/// Something that walks on a straight line.
#[derive(Clone, Copy)]
struct Walker {
    class: usize,
    start: (f32, f32),
    /// Pixels per second.
    velocity: (f32, f32),
    size: (f32, f32),
}

impl Walker {
    const fn person(x: f32, velocity: f32) -> Self {
        Self {
            class: PERSON,
            start: (x, 200.0),
            velocity: (velocity, 0.0),
            size: (60.0, 150.0),
        }
    }

    fn area(&self, seconds: f32) -> Area {
        let (x, y) = self.start;
        let (right, down) = self.velocity;
        let (width, height) = self.size;
        Area::around(x + right * seconds, y + down * seconds, width, height)
    }

    fn seen(&self, seconds: f32, confidence: f32) -> Detection {
        Detection {
            area: self.area(seconds),
            class: self.class,
            confidence,
        }
    }
}

fn time(seconds: f32) -> MediaTime {
    MediaTime::from_nanos((f64::from(seconds) * 1e9) as u64)
}

/// The tracks of `frames` frames a second apart by 1/`rate`, each with what `sight` says of it.
fn follow(
    tracker: &mut Tracker,
    frames: std::ops::Range<usize>,
    rate: f32,
    sight: impl Fn(f32) -> Vec<Detection>,
) -> Vec<Vec<Option<u64>>> {
    frames
        .map(|frame| {
            let seconds = frame as f32 / rate;
            let shown = tracker.on_detections(&sight(seconds), CONFIDENCE, time(seconds));
            shown.iter().map(|shown| shown.track).collect()
        })
        .collect()
}

/// A number from -1 to 1 that looks random, and is the same every time.
fn noise(seed: &mut u64) -> f32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
}

#[test]
fn objects_that_cross_keep_their_ids() {
    for rate in [10.0, 25.0, 60.0] {
        let (one, other) = (Walker::person(100.0, 80.0), Walker::person(400.0, -80.0));
        let mut tracker = Tracker::default();
        let shown = follow(&mut tracker, 0..(4.0 * rate) as usize, rate, |seconds| {
            // One of the two is hidden behind the other while they meet.
            let hidden = one.area(seconds).iou(&other.area(seconds)) > 0.5;
            let mut seen = vec![one.seen(seconds, 0.9)];
            seen.extend((!hidden).then(|| other.seen(seconds, 0.8)));
            seen
        });
        let (first, last) = (shown.first().cloned(), shown.last().cloned());
        assert_eq!(first, Some(vec![Some(1), Some(2)]), "{rate} fps");
        assert_eq!(last, first, "{rate} fps");
    }
}

#[test]
fn a_second_behind_a_wall_does_not_cost_the_id() {
    for rate in [8.0, 30.0] {
        let walker = Walker::person(50.0, 120.0);
        let mut tracker = Tracker::default();
        let shown = follow(&mut tracker, 0..(4.0 * rate) as usize, rate, |seconds| {
            let hidden = (1.5..2.5).contains(&seconds);
            (!hidden)
                .then(|| walker.seen(seconds, 0.9))
                .into_iter()
                .collect()
        });
        let ids: Vec<_> = shown.into_iter().flatten().collect();
        assert!(ids.iter().all(|id| *id == Some(1)), "{rate} fps: {ids:?}");
    }
}

#[test]
fn who_is_gone_for_longer_comes_back_as_another() {
    let walker = Walker::person(50.0, 0.0);
    let mut tracker = Tracker::default();
    let shown = follow(&mut tracker, 0..60, 10.0, |seconds| {
        let gone = (2.0..4.5).contains(&seconds);
        (!gone)
            .then(|| walker.seen(seconds, 0.9))
            .into_iter()
            .collect()
    });
    assert_eq!(shown.last(), Some(&vec![Some(2)]));
}

#[test]
fn a_dip_of_confidence_is_shown_and_keeps_the_id() {
    let walker = Walker::person(50.0, 100.0);
    let mut tracker = Tracker::default();
    let shown = follow(&mut tracker, 0..60, 30.0, |seconds| {
        let confidence = if (0.8..1.2).contains(&seconds) {
            0.15
        } else {
            0.9
        };
        vec![walker.seen(seconds, confidence)]
    });
    assert!(shown.iter().all(|ids| *ids == [Some(1)]), "{shown:?}");
}

#[test]
fn what_was_never_sure_is_not_shown() {
    let walker = Walker::person(50.0, 100.0);
    let mut tracker = Tracker::default();
    let shown = follow(&mut tracker, 0..30, 30.0, |seconds| {
        vec![walker.seen(seconds, 0.4)]
    });
    assert!(shown.iter().all(Vec::is_empty), "{shown:?}");
}

#[test]
fn what_flickers_up_once_is_shown_and_takes_no_id() {
    let walker = Walker::person(50.0, 0.0);
    let mut tracker = Tracker::default();
    tracker.on_detections(&[], CONFIDENCE, time(0.0));
    let shown = follow(&mut tracker, 1..20, 10.0, |seconds| {
        let ghost = Walker::person(300.0 + 400.0 * seconds, 0.0);
        vec![walker.seen(seconds, 0.9), ghost.seen(seconds, 0.6)]
    });
    assert_eq!(shown[0], [None, None]);
    assert!(
        shown[1..].iter().all(|ids| *ids == [Some(1), None]),
        "{shown:?}"
    );
}

#[test]
fn classes_are_followed_apart() {
    let person = Walker::person(100.0, 50.0);
    let dog = Walker {
        class: DOG,
        ..person
    };
    let mut tracker = Tracker::default();
    let shown = follow(&mut tracker, 0..30, 10.0, |seconds| {
        vec![dog.seen(seconds, 0.8), person.seen(seconds, 0.9)]
    });
    assert!(shown.iter().all(|ids| *ids == [Some(1), Some(2)]));
}

#[test]
fn frames_left_out_do_not_matter() {
    let walker = Walker::person(50.0, 100.0);
    let mut tracker = Tracker::default();
    let times = [0.0, 0.03, 0.07, 0.1, 0.3, 0.5, 0.52, 0.9, 1.1, 1.13, 1.5];
    for seconds in times {
        let shown = tracker.on_detections(&[walker.seen(seconds, 0.9)], CONFIDENCE, time(seconds));
        assert_eq!(
            shown.first().and_then(|shown| shown.track),
            Some(1),
            "{seconds} s"
        );
    }
}

#[test]
fn boxes_are_carried_to_where_the_object_went() {
    let walker = Walker::person(50.0, 100.0);
    let mut tracker = Tracker::default();
    follow(&mut tracker, 0..31, 30.0, |seconds| {
        vec![walker.seen(seconds, 0.9)]
    });
    let carried = tracker.predict(time(1.2));
    assert_eq!(carried.len(), 1);
    assert_eq!(carried[0].track, Some(1));
    assert!((carried[0].age.as_secs_f32() - 0.2).abs() < 1e-3);
    let overlap = carried[0].detection.area.iou(&walker.area(1.2));
    assert!(overlap > 0.9, "{overlap}");
    let again = tracker.predict(time(1.2)).to_vec();
    assert_eq!(again, tracker.predict(time(1.2)), "asking changes nothing");
}

#[test]
fn what_is_hidden_is_not_carried() {
    let walker = Walker::person(50.0, 100.0);
    let mut tracker = Tracker::default();
    follow(&mut tracker, 0..10, 30.0, |seconds| {
        vec![walker.seen(seconds, 0.9)]
    });
    tracker.on_detections(&[], CONFIDENCE, time(0.4));
    assert!(tracker.predict(time(0.45)).is_empty());
}

#[test]
fn no_id_is_given_twice() {
    let mut tracker = Tracker::default();
    let walker = Walker::person(50.0, 0.0);
    let mut given = Vec::new();
    // Gone for long, then a flush, then back to the start as after a seek.
    for start in [0.0, 10.0, 20.0, 30.0, 1.0] {
        let mut ids: Vec<_> = (0..5)
            .filter_map(|frame| {
                let now = time(start + frame as f32 / 10.0);
                let shown = tracker.on_detections(&[walker.seen(0.0, 0.9)], CONFIDENCE, now);
                shown.first()?.track
            })
            .collect();
        ids.dedup();
        given.extend(ids);
        if start == 20.0 {
            tracker.reset();
        }
    }
    assert_eq!(given, [1, 2, 3, 4, 5]);
}

#[test]
fn a_crowd_with_jitter_and_gaps_keeps_its_ids() {
    let mut seed = 7;
    let walkers: Vec<Walker> = (0..12)
        .map(|at| Walker {
            start: (100.0 + 120.0 * at as f32, 100.0 + 40.0 * (at % 5) as f32),
            velocity: (30.0 * noise(&mut seed), 15.0 * noise(&mut seed)),
            ..Walker::person(0.0, 0.0)
        })
        .collect();
    let mut tracker = Tracker::default();
    let mut ids = std::collections::BTreeSet::new();
    for frame in 0..300 {
        let seconds = frame as f32 / 25.0;
        let seen: Vec<Detection> = walkers
            .iter()
            .filter_map(|walker| {
                let missed = noise(&mut seed) > 0.7;
                let mut seen = walker.seen(seconds, 0.7 + 0.25 * noise(&mut seed));
                for edge in [
                    &mut seen.area.left,
                    &mut seen.area.top,
                    &mut seen.area.right,
                    &mut seen.area.bottom,
                ] {
                    *edge += 3.0 * noise(&mut seed);
                }
                (!missed).then_some(seen)
            })
            .collect();
        let shown = tracker.on_detections(&seen, CONFIDENCE, time(seconds));
        ids.extend(shown.iter().filter_map(|shown| shown.track));
    }
    assert_eq!(ids.len(), walkers.len());
}

#[test]
fn tracks_do_not_pile_up() {
    let mut tracker = Tracker::default();
    for frame in 0..40 {
        let row = 1000.0 * (frame / 2) as f32;
        let seen: Vec<Detection> = (0..300)
            .map(|at| Walker::person(100.0 * at as f32, 0.0))
            .map(|walker| {
                Walker {
                    start: (walker.start.0, row),
                    ..walker
                }
                .seen(0.0, 0.9)
            })
            .collect();
        tracker.on_detections(&seen, CONFIDENCE, time(frame as f32 / 100.0));
    }
    assert!(tracker.tracks.len() <= MOST_TRACKS + 300);
}
