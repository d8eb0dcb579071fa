//! How many networks there are.

use std::sync::atomic::Ordering;

use super::fake::{Control, instance};
use super::*;

fn alive(control: &Control, count: usize) {
    eventually("so many networks", || {
        control.alive.load(Ordering::SeqCst) == count
    });
}

#[test]
fn sessions_come_with_the_streams_up_to_the_cores_and_go_with_them() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let instance = instance(&control, &ScheduleOptions::default(), 3);
    let mut listeners = vec![Listener::new(&instance, 1)];
    alive(&control, 1);
    assert_eq!(*lock(&control.opened), [0], "as the engine likes it");
    listeners.push(Listener::new(&instance, 1));
    eventually("two more", || lock(&control.opened).len() == 3);
    alive(&control, 2);
    assert_eq!(lock(&control.opened)[1..], [1, 1]);
    listeners.extend((0..14).map(|_| Listener::new(&instance, 1)));
    eventually("all sessions", || instance.floor.present().sessions == 3);
    alive(&control, 3);
    for listener in &listeners {
        let ticket = listener.submit(3);
        assert_eq!(listener.shade(ticket), 3);
    }
    assert_eq!(
        lock(&control.opened).len(),
        4,
        "16 streams share 3 sessions"
    );
    let settles = |listener: &Listener, count| {
        eventually("fewer networks", || {
            let ticket = listener.submit(4);
            assert_eq!(listener.shade(ticket), 4);
            control.alive.load(Ordering::SeqCst) == count
        });
    };
    listeners.truncate(2);
    settles(&listeners[0], 2);
    assert_eq!(lock(&control.opened).len(), 4);
    listeners.truncate(1);
    settles(&listeners[0], 1);
    assert_eq!(lock(&control.opened)[4..], [3], "alone again");
    let ticket = listeners[0].submit(4);
    assert_eq!(listeners[0].shade(ticket), 4);
}

#[test]
fn streams_that_all_leave_load_nothing_more() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let instance = instance(&control, &ScheduleOptions::default(), 2);
    let listeners = [Listener::new(&instance, 1), Listener::new(&instance, 1)];
    eventually("two more", || lock(&control.opened).len() == 3);
    alive(&control, 2);
    drop(listeners);
    drop(instance);
    assert_eq!(lock(&control.opened).len(), 3);
    assert_eq!(control.alive.load(Ordering::SeqCst), 0);
}

#[test]
fn sessions_run_at_the_same_time() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let instance = instance(&control, &ScheduleOptions::default(), 2);
    let listeners = [Listener::new(&instance, 1), Listener::new(&instance, 1)];
    eventually("two more", || lock(&control.opened).len() == 3);
    alive(&control, 2);
    eventually("both", || instance.floor.present().sessions == 2);
    control.set_open(false);
    let tickets = [listeners[0].submit(1), listeners[1].submit(2)];
    control.wait_running(2);
    control.set_open(true);
    assert_eq!(listeners[0].shade(tickets[0]), 1);
    assert_eq!(listeners[1].shade(tickets[1]), 2);
}

#[test]
fn where_no_more_sessions_open_those_that_are_there_go_on() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let instance = instance(&control, &ScheduleOptions::default(), 4);
    control.left.store(0, Ordering::SeqCst);
    let listeners: Vec<Listener> = (0..4).map(|_| Listener::new(&instance, 1)).collect();
    for listener in &listeners {
        let ticket = listener.submit(6);
        assert_eq!(listener.shade(ticket), 6);
    }
    assert!(instance.trouble().is_none());
    assert_eq!(control.alive.load(Ordering::SeqCst), 1);
}

#[test]
fn the_user_decides_how_many_there_are() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let schedule = ScheduleOptions {
        sessions: 2,
        ..ScheduleOptions::default()
    };
    let instance = instance(&control, &schedule, 4);
    let _listener = Listener::new(&instance, 1);
    alive(&control, 2);
    assert_eq!(*lock(&control.opened), [2, 2]);
}
