//! What becomes of frames.

use livetune_core::infer::Region;

use super::fake::{Control, instance, single};
use super::*;

#[test]
fn an_answer_comes_with_its_figures_and_the_buffer_is_free_again() {
    let (_control, instance) = single();
    let listener = Listener::new(&instance, 1);
    let job = job(7);
    let mut buffer = job.buffer.clone();
    let now = clock::monotonic();
    let ticket = listener.stream.submit(job, NEVER, now);
    let Outcome::Found(answer) = listener.wait(ticket) else {
        unreachable!("nothing else was sent");
    };
    assert!(buffer.get_mut().is_some(), "somebody holds the buffer");
    assert_eq!(answer.found()[0].objects[0].class, 7);
    assert_eq!(answer.batch_size, 1);
    assert!(answer.finished >= now.after(answer.queue_wait));
    assert!(listener.stream.take(ticket).is_none(), "only once");
    assert!(listener.bell.calls() >= 1);
}

#[test]
fn every_stream_gets_what_was_found_in_its_own_frames() {
    for (device, max_batch) in [(ActiveDevice::Cpu, 1), (ActiveDevice::Accelerator, 32)] {
        let control = Control::new(device, max_batch);
        let instance = instance(&control, &ScheduleOptions::default(), 4);
        std::thread::scope(|scope| {
            for shade in 0..16 {
                let instance = &instance;
                scope.spawn(move || {
                    let listener = Listener::new(instance, 4);
                    for round in 0..50_u8 {
                        let shade = shade * 16 + round % 16;
                        let ticket = listener.submit(shade);
                        assert_eq!(listener.shade(ticket), usize::from(shade));
                    }
                });
            }
        });
    }
}

#[test]
fn the_latest_frame_wins_and_the_older_one_is_told_so() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 1);
    control.set_open(false);
    let runs = listener.submit(1);
    control.wait_running(1);
    let older = listener.submit(2);
    assert_eq!(listener.bell.calls(), 0);
    let newer = listener.submit(3);
    assert_eq!(listener.bell.calls(), 1);
    assert!(matches!(
        listener.stream.take(older),
        Some(Outcome::Superseded)
    ));
    control.set_open(true);
    assert_eq!(listener.shade(runs), 1);
    assert_eq!(listener.shade(newer), 3);
}

#[test]
fn a_backlog_is_kept_in_order() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 5);
    control.set_open(false);
    let tickets: Vec<u64> = (1..=5).map(|shade| listener.submit(shade)).collect();
    control.set_open(true);
    let mut last = MediaTime::ZERO;
    for (shade, ticket) in (1..).zip(tickets) {
        let Outcome::Found(answer) = listener.wait(ticket) else {
            unreachable!("there is room for all");
        };
        assert_eq!(answer.found()[0].objects[0].class, shade);
        assert!(answer.finished >= last);
        last = answer.finished;
    }
}

#[test]
fn each_region_is_a_picture() {
    let (_control, instance) = single();
    let listener = Listener::new(&instance, 1);
    let mut job = job(0);
    let region = |top| Region {
        left: 3,
        top,
        width: 4,
        height: 4,
    };
    job.regions
        .list_mut()
        .extend([region(1), region(2), region(5)]);
    let pixels = (0..SIDE * SIDE).map(|at| (at / SIDE) as u8).collect();
    job.buffer = gst::Buffer::from_mut_slice::<Vec<u8>>(pixels);
    let ticket = listener.stream.submit(job, NEVER, clock::monotonic());
    let Outcome::Found(answer) = listener.wait(ticket) else {
        unreachable!("nothing else was sent");
    };
    let classes = answer.found().iter().map(|found| found.objects[0].class);
    assert_eq!(classes.collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!(answer.regions[..], [region(1), region(2), region(5)]);
    assert_eq!(answer.batch_size, 3);
}

#[test]
fn a_buffer_that_is_no_frame_fails_alone() {
    let control = Control::new(ActiveDevice::Accelerator, 8);
    let instance = instance(&control, &ScheduleOptions::default(), 1);
    let (good, bad) = (Listener::new(&instance, 1), Listener::new(&instance, 1));
    control.set_open(false);
    let first = good.submit(1);
    control.wait_running(1);
    let mut job = job(2);
    job.buffer = gst::Buffer::from_mut_slice(vec![2; 9]);
    let wrong = bad.stream.submit(job, NEVER, clock::monotonic());
    let right = good.submit(3);
    control.set_open(true);
    assert_eq!(good.shade(first), 1);
    assert_eq!(good.shade(right), 3);
    let Outcome::Found(answer) = bad.wait(wrong) else {
        unreachable!("the network itself works");
    };
    assert!(answer.found()[0].objects.is_empty());
    let failure = answer.found()[0].failure.as_deref();
    assert!(
        failure.is_some_and(|why| why.contains("no frame")),
        "{failure:?}"
    );
}

#[test]
fn a_frame_that_was_given_up_answers_nobody() {
    let (control, instance) = single();
    let listener = Listener::new(&instance, 4);
    control.set_open(false);
    let runs = listener.submit(1);
    control.wait_running(1);
    let waits = listener.submit(2);
    let wanted = listener.submit(3);
    listener.stream.give_up(waits);
    listener.stream.give_up(runs);
    control.set_open(true);
    assert_eq!(listener.shade(wanted), 3);
    assert!(listener.stream.take(runs).is_none());
    assert!(listener.stream.take(waits).is_none());
    assert_eq!(listener.bell.calls(), 1);
    assert_eq!(*lock(&control.sizes), [1, 1, 1, 1], "two to warm up");
    listener.stream.give_up(wanted);
    let again = listener.submit(4);
    assert_eq!(listener.shade(again), 4);
}

#[test]
fn the_memory_of_answers_is_used_again() {
    let (_control, instance) = single();
    let listener = Listener::new(&instance, 1);
    let mut places = std::collections::BTreeSet::new();
    for shade in 0..20 {
        let ticket = listener.submit(shade);
        let Outcome::Found(answer) = listener.wait(ticket) else {
            unreachable!("nothing else was sent");
        };
        places.insert(answer.found().as_ptr() as usize);
        assert_eq!(answer.found()[0].objects.len(), 1, "an old one is in it");
    }
    assert!(places.len() <= 2, "{places:?}");
}
