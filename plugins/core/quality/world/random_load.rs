//! Half an hour of load and network that do what they like.

use std::time::Duration;

use proptest::prelude::*;

use super::machine::{Chain, Event, Outcome, Random, World};
use super::single::camera;
use crate::quality::{
    Config, DEFAULT_LADDER, FrameRate, Governor, InputVideo, Ladder, Preference, Sensor, StepMode,
};
use crate::time::MediaTime;
use crate::units::{Bitrate, Ratio};

const HALF_AN_HOUR: f64 = 1800.0;

/// One step at a time, and never before the wait.
fn check(events: &[Event], places: std::ops::RangeInclusive<usize>, context: &str) {
    let settle = Config::default().settle;
    for pair in events.windows(2) {
        let (before, event) = (pair[0], pair[1]);
        assert_eq!(event.switch.from, Some(before.switch.to), "{context}");
        assert!(places.contains(&event.switch.to), "{context}: {event:?}");
        let apart = event.at.since(before.at);
        if event.is_up() {
            assert_eq!(event.switch.from, Some(event.switch.to + 1), "{context}");
            assert!(
                apart >= settle + event.wait,
                "{context}: {apart:?} before {event:?}"
            );
        } else if event.sensor() != Some(Sensor::Network) {
            assert!(apart >= settle, "{context}: {apart:?} before {event:?}");
        }
    }
}

fn half_an_hour(seed: u64) -> Outcome {
    let mut random = Random::new(seed);
    let mut world = World::new(2, vec![camera(Chain::Direct)], seed);
    let mut passed = 0.0;
    while passed < HALF_AN_HOUR {
        let seconds = random.between(2.0, 60.0);
        let hogs = (random.unit() * random.unit() * 12.0) as usize;
        if random.unit() < 0.3 {
            let kbps = random.between(100.0, 8_000.0) as u64;
            let now = world.now;
            let camera = &mut world.cameras[0];
            if let Some(switch) = camera.governor.on_target(Bitrate::from_kbps(kbps), now) {
                let wait = camera.governor.wait();
                let at = now;
                camera.outcome.events.push(Event { at, switch, wait });
            }
        }
        world.run(seconds, hogs);
        passed += seconds;
    }
    world.cameras.swap_remove(0).outcome
}

#[test]
fn half_an_hour_of_random_load_is_borne() {
    for seed in 1..=8 {
        let out = half_an_hour(seed);
        check(&out.events, 1..=4, &format!("seed {seed}"));
        let fps = out.fps(0.0, HALF_AN_HOUR);
        let p95 = out.p95(0.0, HALF_AN_HOUR);
        let wrong = out.wrong(0.0, HALF_AN_HOUR);
        let context = format!(
            "seed {seed}: {fps:.1} fps, {p95:.0} ms, {} switches, {wrong} wrong",
            out.events.len()
        );
        assert!(fps > 14.0 && p95 < 100.0, "{context}");
        assert!(wrong <= 12, "{context}");
    }
}

#[test]
fn the_same_seed_gives_the_same_half_hour() {
    let (one, other) = (half_an_hour(5), half_an_hour(5));
    let trace = |out: &Outcome| -> Vec<_> {
        let events = out.events.iter();
        events.map(|event| (event.at, event.switch)).collect()
    };
    assert_eq!(trace(&one), trace(&other));
    assert_eq!(one.frames.len(), other.frames.len());
}

/// What can happen to a governor.
#[derive(Clone, Copy, Debug)]
enum Input {
    Frame(u64),
    Queue(f64),
    Latency(u64),
    Qos(f64, i64),
    Target(u64),
    Machine(f64),
    Level(usize),
    Auto(bool),
    Refused,
    Camera(u32),
}

fn inputs() -> impl Strategy<Value = Input> {
    prop_oneof![
        12 => (0..200_u64).prop_map(Input::Frame),
        3 => (0.0..1.0_f64).prop_map(Input::Queue),
        3 => (0..500_u64).prop_map(Input::Latency),
        3 => (0.0..3.0_f64, -1..2_i64).prop_map(|(p, jitter)| Input::Qos(p, jitter)),
        3 => (0..9_000_u64).prop_map(Input::Target),
        3 => (0.0..1.0_f64).prop_map(Input::Machine),
        1 => (0..6_usize).prop_map(Input::Level),
        1 => any::<bool>().prop_map(Input::Auto),
        1 => Just(Input::Refused),
        1 => (1..5_u32).prop_map(|fraction| Input::Camera(fraction * 400)),
    ]
}

fn give(governor: &mut Governor, input: Input, now: MediaTime) {
    match input {
        Input::Frame(took) => {
            governor.on_frame(now.before(Duration::from_millis(took)), now);
        }
        Input::Queue(fill) => governor.on_queue(Ratio::new(fill), now),
        Input::Latency(millis) => {
            let target = Duration::from_millis(100);
            governor.on_latency(Duration::from_millis(millis), target, now);
        }
        Input::Qos(proportion, jitter) => governor.on_qos(proportion, jitter, now),
        Input::Target(kbps) => {
            governor.on_target(Bitrate::from_kbps(kbps), now);
        }
        Input::Machine(part) => {
            governor.on_pressure(Ratio::new(part), now);
            governor.on_throttled(Ratio::new(part / 2.0), now);
            governor.on_gpu(Ratio::new(part), now);
        }
        Input::Level(place) => {
            governor.on_level(place, now);
        }
        Input::Auto(auto) => {
            governor.on_auto(auto, now);
        }
        Input::Refused => {
            governor.on_refused(None, now);
        }
        Input::Camera(width) => {
            let video = InputVideo {
                width,
                height: width * 9 / 16,
                pixel_aspect: (1, 1),
                rate: FrameRate::new(30, 1),
                scalable: true,
            };
            governor.on_input(&video, now);
        }
    }
}

proptest! {
    #[test]
    fn it_never_leaves_its_bounds_and_climbs_no_faster_than_it_may(
        inputs in prop::collection::vec((inputs(), 1..400_u64), 1..400),
        preference in prop::sample::select(vec![
            Preference::Balanced, Preference::Smooth, Preference::Sharp,
        ]),
        bounds in prop::sample::select(vec![(None, None), (Some("high"), Some("low"))]),
    ) {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap().between(bounds.0, bounds.1).unwrap();
        let ladder = ladder.steps(preference, StepMode::Both);
        let least = ladder.rungs().len() - 1;
        let mut governor = Governor::new(ladder, None, true, Config::default()).unwrap();
        let mut now = MediaTime::from_millis(1_000);
        give(&mut governor, Input::Camera(1920), now);
        let mut switched = now;
        for (input, millis) in inputs {
            now = now.after(Duration::from_millis(millis));
            let before = governor.rung();
            give(&mut governor, input, now);
            if governor.rung() != before {
                switched = now;
            }
            let wait = governor.wait();
            if let Some(switch) = governor.on_time(now) {
                let up = switch.from.is_some_and(|from| switch.to < from);
                prop_assert!(!up || now.since(switched) >= wait, "up after {:?}", now.since(switched));
                prop_assert_eq!(governor.rung(), Some(switch.to));
                switched = now;
            }
            prop_assert!(governor.rung().is_some_and(|rung| rung <= least));
            prop_assert!(governor.next_wakeup(now).is_none_or(|due| due > MediaTime::ZERO));
        }
    }
}
