//! The groups of a process: elements that share a machine, and one arbiter for each.

use std::sync::{Arc, Mutex, Weak};

use livetune_core::quality::{Arbiter, MemberId};

use crate::runtime::lock::lock;

type Group = Mutex<Arbiter>;

static GROUPS: Mutex<Vec<(String, Weak<Group>)>> = Mutex::new(Vec::new());

/// An element's place in its group, if it is of one. Left when dropped.
#[derive(Debug)]
pub(super) struct Member {
    seat: Option<Seat>,
}

#[derive(Debug)]
struct Seat {
    name: String,
    priority: i32,
    group: Arc<Group>,
    id: MemberId,
}

impl Member {
    /// In the group called `name`, or in none.
    pub(super) fn join(name: Option<&str>, priority: i32) -> Self {
        let seat = name.map(|name| Seat::take(name, priority));
        Self { seat }
    }

    /// From now on in the group called `name`, with that priority.
    pub(super) fn set(&mut self, name: Option<&str>, priority: i32) {
        let stays = self.seat.as_mut().filter(|seat| Some(&*seat.name) == name);
        if let Some(seat) = stays {
            if seat.priority != priority {
                seat.priority = priority;
                lock(&seat.group).set_priority(seat.id, priority);
            }
        } else {
            *self = Self::join(name, priority);
        }
    }

    /// Lets `action` ask the group's arbiter, where there is a group. The arbiter is locked meanwhile.
    pub(super) fn with<R>(&self, action: impl FnOnce(Option<(&mut Arbiter, MemberId)>) -> R) -> R {
        match &self.seat {
            Some(seat) => action(Some((&mut lock(&seat.group), seat.id))),
            None => action(None),
        }
    }
}

impl Seat {
    fn take(name: &str, priority: i32) -> Self {
        let group = group(name);
        let id = lock(&group).join(priority);
        Self {
            name: name.to_owned(),
            priority,
            group,
            id,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.group).leave(self.id);
    }
}

fn group(name: &str) -> Arc<Group> {
    let mut groups = lock(&GROUPS);
    groups.retain(|(_, group)| group.strong_count() > 0);
    let known = groups.iter().find(|(known, _)| known == name);
    if let Some(group) = known.and_then(|(_, group)| group.upgrade()) {
        return group;
    }
    let group = Arc::default();
    groups.push((name.to_owned(), Arc::downgrade(&group)));
    group
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn members(member: &Member) -> usize {
        member.with(|seat| seat.map_or(0, |(arbiter, _)| arbiter.members()))
    }

    #[test]
    fn those_of_one_name_have_one_arbiter_until_they_leave() {
        let one = Member::join(Some("cameras of the test"), 0);
        let mut other = Member::join(Some("cameras of the test"), 5);
        let alone = Member::join(None, 0);
        assert_eq!((members(&one), members(&alone)), (2, 0));
        other.set(Some("cameras of another test"), 5);
        assert_eq!((members(&one), members(&other)), (1, 1));
        other.set(Some("cameras of the test"), 5);
        assert_eq!(members(&one), 2);
        other.set(None, 5);
        assert_eq!((members(&one), members(&other)), (1, 0));
        drop(one);
        let names: Vec<String> = lock(&GROUPS)
            .iter()
            .filter(|(_, group)| group.strong_count() > 0)
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!names.contains(&"cameras of the test".to_owned()));
    }

    #[test]
    fn another_priority_keeps_the_seat() {
        let mut member = Member::join(Some("seats of the test"), 0);
        let id = member.with(|seat| seat.map(|(_, id)| id));
        member.set(Some("seats of the test"), 7);
        assert_eq!(member.with(|seat| seat.map(|(_, id)| id)), id);
        assert!(id.is_some());
    }

    #[test]
    fn members_come_and_go_from_many_threads() {
        let threads: Vec<_> = (0..8)
            .map(|priority| {
                thread::spawn(move || {
                    for _ in 0..500 {
                        let member = Member::join(Some("threads of the test"), priority);
                        assert!(members(&member) >= 1);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no thread panics");
        }
        let last = Member::join(Some("threads of the test"), 0);
        assert_eq!(members(&last), 1);
    }
}
