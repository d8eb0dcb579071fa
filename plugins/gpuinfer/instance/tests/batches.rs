//! Frames of many streams in one run.

use std::sync::atomic::Ordering;

use livetune_core::infer::Region;

use super::fake::{Control, instance};
use super::*;
use crate::runtime::figures::{Value, structure};

fn accelerator(delay: u64) -> (Arc<Control>, Arc<Instance>) {
    let control = Control::new(ActiveDevice::Accelerator, 64);
    let schedule = ScheduleOptions {
        max_queue_delay: Duration::from_millis(delay),
        ..ScheduleOptions::default()
    };
    let instance = instance(&control, &schedule, 2);
    lock(&control.sizes).clear();
    (control, instance)
}

#[test]
fn frames_that_came_while_the_network_ran_are_one_batch_of_a_prepared_size() {
    let (control, instance) = accelerator(5);
    let listeners: Vec<Listener> = (0..13).map(|_| Listener::new(&instance, 1)).collect();
    control.set_open(false);
    let first = listeners[0].submit(0);
    control.wait_running(1);
    let send = |(shade, listener): (u8, &Listener)| listener.submit(shade);
    let tickets: Vec<u64> = (0..).zip(&listeners).map(send).collect();
    control.set_open(true);
    assert_eq!(listeners[0].shade(first), 0);
    for (shade, listener) in listeners.iter().enumerate() {
        assert_eq!(listener.shade(tickets[shade]), shade);
    }
    assert_eq!(*lock(&control.sizes), [1, 13]);
    let stats = structure("stats", &instance.figures());
    assert_eq!(stats.get::<u64>("padding"), Ok(3));
    assert_eq!(stats.get::<u64>("batches"), Ok(2));
    assert_eq!(stats.get::<f64>("batch-size"), Ok(7.0));
    let sizes = stats.get::<gst::Structure>("batch-sizes").expect("by size");
    assert_eq!((sizes.get("1"), sizes.get("16")), (Ok(1_u64), Ok(1_u64)));
}

#[test]
fn a_batch_is_not_larger_than_the_network_or_the_user_allows() {
    let accelerator = ActiveDevice::Accelerator;
    assert_eq!(Sizes::of(accelerator, 0, 64).max_batch, 32);
    assert_eq!(Sizes::of(accelerator, 0, 1).preferred, [1]);
    assert_eq!(Sizes::of(accelerator, 5, 64).preferred, [1, 2, 3, 4, 5]);
    assert_eq!(Sizes::of(ActiveDevice::Cpu, 0, 64).max_batch, 1);
    let asked = Sizes::of(ActiveDevice::Cpu, 4, 64);
    assert_eq!((asked.max_batch, asked.preferred.len()), (4, 0));
    let (control, instance) = self::accelerator(5);
    let listener = Listener::new(&instance, 100);
    control.set_open(false);
    let tickets: Vec<u64> = (0..80).map(|shade| listener.submit(shade)).collect();
    control.set_open(true);
    for (shade, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(listener.shade(ticket), shade);
    }
    assert!(lock(&control.sizes).iter().all(|size| *size <= 32));
}

/// A rhythm that makes the streams wait for each other: both have frames every 20 ms.
fn in_step(instance: &Arc<Instance>) -> [Listener; 2] {
    let listeners = [Listener::new(instance, 1), Listener::new(instance, 1)];
    let start = clock::monotonic();
    for frame in 1..=12 {
        let due = start.after(Duration::from_millis(20 * frame));
        eventually("the next frame", || clock::monotonic() >= due);
        let tickets = [listeners[0].submit(1), listeners[1].submit(2)];
        for (listener, ticket) in listeners.iter().zip(tickets) {
            listener.wait(ticket);
        }
    }
    listeners
}

#[test]
fn a_stream_that_ends_or_leaves_keeps_nobody_waiting() {
    for leaves in [false, true] {
        let (_control, instance) = accelerator(600_000);
        let [one, other] = in_step(&instance);
        if leaves {
            drop(other);
        } else {
            other.stream.end();
        }
        let ticket = one.submit(9);
        assert_eq!(one.shade(ticket), 9);
        let ticket = one.submit(8);
        one.stream.end();
        assert_eq!(one.shade(ticket), 8);
    }
}

#[test]
fn a_stream_that_falls_silent_holds_the_others_for_two_of_its_frames_at_most() {
    let (_control, instance) = accelerator(600_000);
    let [one, _silent] = in_step(&instance);
    let start = clock::monotonic();
    for _ in 0..3 {
        let ticket = one.submit(9);
        assert_eq!(one.shade(ticket), 9);
    }
    assert!(clock::monotonic().since(start) < Duration::from_secs(10));
}

#[test]
fn figures_have_unique_names_and_tell_what_was_measured() {
    let (_control, instance) = accelerator(5);
    let listener = Listener::new(&instance, 1);
    let ticket = listener.submit(9);
    listener.wait(ticket);
    let figures = instance.figures();
    let names: std::collections::BTreeSet<_> = figures.iter().map(|figure| figure.name).collect();
    assert_eq!(names.len(), figures.len());
    let stats = structure("stats", &figures);
    for (name, expected) in [
        ("streams", 1),
        ("sessions", 1),
        ("served", 1),
        ("failed", 0),
    ] {
        assert_eq!(stats.get::<u64>(name), Ok(expected), "{name}");
    }
    assert_eq!(stats.get::<u64>("model-bytes"), Ok(7));
    let waits = figures.iter().find(|figure| figure.name == "queue-waits");
    let Some(Value::Distribution(waits)) = waits.map(|figure| &figure.value) else {
        unreachable!("{waits:?}");
    };
    assert_eq!(waits.count, 1);
    assert!(instance.cost(1) > Duration::ZERO);
}

#[test]
fn the_regions_of_a_frame_are_one_batch_where_there_is_room() {
    let regions = |count: u32| {
        (0..count).map(|top| Region {
            left: 0,
            top,
            width: 4,
            height: 4,
        })
    };
    for (device, wanted, expected) in [
        (ActiveDevice::Accelerator, 0, vec![5]),
        (ActiveDevice::Accelerator, 2, vec![2, 2, 1]),
        (ActiveDevice::Cpu, 0, vec![1; 5]),
        (ActiveDevice::Cpu, 4, vec![4, 1]),
    ] {
        let control = Control::new(device, 64);
        let schedule = ScheduleOptions {
            max_batch: wanted,
            ..ScheduleOptions::default()
        };
        let instance = instance(&control, &schedule, 1);
        lock(&control.sizes).clear();
        let listener = Listener::new(&instance, 1);
        let mut job = job(7);
        job.regions.list_mut().extend(regions(5));
        let ticket = listener.stream.submit(job, NEVER, clock::monotonic());
        assert_eq!(listener.shade(ticket), 7);
        assert_eq!(*lock(&control.sizes), expected, "{device:?} {wanted}");
    }
}

#[test]
fn a_network_that_comes_back_on_the_processor_is_served_as_is_right_there() {
    let (control, instance) = accelerator(5);
    let listeners: Vec<Listener> = (0..3).map(|_| Listener::new(&instance, 4)).collect();
    *lock(&control.then) = Some(ActiveDevice::Cpu);
    // As a GPU that is lost; after so many failures the network is opened anew.
    control.fails.store(3, Ordering::SeqCst);
    for _ in 0..3 {
        let ticket = listeners[0].submit(1);
        assert!(listeners[0].failure(ticket).contains("memory"));
    }
    let sessions = || {
        let stats = structure("stats", &instance.figures());
        (
            stats.get::<u64>("sessions"),
            stats.get::<u64>("session-threads"),
        )
    };
    eventually("a session for each core", || sessions() == (Ok(2), Ok(1)));
    eventually("only those", || control.alive.load(Ordering::SeqCst) == 2);
    lock(&control.sizes).clear();
    control.set_open(false);
    let send = |listener: &Listener| [listener.submit(4), listener.submit(5)];
    let tickets: Vec<_> = listeners.iter().map(send).collect();
    control.set_open(true);
    for (listener, [first, second]) in listeners.iter().zip(tickets) {
        assert_eq!((listener.shade(first), listener.shade(second)), (4, 5));
    }
    assert_eq!(*lock(&control.sizes), [1; 6], "batches gain nothing there");
}
