//! Real people, as a real network saw them.
//!
//! `people.txt` is what YOLOX-nano found in the video one-by-one-person-detection.mp4 of Intel's sample videos at five
//! frames a second: the time in ms, and of each person left, top, right and bottom in pixels, and the confidence in
//! percent. Six people walk through, one after another.

use std::collections::BTreeMap;

use super::*;

/// The length of the video: frames without a person are not in the list.
const END: u64 = 139_000;

fn people() -> BTreeMap<u64, Vec<Detection>> {
    let number = |text: &str| text.parse::<f32>().expect("a number");
    let person = |text: &str| {
        let mut numbers = text.split(',').map(number);
        let mut next = || numbers.next().expect("five numbers");
        let area = Area {
            left: next(),
            top: next(),
            right: next(),
            bottom: next(),
        };
        Detection {
            area,
            class: 0,
            confidence: next() / 100.0,
        }
    };
    let frame = |line: &str| {
        let (time, people) = line.split_once(' ').expect("a time and people");
        let time = time.parse().expect("milliseconds");
        (time, people.split(' ').map(person).collect())
    };
    include_str!("people.txt").lines().map(frame).collect()
}

/// How often each id was seen where the network sees every frame `interval` ms after the other; and those without.
fn follow(interval: u64, confidence: f32) -> (BTreeMap<u64, usize>, usize) {
    let people = people();
    let mut tracker = Tracker::default();
    let (mut ids, mut without) = (BTreeMap::new(), 0);
    for time in (0..END).step_by(interval as usize) {
        let found = people.get(&time).map_or(&[][..], Vec::as_slice);
        let shown = tracker.on_detections(found, confidence, MediaTime::from_millis(time));
        for shown in shown {
            match shown.track {
                Some(id) => *ids.entry(id).or_default() += 1,
                None => without += 1,
            }
        }
    }
    (ids, without)
}

#[test]
fn there_are_as_many_ids_as_people() {
    for confidence in [0.3, 0.5, 0.7] {
        let (ids, without) = follow(200, confidence);
        assert_eq!(ids.len(), 6, "from {confidence}: {ids:?}");
        let all: usize = ids.values().sum();
        assert!(all >= 400 && without <= 20, "{without} of {all} without");
    }
}

/// Every second or third frame: a person has walked half their width and more.
#[test]
fn where_the_network_sees_few_frames_there_are_little_more_ids_than_people() {
    for interval in [400, 600] {
        let (ids, _) = follow(interval, 0.5);
        assert!((6..=8).contains(&ids.len()), "{interval} ms: {ids:?}");
    }
}
