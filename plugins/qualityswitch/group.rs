//! The qualityswitches of a process that share a machine, by the name that they were given.

use std::sync::{Arc, Mutex, Weak};

use livetune_core::quality::{Arbiter, Governor, MemberId, Switch};
use livetune_core::time::MediaTime;
use livetune_core::units::Bitrate;

use crate::runtime::lock::lock;

/// Groups that have members, by name.
static GROUPS: Mutex<Vec<(String, Weak<Mutex<Arbiter>>)>> = Mutex::new(Vec::new());

/// A place in a group; it ends with this.
#[derive(Debug)]
pub(super) struct Membership {
    arbiter: Arc<Mutex<Arbiter>>,
    id: MemberId,
}

impl Membership {
    /// A place in the group `name`, which there is from its first member on.
    pub(super) fn join(name: &str, priority: i32) -> Self {
        let mut groups = lock(&GROUPS);
        groups.retain(|(_, group)| group.strong_count() > 0);
        let known = groups.iter().find(|(known, _)| known == name);
        let known = known.and_then(|(_, group)| group.upgrade());
        let arbiter = known.unwrap_or_else(|| {
            let arbiter = Arc::default();
            groups.push((name.to_owned(), Arc::downgrade(&arbiter)));
            arbiter
        });
        let id = lock(&arbiter).join(priority);
        Self { arbiter, id }
    }

    /// It has another priority from now on.
    pub(super) fn set_priority(&self, priority: i32) {
        lock(&self.arbiter).set_priority(self.id, priority);
    }

    /// How many share the machine.
    pub(super) fn members(&self) -> usize {
        lock(&self.arbiter).members()
    }

    /// Time has passed for `governor`.
    pub(super) fn on_time(&self, governor: &mut Governor, now: MediaTime) -> Option<Switch> {
        governor.on_time_in((&mut lock(&self.arbiter), self.id), now)
    }

    /// The network carries `target` for `governor`.
    pub(super) fn on_target(
        &self,
        governor: &mut Governor,
        target: Bitrate,
        now: MediaTime,
    ) -> Option<Switch> {
        governor.on_target_in((&mut lock(&self.arbiter), self.id), target, now)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock(&self.arbiter).leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_there_as_long_as_it_has_members() {
        let first = Membership::join("street", 0);
        let second = Membership::join("street", 10);
        let other = Membership::join("yard", 0);
        assert_eq!((first.members(), other.members()), (2, 1));
        drop(second);
        assert_eq!(first.members(), 1);
        drop((first, other));
        let again = Membership::join("street", 0);
        assert_eq!(again.members(), 1);
        let names = lock(&GROUPS).iter().filter(|(name, _)| name == "yard").count();
        assert_eq!(names, 0);
    }
}
