//! When a batch closes, and what is in it.

use super::super::{ConfigError, Reason};
use super::*;

fn send(batcher: &mut Batcher<u64>, stream: StreamId, now: MediaTime) -> u64 {
    let sent = batcher.submit(stream, (0, 1), NEVER, now);
    sent.expect("joined").ticket
}

fn next(batcher: &mut Batcher<u64>, now: MediaTime) -> Option<(Reason, usize)> {
    let mut frames = Vec::new();
    let batch = batcher.next(now, &mut frames)?;
    assert_eq!(batch.weight, frames.iter().map(|frame| frame.weight).sum());
    Some((batch.reason, frames.len()))
}

#[test]
fn a_batch_of_one_goes_at_once() {
    let mut batcher = batcher(1, 5);
    let stream = batcher.join(1);
    assert_eq!(batcher.due(at(0)), Due::Never);
    send(&mut batcher, stream, at(0));
    assert_eq!(next(&mut batcher, at(0)), Some((Reason::Full, 1)));
}

#[test]
fn it_closes_when_every_active_stream_has_a_frame_in() {
    let (mut batcher, ids, last) = steady(3, batcher(32, 50));
    let now = last.after(ms(40));
    send(&mut batcher, ids[0], now);
    send(&mut batcher, ids[1], now);
    assert_eq!(next(&mut batcher, now), None);
    send(&mut batcher, ids[2], now.after(ms(2)));
    let closed = next(&mut batcher, now.after(ms(2)));
    assert_eq!(closed, Some((Reason::Complete, 3)));
}

#[test]
fn it_closes_when_its_oldest_frame_has_waited_long_enough() {
    let (mut batcher, ids, last) = steady(3, batcher(32, 5));
    let now = last.after(ms(40));
    send(&mut batcher, ids[0], now);
    send(&mut batcher, ids[1], now.after(ms(3)));
    let limit = now.after(ms(5));
    assert_eq!(batcher.next_wakeup(now.after(ms(3))), Some(limit));
    assert_eq!(next(&mut batcher, limit.before(ms(1))), None);
    assert_eq!(next(&mut batcher, limit), Some((Reason::Delay, 2)));
}

#[test]
fn a_frame_that_supersedes_another_waits_no_longer_than_that() {
    let (mut batcher, ids, last) = steady(2, batcher(32, 5));
    let now = last.after(ms(40));
    send(&mut batcher, ids[0], now);
    let first = send(&mut batcher, ids[0], now.after(ms(4)));
    let again = batcher.submit(ids[0], (7, 1), NEVER, now.after(ms(4)));
    let superseded = again.expect("joined").superseded.expect("it had to go");
    assert_eq!(superseded.ticket, first);
    let closed = next(&mut batcher, now.after(ms(5)));
    assert_eq!(closed, Some((Reason::Delay, 1)));
}

#[test]
fn nobody_waits_for_a_stream_whose_frame_is_not_due_in_time() {
    let (mut batcher, ids, last) = steady(2, batcher(32, 5));
    send(&mut batcher, ids[0], last.after(ms(20)));
    let closed = next(&mut batcher, last.after(ms(20)));
    assert_eq!(closed, Some((Reason::Complete, 1)));
}

#[test]
fn a_silent_stream_holds_nobody() {
    let (mut batcher, ids, last) = steady(3, batcher(32, 500));
    let mut now = last;
    for _ in 0..2 {
        now = now.after(ms(40));
        send(&mut batcher, ids[0], now);
        send(&mut batcher, ids[1], now);
        let wakeup = batcher.next_wakeup(now).expect("something waits");
        assert!(wakeup <= last.after(ms(80)), "{wakeup}");
        let closed = next(&mut batcher, wakeup);
        assert_eq!(closed, Some((Reason::Complete, 2)));
    }
    now = now.after(ms(40));
    send(&mut batcher, ids[0], now);
    send(&mut batcher, ids[1], now);
    assert_eq!(next(&mut batcher, now), Some((Reason::Complete, 2)));
}

#[test]
fn a_dead_stream_with_a_frame_in_holds_nobody_and_is_served() {
    let (mut batcher, ids, last) = steady(3, batcher(32, 5));
    let now = last.after(ms(38));
    send(&mut batcher, ids[2], now);
    send(&mut batcher, ids[0], now.after(ms(1)));
    send(&mut batcher, ids[1], now.after(ms(1)));
    let closed = next(&mut batcher, now.after(ms(1)));
    assert_eq!(closed, Some((Reason::Complete, 3)));
    for round in 1..5 {
        let now = now.after(ms(100 + round * 40));
        send(&mut batcher, ids[0], now);
        send(&mut batcher, ids[1], now);
        assert_eq!(next(&mut batcher, now), Some((Reason::Complete, 2)));
    }
}

#[test]
fn a_deadline_closes_early_by_the_measured_cost_of_that_size() {
    let (mut batcher, ids, last) = steady(8, batcher(32, 500));
    for size in 1..=8 {
        batcher.on_batch(size, ms(4 + size as u64));
    }
    let now = last.after(ms(40));
    let deadline = now.after(ms(20));
    for id in &ids[..6] {
        batcher.submit(*id, (0, 1), deadline, now).expect("joined");
    }
    let latest = now.after(ms(10));
    assert_eq!(batcher.due(now), Due::At(latest), "20 ms less 10 for six");
    assert_eq!(next(&mut batcher, latest), Some((Reason::Deadline, 6)));
}

#[test]
fn the_end_a_flush_and_a_leave_release_the_others() {
    for release in [0, 1, 2] {
        let (mut batcher, ids, last) = steady(3, batcher(32, 500));
        let now = last.after(ms(40));
        send(&mut batcher, ids[0], now);
        send(&mut batcher, ids[1], now);
        assert_eq!(next(&mut batcher, now), None);
        match release {
            0 => batcher.end(ids[2]),
            1 => batcher.flush(ids[2], &mut Vec::new()),
            _ => batcher.leave(ids[2], &mut Vec::new()),
        }
        assert_eq!(next(&mut batcher, now), Some((Reason::Complete, 2)));
    }
}

#[test]
fn the_last_frame_of_a_stream_waits_for_no_other() {
    let (mut batcher, ids, last) = steady(3, batcher(32, 500));
    let now = last.after(ms(40));
    send(&mut batcher, ids[0], now);
    send(&mut batcher, ids[1], now);
    batcher.end(ids[0]);
    assert_eq!(next(&mut batcher, now), Some((Reason::Ended, 2)));
}

#[test]
fn flushing_one_stream_gives_up_its_waiting_frames_only() {
    let mut batcher = batcher(1, 0);
    let (one, other) = (batcher.join(4), batcher.join(4));
    send(&mut batcher, one, at(0));
    assert!(next(&mut batcher, at(0)).is_some(), "this one runs");
    let waiting = [(one, at(1)), (other, at(1)), (one, at(2))];
    let tickets = waiting.map(|(stream, now)| send(&mut batcher, stream, now));
    let mut given_up = Vec::new();
    batcher.flush(one, &mut given_up);
    let given_up: Vec<u64> = given_up.iter().map(|frame| frame.ticket).collect();
    assert_eq!(given_up, [tickets[0], tickets[2]]);
    assert_eq!(batcher.waiting(), 1);
    let mut frames = Vec::new();
    batcher.next(at(3), &mut frames).expect("the other's");
    assert_eq!(frames[0].ticket, tickets[1]);
}

#[test]
fn a_frame_can_be_taken_back_while_it_waits() {
    let mut batcher = batcher(1, 0);
    let stream = batcher.join(2);
    let tickets = [at(0), at(1)].map(|now| send(&mut batcher, stream, now));
    assert!(batcher.give_up(stream, tickets[0]).is_some());
    assert!(batcher.give_up(stream, tickets[0]).is_none());
    assert_eq!(next(&mut batcher, at(1)), Some((Reason::Full, 1)));
    assert_eq!(batcher.due(at(1)), Due::Never);
}

#[test]
fn a_stream_that_left_is_a_stranger_even_where_another_took_its_place() {
    let mut batcher = batcher(1, 0);
    let gone = batcher.join(1);
    batcher.leave(gone, &mut Vec::new());
    let new = batcher.join(1);
    assert_eq!(batcher.submit(gone, (7, 1), NEVER, at(0)), Err(7));
    batcher.leave(gone, &mut Vec::new());
    assert_eq!(batcher.streams(), 1);
    assert!(batcher.submit(new, (7, 1), NEVER, at(0)).is_ok());
}

#[test]
fn a_batch_has_one_frame_of_each_stream_before_a_second_one_of_any() {
    let mut batcher = batcher(4, 0);
    let streams = [batcher.join(8), batcher.join(8), batcher.join(8)];
    for _ in 0..4 {
        send(&mut batcher, streams[0], at(0));
    }
    send(&mut batcher, streams[1], at(1));
    send(&mut batcher, streams[2], at(1));
    let mut frames = Vec::new();
    batcher.next(at(1), &mut frames).expect("full");
    let of = |stream| frames.iter().filter(|frame| frame.stream == stream).count();
    assert_eq!(streams.map(of), [2, 1, 1]);
}

#[test]
fn pictures_count_and_a_frame_with_more_than_a_batch_goes_alone() {
    let mut batcher = batcher(4, 0);
    let streams = [batcher.join(1), batcher.join(1)];
    batcher
        .submit(streams[0], (0, 9), NEVER, at(0))
        .expect("in");
    batcher
        .submit(streams[1], (0, 1), NEVER, at(0))
        .expect("in");
    assert_eq!(next(&mut batcher, at(0)), Some((Reason::Full, 1)));
    assert_eq!(batcher.waiting(), 1);
}

#[test]
fn sizes_are_padded_to_preferred_ones_and_cost_what_those_cost() {
    let preferred = vec![8, 1, 4];
    let config = Config {
        preferred,
        ..config(8, 0)
    };
    let mut batcher: Batcher<u64> = Batcher::new(config).expect("fits");
    let streams: Vec<StreamId> = (0..3).map(|_| batcher.join(1)).collect();
    for stream in streams {
        send(&mut batcher, stream, at(0));
    }
    let batch = batcher.next(at(0), &mut Vec::new()).expect("all in");
    assert_eq!((batch.weight, batch.padded), (3, 4));
    batcher.on_batch(batch.weight, ms(9));
    assert_eq!(batcher.costs().p95(4), ms(9));
}

#[test]
fn the_earliest_deadline_goes_first_and_equals_take_turns() {
    let mut batcher = batcher(1, 0);
    let streams: Vec<StreamId> = (0..3).map(|_| batcher.join(1)).collect();
    let mut served = Vec::new();
    for round in 0..3 {
        let deadlines = [900, 900, 800].map(|deadline| at(round * 1000 + deadline));
        let now = at(round * 1000);
        for (stream, deadline) in streams.iter().zip(deadlines) {
            batcher.submit(*stream, (0, 1), deadline, now).expect("in");
        }
        let mut frames = Vec::new();
        while batcher.next(now, &mut frames).is_some() {}
        let place = |frame: &Frame<u64>| streams.iter().position(|id| *id == frame.stream);
        served.push(frames.iter().filter_map(place).collect::<Vec<_>>());
    }
    assert_eq!(served, [[2, 0, 1], [2, 0, 1], [2, 0, 1]]);
}

#[test]
fn a_batch_stays_so_small_that_the_earliest_deadline_is_kept() {
    let mut batcher = batcher(8, 0);
    (1..=8).for_each(|size| batcher.on_batch(size, ms(10 * size as u64)));
    for deadline in [25, 500, 500, 500] {
        let stream = batcher.join(1);
        let sent = batcher.submit(stream, (0, 1), at(deadline), at(0));
        sent.expect("in");
    }
    let mut frames = Vec::new();
    batcher.next(at(0), &mut frames).expect("complete");
    assert_eq!(frames.len(), 2, "three would take 30 ms");
    assert_eq!(frames[0].deadline, at(25));
}

#[test]
fn what_makes_no_batch_is_refused() {
    let refusal = |config| Batcher::<()>::new(config).err();
    assert_eq!(refusal(config(0, 5)), Some(ConfigError::Nothing));
    let preferred = vec![1, 9];
    let wrong = Config {
        preferred,
        ..config(8, 5)
    };
    assert_eq!(refusal(wrong), Some(ConfigError::Preferred(9)));
    assert!(ConfigError::Preferred(9).to_string().contains('9'));
}
