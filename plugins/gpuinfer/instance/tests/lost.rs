//! A device that is lost, and what becomes of the frames.

use std::sync::atomic::Ordering;

use super::fake::{Control, instance, single};
use super::*;

#[test]
fn a_gpu_that_is_lost_is_followed_by_what_still_works_with_its_own_batches() {
    let control = Control::new(ActiveDevice::Accelerator, 8);
    let instance = instance(&control, &ScheduleOptions::default(), 1);
    let listener = Listener::new(&instance, 1);
    let ticket = listener.submit(7);
    assert_eq!(listener.shade(ticket), 7);
    assert_eq!(lock(&instance.floor.sizes).max_batch, 8);
    *lock(&control.then) = Some(ActiveDevice::Cpu);
    control.fails.store(3, Ordering::SeqCst);
    for _ in 0..3 {
        let ticket = listener.submit(1);
        assert_eq!(listener.failure(ticket), "no memory left");
    }
    let ticket = listener.submit(2);
    assert_eq!(listener.shade(ticket), 2, "frames go on");
    assert_eq!(lock(&instance.floor.sizes).max_batch, 1);
    assert_eq!(instance.news(0), ["Cpu instead"]);
    assert!(instance.news(1).is_empty(), "said once");
    assert!(instance.trouble().is_none());
    let more = Listener::new(&instance, 1);
    let ticket = more.submit(3);
    assert_eq!(more.shade(ticket), 3);
    assert_eq!(instance.news(0).len(), 1);
}

#[test]
fn a_gpu_that_comes_back_is_not_told_of() {
    let control = Control::new(ActiveDevice::Accelerator, 8);
    let instance = instance(&control, &ScheduleOptions::default(), 1);
    let listener = Listener::new(&instance, 1);
    control.panics.store(true, Ordering::SeqCst);
    let ticket = listener.submit(1);
    assert!(listener.failure(ticket).contains("died"));
    let ticket = listener.submit(2);
    assert_eq!(listener.shade(ticket), 2);
    assert_eq!(lock(&instance.floor.sizes).max_batch, 8);
    assert!(instance.news(0).is_empty());
}

#[test]
fn what_does_not_come_back_is_tried_later_and_frames_fail_at_once_until_then() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 1);
    control.left.store(0, Ordering::SeqCst);
    control.panics.store(true, Ordering::SeqCst);
    let ticket = listener.submit(1);
    assert!(listener.failure(ticket).contains("died"));
    eventually("the second failure", || instance.trouble().is_some());
    let lost = clock::monotonic();
    let tries = || control.tries.load(Ordering::SeqCst);
    assert_eq!(tries(), 2, "the first network, and one try at once");
    control.left.store(1, Ordering::SeqCst);
    let mut failures = 0;
    let found = listener.bell.wait("another network", || {
        let ticket = listener.submit(9);
        match listener.wait(ticket) {
            Outcome::Found(answer) => Some(answer.found()[0].objects[0].class),
            Outcome::Failed(why) => {
                assert!(why.contains("no more networks"), "{why}");
                failures += 1;
                None
            }
            Outcome::Superseded => None,
        }
    });
    assert_eq!(found, 9);
    assert!(failures > 9, "frames did not wait");
    let waited = clock::monotonic().since(lost);
    assert!(waited > Duration::from_millis(900), "{waited:?}");
    assert_eq!(tries(), 3);
    assert!(instance.trouble().is_none());
}
