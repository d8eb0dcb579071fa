//! Many cameras, too few workers.

use super::super::Reason;
use super::world::{Camera, Random, World};
use super::*;

/// Single pictures on a processor: 20 ms, now and then 30.
fn processor(_: usize, random: &mut Random) -> Duration {
    ms(20) + ms(10).mul_f64(random.unit().powi(8))
}

/// A device that gains from batches: 4 ms and 0.5 for each picture.
fn accelerator(size: usize, random: &mut Random) -> Duration {
    Duration::from_micros(4_000 + 500 * size as u64) + Duration::from_micros(random.below(300))
}

fn sixteen(fps: impl Fn(u64) -> f64, seed: u64) -> Vec<Camera> {
    let mut random = Random(seed);
    let cameras = (0..16).map(|index| Camera {
        phase: ms(random.below(40)),
        jitter: ms(6),
        ..Camera::at_fps(fps(index))
    });
    cameras.collect()
}

fn two_workers() -> Config {
    Config {
        workers: 2,
        ..config(1, 0)
    }
}

fn assert_fair(served: &[u64]) {
    let fair = served.iter().sum::<u64>() as f64 / served.len() as f64;
    for count in served {
        let share = *count as f64 / fair;
        assert!((0.9..=1.1).contains(&share), "{share}: {served:?}");
    }
}

#[test]
fn sixteen_cameras_at_overload_share_fairly_and_stay_young() {
    for seed in 1..=10 {
        let cameras = sixteen(|_| 30.0, seed);
        let mut world = World::new(two_workers(), &cameras, processor, seed);
        world.run(at(30_000));
        assert_fair(&world.served());
        let limit = 2 * world.batcher.costs().p95(1) + ms(33);
        assert!(world.p95_age() <= limit, "{:?}", world.p95_age());
        let total: u64 = world.served().iter().sum();
        assert!(total > 2 * 30 * 46, "the workers rest: {total} in 30 s");
    }
}

#[test]
fn a_slow_camera_gets_all_it_wants_and_the_fast_ones_share_the_rest() {
    let fps = |index| if index < 4 { 2.0 } else { 30.0 + index as f64 };
    let cameras = sixteen(fps, 3);
    let mut world = World::new(two_workers(), &cameras, processor, 3);
    world.run(at(30_000));
    for slow in &world.outcomes[..4] {
        assert!(slow.served + 1 >= slow.sent, "{slow:?}");
    }
    assert_fair(&world.served()[4..]);
}

#[test]
fn deadlines_that_differ_take_no_share_at_overload() {
    let mut cameras = sixteen(|_| 30.0, 5);
    for (index, camera) in cameras.iter_mut().enumerate() {
        camera.deadline = ms(10 + 40 * index as u64);
    }
    let mut world = World::new(two_workers(), &cameras, processor, 5);
    world.run(at(30_000));
    assert_fair(&world.served());
}

#[test]
fn streams_that_keep_every_frame_share_fairly_too() {
    let mut cameras = sixteen(|_| 30.0, 6);
    for camera in &mut cameras {
        camera.backlog = 25;
    }
    let mut world = World::new(two_workers(), &cameras, processor, 6);
    world.run(at(30_000));
    assert_fair(&world.served());
}

#[test]
fn a_camera_that_stops_costs_the_others_nothing() {
    for (made, cost) in [
        (two_workers(), processor as fn(usize, &mut Random) -> _),
        (config(32, 5), accelerator),
    ] {
        let cameras = sixteen(|_| 25.0, 9);
        let mut before = World::new(made.clone(), &cameras, cost, 9);
        before.run(at(20_000));
        let mut stopping = cameras.clone();
        stopping[7].stops = at(5_000);
        let mut after = World::new(made, &stopping, cost, 9);
        after.run(at(20_000));
        for index in (0..16).filter(|index| *index != 7) {
            let (before, after) = (before.served()[index], after.served()[index]);
            assert!(after + 2 >= before, "camera {index}: {before} to {after}");
        }
        let (before, after) = (before.p95_age(), after.p95_age());
        assert!(after <= before + ms(1), "{before:?} to {after:?}");
    }
}

#[test]
fn thirty_two_cameras_in_step_make_full_batches() {
    let camera = Camera {
        jitter: ms(3),
        deadline: ms(100),
        ..Camera::at_fps(30.0)
    };
    let mut world = World::new(config(32, 5), &[camera; 32], accelerator, 2);
    world.run(at(20_000));
    let large = world
        .batches
        .iter()
        .skip(100)
        .filter(|(_, size)| *size >= 30);
    let (large, all) = (large.count(), world.batches.len() - 100);
    assert!(large * 10 >= all * 9, "{large} of {all}");
    let is_full = |(reason, size): &&(Reason, usize)| *reason == Reason::Full && *size == 32;
    assert!(world.batches.iter().filter(is_full).count() > 300);
    assert!(world.ages().all(|age| age <= ms(5 + 21 + 21)));
    assert!(world.outcomes.iter().all(|outcome| outcome.late == 0));
}

#[test]
fn thirty_two_cameras_out_of_step_never_wait_longer_than_the_delay() {
    let mut random = Random(4);
    let cameras: Vec<Camera> = (0..32)
        .map(|_| Camera {
            phase: Duration::from_micros(random.below(33_000)),
            jitter: ms(2),
            ..Camera::at_fps(30.0)
        })
        .collect();
    let mut world = World::new(config(32, 5), &cameras, accelerator, 4);
    world.run(at(20_000));
    // What waited for the running batch, and then for its own.
    let oldest = world.ages().max();
    assert!(oldest <= Some(ms(5 + 12 + 12)), "{oldest:?}");
    let all_served = |outcome: &world::Outcome| outcome.served + 1 >= outcome.sent;
    assert!(world.outcomes.iter().all(all_served));
}

#[test]
fn a_lone_camera_waits_for_nobody() {
    let camera = Camera::at_fps(30.0);
    let mut world = World::new(config(32, 5), &[camera], accelerator, 1);
    world.run(at(10_000));
    assert!(world.ages().all(|age| age < ms(5)));
}

#[test]
fn where_the_load_fits_no_deadline_is_missed() {
    let mut cameras = sixteen(|_| 5.0, 8);
    for (index, camera) in cameras.iter_mut().enumerate() {
        camera.deadline = if index % 4 == 0 { ms(75) } else { ms(320) };
    }
    // 80 frames a second, and room for about 95: whoever has time must let the others pass.
    let mut world = World::new(two_workers(), &cameras, processor, 8);
    world.run(at(30_000));
    let late: u64 = world.outcomes.iter().map(|outcome| outcome.late).sum();
    let served: u64 = world.served().iter().sum();
    assert!(late * 200 <= served, "{late} of {served}");
}

#[test]
fn an_overload_that_ends_leaves_nothing_behind() {
    let mut cameras = sixteen(|_| 30.0, 11);
    for camera in &mut cameras[2..] {
        camera.stops = at(10_000);
    }
    let mut world = World::new(two_workers(), &cameras, processor, 11);
    world.run(at(20_000));
    for outcome in &world.outcomes[..2] {
        let last = &outcome.ages[outcome.ages.len() - 100..];
        assert!(last.iter().all(|age| *age <= ms(32)), "{last:?}");
    }
}
