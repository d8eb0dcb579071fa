//! Rows of frames in virtual time.

use std::cell::RefCell;
use std::collections::HashMap;

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn at(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

const CONFIG: Config = Config {
    policy: Policy::Skip,
    capacity: 25,
    interval: 1,
    max_age: ms(500),
};

type Row = Order<u64, &'static str, u64>;
type Next = Step<u64, &'static str, u64>;

/// A network that has said something to some questions.
#[derive(Default)]
struct Network(RefCell<HashMap<u64, Outcome<u64>>>);

impl Network {
    fn says(&self, question: u64, outcome: Outcome<u64>) {
        self.0.borrow_mut().insert(question, outcome);
    }

    fn next(&self, row: &mut Row, now: MediaTime) -> Next {
        row.next(now, |question| self.0.borrow_mut().remove(question))
    }
}

fn stamp(millis: u64) -> Stamp {
    Stamp {
        pts: Some(at(millis)),
        arrived: at(millis),
    }
}

/// The frame that comes at `millis`, by that name, and may wait for 100 ms.
fn comes(row: &mut Row, millis: u64) -> Option<u64> {
    let question = row.asks().then_some(millis);
    row.on_frame(millis, question, stamp(millis), at(millis + 100))
}

const fn carried(frame: u64, age: u64, reason: Cause) -> Next {
    Step::Push(frame, Boxes::Carried(ms(age)), reason)
}

const fn own(frame: u64) -> Next {
    Step::Push(frame, Boxes::Own(frame), Cause::Inferred)
}

#[test]
fn a_frame_leaves_with_its_own_result_as_soon_as_that_is_there() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    assert_eq!(network.next(&mut row, at(0)), Step::Wait(None));
    comes(&mut row, 0);
    assert_eq!(network.next(&mut row, at(5)), Step::Wait(Some(at(100))));
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(30)), own(0));
    assert!(row.is_empty());
}

#[test]
fn a_late_frame_goes_on_with_the_last_boxes_and_their_age() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    comes(&mut row, 0);
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(10)), own(0));
    comes(&mut row, 40);
    assert_eq!(network.next(&mut row, at(139)), Step::Wait(Some(at(140))));
    assert_eq!(
        network.next(&mut row, at(140)),
        carried(40, 40, Cause::Late)
    );
}

#[test]
fn what_comes_late_is_carried_by_the_frames_after() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    comes(&mut row, 0);
    let bare = Step::Push(0, Boxes::Bare, Cause::Late);
    assert_eq!(network.next(&mut row, at(100)), bare);
    comes(&mut row, 120);
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(150)), Step::Refresh(0, stamp(0)));
    assert_eq!(
        network.next(&mut row, at(220)),
        carried(120, 120, Cause::Late)
    );
}

#[test]
fn a_result_older_than_what_is_carried_is_let_go() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    comes(&mut row, 0);
    comes(&mut row, 40);
    network.next(&mut row, at(100));
    network.says(40, Outcome::Found(40));
    assert_eq!(network.next(&mut row, at(110)), own(40));
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(120)), Step::Wait(None));
    assert!(row.late.is_empty());
}

#[test]
fn boxes_older_than_allowed_are_not_carried() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    comes(&mut row, 0);
    network.says(0, Outcome::Found(0));
    network.next(&mut row, at(0));
    for millis in [500, 501] {
        comes(&mut row, millis);
    }
    assert_eq!(
        network.next(&mut row, at(700)),
        carried(500, 500, Cause::Late)
    );
    assert_eq!(
        network.next(&mut row, at(700)),
        Step::Push(501, Boxes::Bare, Cause::Late)
    );
}

#[test]
fn one_of_n_frames_is_asked_about_and_the_others_carry_its_boxes() {
    let interval = 3;
    let mut row = Row::new(Config { interval, ..CONFIG });
    let network = Network::default();
    let mut asked = Vec::new();
    for frame in 0..7 {
        let before = row.until_asked;
        comes(&mut row, frame * 40);
        if before == 0 {
            asked.push(frame);
        }
    }
    assert_eq!(asked, [0, 3, 6]);
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(241)), own(0));
    assert_eq!(
        network.next(&mut row, at(241)),
        carried(40, 40, Cause::LeftOut)
    );
    assert_eq!(
        network.next(&mut row, at(241)),
        carried(80, 80, Cause::LeftOut)
    );
    assert_eq!(network.next(&mut row, at(200)), Step::Wait(Some(at(220))));
}

#[test]
fn in_drop_only_frames_with_a_result_go_on() {
    let policy = Policy::Drop;
    let (mut row, network) = (Row::new(Config { policy, ..CONFIG }), Network::default());
    for frame in 0..3 {
        comes(&mut row, frame * 40);
    }
    network.says(0, Outcome::Superseded);
    network.says(40, Outcome::Found(40));
    assert_eq!(
        network.next(&mut row, at(80)),
        Step::Drop(0, Cause::Superseded)
    );
    assert_eq!(network.next(&mut row, at(80)), own(40));
    assert_eq!(network.next(&mut row, at(180)), Step::Drop(80, Cause::Late));
}

#[test]
fn in_block_every_frame_waits_for_its_own_however_long() {
    let (policy, capacity) = (Policy::Block, 3);
    let config = Config {
        policy,
        capacity,
        ..CONFIG
    };
    let (mut row, network) = (Row::new(config), Network::default());
    for frame in 0..3 {
        assert!(row.has_room());
        assert_eq!(comes(&mut row, frame), None);
    }
    assert!(!row.has_room());
    assert_eq!(network.next(&mut row, at(3_600_000)), Step::Wait(None));
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(3_600_001)), own(0));
    assert!(row.has_room());
}

#[test]
fn a_network_that_fails_lets_the_frame_pass_bare_in_every_policy() {
    for policy in [Policy::Block, Policy::Skip, Policy::Drop] {
        let (mut row, network) = (Row::new(Config { policy, ..CONFIG }), Network::default());
        comes(&mut row, 0);
        network.says(0, Outcome::Found(0));
        network.next(&mut row, at(0));
        comes(&mut row, 40);
        network.says(40, Outcome::Failed);
        let bare = Step::Push(40, Boxes::Bare, Cause::Failed);
        assert_eq!(network.next(&mut row, at(50)), bare, "{policy:?}");
    }
}

#[test]
fn a_full_row_first_ends_the_waiting_and_then_drops_the_oldest() {
    let capacity = 2;
    let (mut row, network) = (Row::new(Config { capacity, ..CONFIG }), Network::default());
    row.on_event("caps", false);
    assert_eq!(comes(&mut row, 0), None);
    assert_eq!(comes(&mut row, 1), None);
    assert_eq!(comes(&mut row, 2), None, "it may go at once");
    assert_eq!(comes(&mut row, 3), Some(0), "nobody took it");
    assert_eq!(network.next(&mut row, at(3)), Step::Event("caps"));
    assert_eq!(network.next(&mut row, at(3)), Step::Wait(Some(at(101))));
}

#[test]
fn however_long_frames_may_wait_a_row_that_nobody_empties_does_not_grow() {
    let mut row = Row::new(CONFIG);
    let mut dropped = Vec::new();
    for frame in 0..200 {
        dropped.extend(comes(&mut row, 0).map(|_| frame));
    }
    assert_eq!(row.frames(), CONFIG.capacity + CONFIG.capacity / 4);
    assert_eq!(dropped.len() + row.frames(), 200);
}

#[test]
fn a_break_begins_to_count_anew_where_it_is_and_not_when_it_leaves() {
    let interval = 3;
    let mut row = Row::new(Config { interval, ..CONFIG });
    let network = Network::default();
    assert!(row.asks());
    row.on_event("caps", true);
    assert!(row.asks());
    assert_eq!(network.next(&mut row, at(0)), Step::Event("caps"));
    let asked: Vec<bool> = (0..4).map(|_| row.asks()).collect();
    assert_eq!(asked, [false, false, true, false]);
}

#[test]
fn events_keep_their_place_between_frames() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    row.on_event("segment", true);
    comes(&mut row, 0);
    row.on_event("tag", false);
    comes(&mut row, 40);
    row.on_event("eos", false);
    network.says(40, Outcome::Found(40));
    let order: Vec<Next> = (0..5).map(|_| network.next(&mut row, at(100))).collect();
    let expected = [
        Step::Event("segment"),
        Step::Push(0, Boxes::Bare, Cause::Late),
        Step::Event("tag"),
        own(40),
        Step::Event("eos"),
    ];
    assert_eq!(order, expected);
}

#[test]
fn nothing_is_carried_over_a_break() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    comes(&mut row, 0);
    comes(&mut row, 1);
    row.on_event("caps", true);
    comes(&mut row, 2);
    network.says(0, Outcome::Found(0));
    assert_eq!(network.next(&mut row, at(90)), own(0));
    assert_eq!(network.next(&mut row, at(101)), carried(1, 1, Cause::Late));
    assert_eq!(network.next(&mut row, at(101)), Step::Event("caps"));
    network.says(1, Outcome::Found(1));
    let bare = Step::Push(2, Boxes::Bare, Cause::Late);
    assert_eq!(network.next(&mut row, at(102)), bare);
}

#[test]
fn a_flush_leaves_nothing_but_hands_over_the_events() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    comes(&mut row, 0);
    network.says(0, Outcome::Found(0));
    network.next(&mut row, at(0));
    row.on_event("tag", false);
    comes(&mut row, 40);
    let mut events = Vec::new();
    row.flush(|event| events.push(event));
    assert_eq!(events, ["tag"]);
    assert!(row.is_empty() && row.frames() == 0);
    comes(&mut row, 80);
    let bare = Step::Push(80, Boxes::Bare, Cause::Late);
    assert_eq!(network.next(&mut row, at(180)), bare);
}

#[test]
fn frames_without_a_time_age_by_when_they_came() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    let untimed = |millis| Stamp {
        pts: None,
        arrived: at(millis),
    };
    row.on_frame(0, Some(0), untimed(0), at(100));
    network.says(0, Outcome::Found(0));
    network.next(&mut row, at(0));
    row.on_frame(1, Some(1), untimed(40), at(140));
    assert_eq!(network.next(&mut row, at(140)), carried(1, 40, Cause::Late));
    row.on_frame(2, None, stamp(50), at(150));
    assert_eq!(
        network.next(&mut row, at(150)),
        carried(2, 50, Cause::LeftOut)
    );
}

/// A camera of 30 frames a second and a network that takes 100 ms, one frame at a time, the newest first: for an hour.
#[test]
fn video_never_waits_for_a_slow_network() {
    let (mut row, network) = (Row::new(CONFIG), Network::default());
    let (mut running, mut waiting): (Option<(u64, u64)>, Option<u64>) = (None, None);
    let (mut pushed, mut inferred, mut next_frame, mut last) = (0_u64, 0_u64, 0_u64, None);
    for now in 0..3_600_000_u64 {
        if let Some((frame, _)) = running.filter(|(_, end)| *end == now) {
            network.says(frame, Outcome::Found(frame));
            running = None;
        }
        if now == next_frame * 100 / 3 {
            next_frame += 1;
            comes(&mut row, now);
            if let Some(old) = waiting.replace(now) {
                network.says(old, Outcome::Superseded);
            }
        }
        if running.is_none() {
            running = waiting.take().map(|frame| (frame, now + 100));
        }
        loop {
            match network.next(&mut row, at(now)) {
                Step::Wait(_) => break,
                Step::Refresh(..) => (),
                Step::Push(frame, _, reason) => {
                    assert!(now - frame <= 100 && Some(frame) > last);
                    last = Some(frame);
                    pushed += 1;
                    inferred += u64::from(reason == Cause::Inferred);
                }
                other => unreachable!("{other:?}"),
            }
        }
    }
    assert!(next_frame - pushed <= 4);
    assert!(inferred > 0 && row.late.len() <= MOST_LATE);
}
