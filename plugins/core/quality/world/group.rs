//! Thirty cameras on one machine, ten of them with a higher priority.

use std::time::Duration;

use super::machine::{Camera, Chain, Event, World, at};
use super::single::input;
use crate::quality::{Config, Governor, InputVideo, Ladder};

const CAMERAS: usize = 30;
const PRIORITY: usize = 10;

/// At their best, thirty of these take a tenth more of two processors than there is.
const LADDER: &str = "high=640x360@25,medium=480x270@20,low=320x180@12,ultra-low=160x90@6";

const RATE: f64 = 25.0;

fn cameras(count: usize) -> Vec<Camera> {
    let video = InputVideo {
        width: 640,
        height: 360,
        rate: crate::quality::FrameRate::new(25, 1),
        ..input()
    };
    let one = |_| {
        let ladder = Ladder::parse(LADDER).unwrap();
        let governor = Governor::new(ladder, None, true, Config::default()).unwrap();
        Camera::new(governor, &video, Chain::Direct)
    };
    (0..count).map(one).collect()
}

fn world(grouped: bool, seed: u64) -> World {
    let mut world = World::new(2, cameras(CAMERAS), seed);
    for (index, camera) in world.cameras.iter_mut().enumerate() {
        camera.shift(Duration::from_millis(index as u64 * 40 / CAMERAS as u64));
        camera.acts = false;
        if grouped {
            camera.join(&mut world.arbiter, i32::from(index < PRIORITY));
        }
    }
    world
}

/// The part of its 25 frames a second that the camera got which got least of those.
fn least(world: &World, cameras: std::ops::Range<usize>, from: f64, to: f64) -> f64 {
    let cameras = &world.cameras[cameras];
    let parts = cameras
        .iter()
        .map(|camera| camera.outcome.fps(from, to) / RATE);
    parts.fold(f64::INFINITY, f64::min)
}

fn rungs(world: &World, cameras: std::ops::Range<usize>) -> Vec<usize> {
    let cameras = world.cameras[cameras].iter();
    cameras
        .map(|camera| camera.governor.rung().unwrap())
        .collect()
}

/// Every switch of every camera, in order, with the camera.
fn events(world: &World) -> Vec<(usize, Event)> {
    let cameras = world.cameras.iter().enumerate();
    let mut events: Vec<(usize, Event)> = cameras
        .flat_map(|(index, camera)| {
            camera
                .outcome
                .events
                .iter()
                .map(move |event| (index, *event))
        })
        .collect();
    events.sort_by_key(|(_, event)| event.at);
    events
}

#[test]
fn those_of_high_priority_keep_their_rate_while_the_others_give_way() {
    for seed in 1..=4 {
        let mut stock = world(false, seed);
        stock.run(20.0, 0).run(60.0, 8).run(60.0, 0);
        let mut ours = world(true, seed);
        ours.run(20.0, 0).run(60.0, 8);
        let under_load = rungs(&ours, 0..CAMERAS);
        ours.run(60.0, 0);
        let (high, plain) = (
            least(&ours, 0..PRIORITY, 0.0, 140.0),
            least(&stock, 0..PRIORITY, 0.0, 140.0),
        );
        let context = format!("seed {seed}: {high:.3}, stock {plain:.3}; {under_load:?}");
        assert!(high >= 0.95, "{context}");
        assert!(plain < 0.85, "{context}");
        assert_eq!(under_load[..PRIORITY], [0; PRIORITY], "{context}");
        assert!(
            under_load[PRIORITY..].iter().all(|rung| *rung > 0),
            "{context}"
        );
        let after = rungs(&ours, PRIORITY..CAMERAS);
        let gained = after.iter().filter(|rung| **rung == 0).count();
        assert!(gained >= 10, "{context}, then {after:?}");
    }
}

#[test]
fn switches_of_a_group_are_half_a_second_apart_and_fair() {
    for seed in 1..=4 {
        let mut world = world(true, seed);
        world.run(20.0, 0).run(60.0, 8);
        let events = events(&world);
        assert!(events.len() > 20, "seed {seed}: {}", events.len());
        for pair in events.windows(2) {
            let apart = pair[1].1.at.since(pair[0].1.at);
            // An order is carried out with the next frame of the camera that it is for.
            assert!(
                apart >= Duration::from_millis(300),
                "seed {seed}: {apart:?}"
            );
        }
        let low = rungs(&world, PRIORITY..CAMERAS);
        let (most, least) = (low.iter().max().unwrap(), low.iter().min().unwrap());
        assert!(most - least <= 1, "seed {seed}: {low:?}");
    }
}

#[test]
fn priority_cameras_go_down_last_and_come_back_first() {
    let mut world = world(true, 1);
    world.run(20.0, 0).run(90.0, 60);
    let least = 3;
    let first_high = events(&world)
        .into_iter()
        .find(|(camera, _)| *camera < PRIORITY);
    let (_, first_high) = first_high.unwrap();
    let mut low = [0; CAMERAS];
    for (camera, event) in events(&world) {
        if event.at < first_high.at {
            low[camera] = event.switch.to;
        }
    }
    assert_eq!(low[PRIORITY..], [least; CAMERAS - PRIORITY]);
    world.run(60.0, 0);
    let ups = events(&world)
        .into_iter()
        .filter(|(_, event)| event.at > at(110.0) && event.is_up());
    let order: Vec<bool> = ups.map(|(camera, _)| camera < PRIORITY).collect();
    let first_low = order.iter().position(|high| !high).unwrap_or(order.len());
    assert!(
        first_low > 0 && !order[first_low..].contains(&true),
        "{order:?}"
    );
    assert_eq!(rungs(&world, 0..PRIORITY), [0; PRIORITY]);
}

/// An important camera and two others; the encoder of the first is a device of its own, which takes 45 ms for a frame of
/// 40 from 20 s on.
fn slow_device(hogs: usize, seed: u64) -> World {
    let mut world = World::new(4, cameras(3), seed);
    for (index, camera) in world.cameras.iter_mut().enumerate() {
        camera.join(&mut world.arbiter, if index == 0 { 5 } else { 0 });
    }
    world.cameras[0].device = Some(1.0);
    world.run(20.0, hogs);
    world.cameras[0].device = Some(0.066);
    world.run(60.0, hogs);
    world
}

#[test]
fn a_camera_whose_own_encoder_is_too_slow_costs_the_others_nothing() {
    for seed in 1..=4 {
        let mut world = slow_device(0, seed);
        let first = world.cameras[0].outcome.first(false, 20.0).unwrap();
        assert!(first <= 0.8, "seed {seed}: {first}");
        assert_eq!(rungs(&world, 0..3), [1, 0, 0], "seed {seed}");
        assert!(
            events(&world).iter().all(|(camera, _)| *camera == 0),
            "seed {seed}: {:?}",
            events(&world)
        );
        world.cameras[0].device = Some(1.0);
        world.run(20.0, 0);
        assert_eq!(rungs(&world, 0..3), [0; 3], "seed {seed}");
    }
}

#[test]
fn on_a_full_machine_it_costs_them_a_few_seconds() {
    for seed in 1..=4 {
        let world = slow_device(8, seed);
        let own = world.cameras[0].outcome.first(false, 20.0).unwrap();
        assert!(own <= 3.0, "seed {seed}: {own}");
        assert_eq!(rungs(&world, 0..3), [1, 0, 0], "seed {seed}");
        let gave = events(&world).into_iter().filter(|(camera, _)| *camera > 0);
        let gave: Vec<Event> = gave.map(|(_, event)| event).collect();
        assert!(!gave.is_empty(), "the machine is full: they go first");
        assert!(
            gave.iter().all(|event| event.at < at(26.0)),
            "seed {seed}: {gave:?}"
        );
    }
}
