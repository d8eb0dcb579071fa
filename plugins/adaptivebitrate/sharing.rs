//! The groups of a process: streams that share what one network path carries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use livetune_core::bitrate::{Claim, Coupling};

use crate::runtime::lock::lock;

/// What makes streams a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The user's word.
    Named(String),
    /// The same transport, by its address.
    Transport(u64),
    /// Nothing: a stream for itself.
    Alone(u64),
}

impl Key {
    /// This is the key of the group called `name`, else of `transport`, else of none.
    fn is(&self, name: Option<&str>, transport: Option<u64>) -> bool {
        match (self, name) {
            (Self::Named(known), Some(name)) => known == name,
            (Self::Transport(known), None) => transport == Some(*known),
            (Self::Alone(_), None) => transport.is_none(),
            _ => false,
        }
    }
}

type Group = Mutex<Coupling>;

static GROUPS: Mutex<Vec<(Key, Weak<Group>)>> = Mutex::new(Vec::new());

/// A stream's place in its group. Left when dropped.
#[derive(Debug)]
pub(super) struct Member {
    id: u64,
    key: Key,
    group: Arc<Group>,
}

impl Member {
    /// A stream for itself.
    pub(super) fn alone() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            id,
            key: Key::Alone(id),
            group: Arc::default(),
        }
    }

    /// Sends through `transport` from now on, in the group called `name` or with all that send through it. Answers
    /// whether that is another group, which knows nothing of the stream.
    pub(super) fn join(
        &mut self,
        name: Option<&str>,
        transport: Option<u64>,
        claim: Claim,
    ) -> bool {
        let other = !self.key.is(name, transport);
        if other {
            lock(&self.group).leave(self.id);
            self.key = match (name, transport) {
                (Some(name), _) => Key::Named(name.to_owned()),
                (None, Some(transport)) => Key::Transport(transport),
                (None, None) => Key::Alone(self.id),
            };
            self.group = group(&self.key);
        }
        // Transports are told apart by their address; a stream without one stands for its own.
        let transport = transport.unwrap_or(self.id);
        lock(&self.group).join(self.id, transport, claim);
        other
    }

    /// Lets `action` look at the group.
    pub(super) fn with<T>(&self, action: impl FnOnce(&mut Coupling, u64) -> T) -> T {
        action(&mut lock(&self.group), self.id)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        lock(&self.group).leave(self.id);
    }
}

fn group(key: &Key) -> Arc<Group> {
    if let Key::Alone(_) = key {
        return Arc::default();
    }
    let mut groups = lock(&GROUPS);
    groups.retain(|(_, group)| group.strong_count() > 0);
    let known = groups.iter().find(|(known, _)| known == key);
    if let Some(group) = known.and_then(|(_, group)| group.upgrade()) {
        return group;
    }
    let group = Arc::default();
    groups.push((key.clone(), Arc::downgrade(&group)));
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use livetune_core::units::Bitrate;

    const CLAIM: Claim = Claim {
        min: Bitrate::from_kbps(100),
        max: Bitrate::from_kbps(8_000),
        weight: 1.0,
        priority: 0,
    };

    fn streams(member: &Member) -> usize {
        member.with(|group, _| group.streams())
    }

    #[test]
    fn who_sends_through_one_transport_or_bears_one_name_is_a_group() {
        let (mut one, mut other, mut third) = (Member::alone(), Member::alone(), Member::alone());
        one.join(None, Some(901), CLAIM);
        other.join(None, Some(901), CLAIM);
        third.join(None, Some(902), CLAIM);
        assert_eq!((streams(&one), streams(&third)), (2, 1));
        one.join(Some("uplink of the test"), Some(901), CLAIM);
        third.join(Some("uplink of the test"), Some(902), CLAIM);
        assert_eq!((streams(&one), streams(&other)), (2, 1));
        drop(third);
        assert_eq!(streams(&one), 1);
    }
}
