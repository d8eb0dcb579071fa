//! Members of a group, by hand.

use super::*;

/// Pixels a second of three steps.
const SPEEDS: [f64; 3] = [60.0, 20.0, 5.0];

const HIGH: Load = Load {
    state: LoadState::High,
    value: 1.0,
    sensor: Some(Sensor::Chain),
};

fn sees(state: LoadState, value: f64) -> Load {
    Load {
        state,
        value,
        ..HIGH
    }
}

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
                load: sees(load, 1.0),
                crowded: None,
                busy: None,
                held: false,
            };
            if let Some(order) = self.arbiter.on_member(id, standing, self.now) {
                self.go(index, order.to);
            }
        }
    }

    /// A tenth of a second at a time, for `tenths`: the first member alone has too much load, `value` by where all stand,
    /// on a machine that is full or not, as far as it is known.
    fn suffer(&mut self, tenths: u32, crowded: Option<bool>, value: impl Fn(&[usize]) -> f64) {
        self.look(LoadState::Optimal);
        for _ in 0..tenths {
            self.pass(100);
            let load = value(&self.at);
            for (index, id) in self.ids.clone().into_iter().enumerate() {
                let load = match index {
                    0 if load > 0.85 => sees(LoadState::High, load),
                    _ => sees(LoadState::Optimal, 0.1),
                };
                let standing = Standing {
                    speeds: &SPEEDS,
                    at: self.at[index],
                    load,
                    crowded,
                    busy: Some(load.value),
                    held: false,
                };
                if let Some(order) = self.arbiter.on_member(id, standing, self.now) {
                    self.go(index, order.to);
                } else if load.state == LoadState::High && self.at[index] + 1 < SPEEDS.len() {
                    let next = self.at[index] + 1;
                    if let Some(to) = self.arbiter.on_overload(id, &load, next, self.now) {
                        self.go(index, to);
                    }
                }
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
        load: HIGH,
        crowded: None,
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
        load: sees(LoadState::Optimal, 0.0),
        crowded: None,
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

#[test]
fn where_the_machine_is_not_full_a_load_is_the_members_own() {
    let mut table = Table::of(&[5, 0, 0]);
    let too_slow = |at: &[usize]| [1.2, 0.4, 0.1][at[0]];
    table.suffer(20, Some(false), too_slow);
    assert_eq!(table.at, [1, 0, 0]);
    // The same on a full one is everybody's.
    let mut table = Table::of(&[5, 0, 0]);
    table.suffer(5, Some(true), too_slow);
    assert_eq!((table.at[0], table.at[1] + table.at[2]), (0, 1));
}

#[test]
fn to_whom_giving_way_is_no_help_it_goes_down_itself_and_the_others_have_their_steps_back() {
    for crowded in [None, Some(true)] {
        let mut table = Table::of(&[5, 0, 0]);
        let too_slow = |at: &[usize]| [1.2, 0.4, 0.1][at[0]];
        table.suffer(13, crowded, too_slow);
        assert_eq!(table.at[0], 0, "first the others: {:?}", table.at);
        assert!(table.at[1] + table.at[2] > 0);
        table.suffer(20, crowded, too_slow);
        assert_eq!(table.at, [1, 0, 0]);
        // That is remembered, the longer the more often it was in vain.
        let mut gave = Vec::new();
        for second in 0..200 {
            let too_slow = |at: &[usize]| if at[0] == 2 { 0.5 } else { 1.2 };
            table.at[0] = 1;
            table.suffer(10, crowded, too_slow);
            if table.at[1] + table.at[2] > 0 && gave.last().is_none_or(|last| second - last > 8) {
                gave.push(second);
            }
        }
        assert!(
            gave.len() == 2 && gave[0] >= 36 && gave[1] - gave[0] >= 80,
            "{gave:?}"
        );
    }
}

#[test]
fn to_whom_giving_way_is_a_help_it_keeps_its_step() {
    let shared = |at: &[usize]| {
        let total: f64 = at.iter().map(|at| SPEEDS[*at]).sum();
        1.3 * total / (3.0 * SPEEDS[0])
    };
    for crowded in [None, Some(true)] {
        let mut table = Table::of(&[5, 0, 0]);
        table.suffer(100, crowded, shared);
        assert_eq!(table.at[0], 0);
        assert!(shared(&table.at) < 0.85, "{:?}", table.at);
    }
}

#[test]
fn a_load_that_is_its_own_holds_nobody_back() {
    let mut table = Table::of(&[5, 0]);
    table.overload(0, HIGH);
    assert_eq!(table.at, [0, 1]);
    table.suffer(20, Some(false), |at| [1.2, 0.4, 0.1][at[0]]);
    assert_eq!(table.at, [1, 1]);
    table.pass(1_000);
    table.look(LoadState::Optimal);
    assert!(table.arbiter.on_room(table.ids[1], table.now));
}

#[test]
fn who_has_got_busy_or_has_a_thin_network_has_nothing_back_by_that() {
    for spoilt in [(LoadState::Elevated, false), (LoadState::Optimal, true)] {
        let mut table = Table::of(&[5, 0]);
        table.suffer(14, None, |at| [1.2, 0.4, 0.1][at[0]]);
        assert_eq!(table.at, [1, 1]);
        let standing = |(state, held)| Standing {
            speeds: &SPEEDS,
            at: 1,
            load: sees(state, 0.8),
            crowded: None,
            busy: None,
            held,
        };
        table.pass(600);
        let (id, now) = (table.ids[1], table.now);
        let order = table.arbiter.on_member(id, standing(spoilt), now);
        assert_eq!(order, None);
        table.pass(600);
        let calm = standing((LoadState::Optimal, false));
        assert_eq!(table.arbiter.on_member(id, calm, table.now), None);
    }
}
