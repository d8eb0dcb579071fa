//! Flushes, leaves, deaths.

use std::sync::atomic::Ordering;

use super::fake::{Control, FakeSource, instance, single};
use super::*;

#[test]
fn a_flush_takes_back_what_waits_and_what_runs_answers_nobody() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 4);
    let other = Listener::new(&instance, 4);
    control.set_open(false);
    let runs = listener.submit(1);
    control.wait_running(1);
    let waits = [listener.submit(2), listener.submit(3)];
    let others = other.submit(4);
    listener.stream.flush();
    let after = listener.submit(5);
    control.set_open(true);
    assert_eq!(listener.shade(after), 5);
    assert_eq!(other.shade(others), 4);
    for ticket in [runs, waits[0], waits[1]] {
        assert!(listener.stream.take(ticket).is_none());
    }
    assert_eq!(listener.bell.calls(), 1);
}

#[test]
fn a_stream_that_leaves_with_frames_in_flight_leaves_nothing_behind() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 4);
    control.set_open(false);
    let job = job(1);
    let mut running = job.buffer.clone();
    listener.stream.submit(job, NEVER, clock::monotonic());
    control.wait_running(1);
    let job = self::job(2);
    let mut waiting = job.buffer.clone();
    listener.stream.submit(job, NEVER, clock::monotonic());
    let bell = listener.bell.clone();
    drop(listener);
    assert!(waiting.get_mut().is_some(), "it still waits");
    control.set_open(true);
    eventually("the buffer", || running.get_mut().is_some());
    drop(instance);
    assert_eq!(control.alive.load(Ordering::SeqCst), 0, "a network is left");
    assert_eq!(bell.calls(), 0);
    assert_eq!(Arc::strong_count(&control), 1);
}

#[test]
fn the_last_stream_may_leave_from_where_it_was_woken() {
    let (control, instance) = single();
    let held: Arc<Mutex<Option<Stream>>> = Arc::default();
    let place = held.clone();
    let wake: Wake = Arc::new(move || drop(lock(&place).take()));
    let stream = instance.join(1, wake);
    control.set_open(false);
    stream.submit(job(1), NEVER, clock::monotonic());
    *lock(&held) = Some(stream);
    drop(instance);
    control.set_open(true);
    eventually("the end of the network", || {
        control.alive.load(Ordering::SeqCst) == 0
    });
}

#[test]
fn a_panic_in_the_network_fails_its_frames_and_the_next_network_goes_on() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 1);
    control.panics.store(true, Ordering::SeqCst);
    let ticket = listener.submit(1);
    assert!(listener.failure(ticket).contains("died"));
    let ticket = listener.submit(2);
    assert_eq!(listener.shade(ticket), 2);
    assert!(instance.trouble().is_none());
}

#[test]
fn where_nobody_works_any_more_frames_fail_at_once_and_say_why() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 4);
    control.left.store(0, Ordering::SeqCst);
    control.set_open(false);
    let runs = listener.submit(1);
    control.wait_running(1);
    let waits = listener.submit(2);
    control.panics.store(true, Ordering::SeqCst);
    control.set_open(true);
    assert!(listener.failure(runs).contains("died"));
    assert!(listener.failure(waits).contains("no more networks"));
    let calls = listener.bell.calls();
    let late = listener.submit(3);
    let Some(Outcome::Failed(why)) = listener.stream.take(late) else {
        unreachable!("nobody works");
    };
    assert!(why.contains("no more networks"), "{why}");
    assert_eq!(listener.bell.calls(), calls + 1);
    assert!(instance.trouble().is_some());
}

#[test]
fn an_error_fails_its_frames_and_after_three_the_network_is_opened_anew() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 1);
    control.fails.store(3, Ordering::SeqCst);
    for networks in [1, 1, 1] {
        assert_eq!(lock(&control.opened).len(), networks);
        let ticket = listener.submit(1);
        assert_eq!(listener.failure(ticket), "no memory left");
    }
    let ticket = listener.submit(2);
    assert_eq!(listener.shade(ticket), 2);
    assert_eq!(lock(&control.opened).len(), 2);
    control.fails.store(1, Ordering::SeqCst);
    let ticket = listener.submit(1);
    assert_eq!(listener.failure(ticket), "no memory left");
    let ticket = listener.submit(2);
    assert_eq!(listener.shade(ticket), 2);
    assert_eq!(lock(&control.opened).len(), 2, "one failure is none");
}

#[test]
fn a_network_that_does_not_warm_up_is_an_error() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    control.fails.store(u32::MAX, Ordering::SeqCst);
    gst::init().expect("GStreamer starts");
    let about = About {
        threads: 0,
        cores: 1,
        model_bytes: 0,
    };
    let source = Box::new(FakeSource(control.clone()));
    let refused = Instance::start(source, &ScheduleOptions::default(), about);
    let why = refused.err().expect("refused").to_string();
    assert!(why.contains("no memory left"), "{why}");
    eventually("the end", || control.alive.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_wake_that_panics_harms_nobody() {
    let (_control, instance) = single();
    let wake: Wake = Arc::new(|| unreachable!("on purpose"));
    let rude = instance.join(1, wake);
    let listener = Listener::new(&instance, 1);
    rude.submit(job(1), NEVER, clock::monotonic());
    let ticket = listener.submit(2);
    assert_eq!(listener.shade(ticket), 2);
    assert_eq!(lock(&instance.floor.facts).active, "a fake");
}

#[test]
fn a_network_that_does_not_open_is_an_error() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    control.left.store(0, Ordering::SeqCst);
    gst::init().expect("GStreamer starts");
    let about = About {
        threads: 0,
        cores: 1,
        model_bytes: 0,
    };
    let source = Box::new(FakeSource(control));
    let refused = Instance::start(source, &ScheduleOptions::default(), about);
    let why = refused.err().expect("refused").to_string();
    assert!(why.contains("no more networks"), "{why}");
}

#[test]
fn streams_that_come_and_go_without_end_keep_it_alive() {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let instance = instance(&control, &ScheduleOptions::default(), 3);
    std::thread::scope(|scope| {
        for shade in 0..4 {
            let instance = &instance;
            scope.spawn(move || {
                for _ in 0..25 {
                    let listener = Listener::new(instance, 2);
                    listener.submit(shade);
                    let ticket = listener.submit(shade);
                    assert_eq!(listener.shade(ticket), usize::from(shade));
                }
            });
        }
    });
    drop(instance);
    assert_eq!(control.alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_worker_works_where_its_engine_does() {
    gst::init().expect("GStreamer starts");
    let options = EngineOptions {
        backend: crate::gpuinfer::Backend::Rten,
        ..EngineOptions::default()
    };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shapes.onnx");
    let opened = crate::gpuinfer::engine::open(&path, &options);
    let engine = opened.map_err(|error| error.text).expect("a model").engine;
    let control = Control::new(ActiveDevice::Cpu, 1);
    *lock(&control.home) = engine.home();
    let instance = instance(&control, &ScheduleOptions::default(), 1);
    let listener = Listener::new(&instance, 1);
    let ticket = listener.submit(3);
    assert_eq!(listener.shade(ticket), 3);
    let places = lock(&control.places).clone();
    assert!(
        places.iter().all(|place| place.starts_with("rten")),
        "{places:?}"
    );
    drop((listener, instance));
    assert_eq!(control.alive.load(Ordering::SeqCst), 0, "a network is left");
}
