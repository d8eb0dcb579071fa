//! Members of a group, by hand.

use super::*;

/// Pixels a second of three steps.
const SPEEDS: [f64; 3] = [60.0, 20.0, 5.0];

const HIGH: Load = Load {
    state: LoadState::High,
    value: 1.0,
    sensor: Some(Sensor::Chain),
};

/// Members that stand where the arbiter put them.
struct Table {
    arbiter: Arbiter,
    ids: Vec<MemberId>,
    at: Vec<usize>,
    now: MediaTime,
}

impl Table {
    fn of(priorities: &[i32]) -> Self {
        let mut arbiter = Arbiter::default();
        let ids: Vec<MemberId> = priorities
            .iter()
            .map(|priority| arbiter.join(*priority))
            .collect();
        let mut table = Self {
            arbiter,
            at: vec![0; ids.len()],
            ids,
            now: MediaTime::ZERO,
        };
        table.look(LoadState::High);
        table
    }

    /// Every member shows itself and does what it is told.
    fn look(&mut self, load: LoadState) {
        for (index, id) in self.ids.clone().into_iter().enumerate() {
            let standing = Standing {
                speeds: &SPEEDS,
                at: self.at[index],
                load,
                busy: None,
                held: false,
            };
            if let Some(order) = self.arbiter.on_member(id, standing, self.now) {
                self.go(index, order.to);
            }
        }
    }

    fn go(&mut self, index: usize, to: usize) {
        self.at[index] = to;
        self.arbiter.on_moved(self.ids[index], to, self.now);
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }

    /// Half a second later `index` has too much load.
    fn overload(&mut self, index: usize, load: Load) {
        self.pass(500);
        self.look(load.state);
        let to = self.at[index] + 1;
        let id = self.ids[index];
        if let Some(to) = self.arbiter.on_overload(id, &load, to, self.now) {
            self.go(index, to);
        }
        self.look(load.state);
    }

    /// A second later all have room; answers who went up.
    fn room(&mut self) -> Option<usize> {
        self.pass(1_000);
        self.look(LoadState::Optimal);
        let mut went = None;
        for _ in 0..2 {
            for index in 0..self.ids.len() {
                let asks = self.at[index] > 0;
                if asks && self.arbiter.on_room(self.ids[index], self.now) {
                    assert_eq!(went, None, "one at a time");
                    went = Some(index);
                    self.go(index, self.at[index] - 1);
                }
            }
        }
        went
    }
}

#[test]
fn the_lowest_priority_goes_down_first_whoever_suffers() {
    let mut table = Table::of(&[5, 0, 0]);
    for expected in [[0, 1, 0], [0, 1, 1], [0, 2, 1], [0, 2, 2], [1, 2, 2]] {
        table.overload(0, HIGH);
        assert_eq!(table.at, expected);
    }
}

#[test]
fn the_highest_recovers_first() {
    let mut table = Table::of(&[5, 0, 0]);
    for _ in 0..6 {
        table.overload(0, HIGH);
    }
    assert_eq!(table.at, [2, 2, 2]);
    let order: Vec<usize> = (0..3).filter_map(|_| table.room()).collect();
    assert_eq!(order[..2], [0, 0]);
    assert!(order[2] != 0);
}

#[test]
fn within_a_priority_all_give_the_same() {
    let mut table = Table::of(&[0; 4]);
    for _ in 0..4 {
        table.overload(2, HIGH);
    }
    assert_eq!(table.at, [1; 4]);
    table.overload(2, HIGH);
    table.overload(1, HIGH);
    assert_eq!(table.at.iter().sum::<usize>(), 6);
    assert!(table.at.iter().all(|at| *at <= 2));
}

#[test]
fn switches_are_half_a_second_apart() {
    let mut table = Table::of(&[0, 0]);
    table.overload(0, HIGH);
    table.pass(499);
    let (id, now) = (table.ids[0], table.now);
    assert_eq!(table.arbiter.on_overload(id, &HIGH, 1, now), None);
    table.look(LoadState::High);
    assert_eq!(table.at.iter().sum::<usize>(), 1);
}

#[test]
fn at_a_critical_load_it_goes_as_far_as_it_takes() {
    let critical = |value| Load {
        state: LoadState::Critical,
        value,
        ..HIGH
    };
    let mut table = Table::of(&[5, 0]);
    table.overload(0, critical(1.25));
    assert_eq!(table.at, [0, 1]);
    let mut table = Table::of(&[5, 0]);
    table.overload(0, critical(2.0));
    assert_eq!(table.at, [0, 2]);
}

#[test]
fn who_is_alone_with_its_load_steps_down_itself() {
    let mut table = Table::of(&[0, 0]);
    table.pass(500);
    table.look(LoadState::Optimal);
    let (id, now) = (table.ids[1], table.now);
    assert_eq!(table.arbiter.on_overload(id, &HIGH, 1, now), Some(1));
}

#[test]
fn who_is_not_heard_of_any_more_is_nobody_to_wait_for() {
    let mut table = Table::of(&[5, 0]);
    table.pass(10_000);
    let standing = Standing {
        speeds: &SPEEDS,
        at: 0,
        load: LoadState::High,
        busy: None,
        held: false,
    };
    table.arbiter.on_member(table.ids[0], standing, table.now);
    let to = table.arbiter.on_overload(table.ids[0], &HIGH, 1, table.now);
    assert_eq!(to, Some(1));
    table.arbiter.leave(table.ids[1]);
    assert_eq!(table.arbiter.members(), 1);
}

#[test]
fn one_whose_network_is_in_the_way_holds_nobody_back() {
    let mut table = Table::of(&[5, 0]);
    for _ in 0..4 {
        table.overload(0, HIGH);
    }
    table.pass(60_000);
    let held = |at, held| Standing {
        speeds: &SPEEDS,
        at,
        load: LoadState::Optimal,
        busy: None,
        held,
    };
    let (first, second, now) = (table.ids[0], table.ids[1], table.now);
    table
        .arbiter
        .on_member(first, held(table.at[0], false), now);
    table.arbiter.on_member(second, held(2, false), now);
    assert!(!table.arbiter.on_room(second, now));
    table.arbiter.on_member(first, held(table.at[0], true), now);
    assert!(table.arbiter.on_room(second, now));
}

#[test]
fn the_load_that_was_too_much_is_tried_again_only_after_a_wait_that_doubles() {
    let mut table = Table::of(&[0, 0]);
    let mut tries = Vec::new();
    let mut fell = table.now;
    for _ in 0..700 {
        if table.at == [0, 0] {
            tries.push(table.now.since(fell).as_secs());
            table.overload(0, HIGH);
            fell = table.now;
        }
        table.room();
    }
    assert_eq!(tries[1..6], [1, 40, 80, 160, 240]);
}
