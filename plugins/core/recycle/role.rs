//! What buffers are for, and how many, how large and how aligned they are then.

/// What stands behind the buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Nothing in particular.
    #[default]
    None,
    /// A camera fills them.
    Input,
    /// A filter works on them.
    Processing,
    /// A display or an encoder holds them.
    Output,
    /// Packets go to the network.
    Network,
}

/// What a role asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Buffers from the start; 0 = nothing is asked.
    pub buffers: u32,
    /// Bytes of a buffer where the caps do not tell; 0 = nothing is asked.
    pub size: u32,
    /// Bytes that an address is a multiple of; 0 = nothing is asked.
    pub alignment: u32,
}

impl Role {
    /// What buffers for this role should be like. Four for whoever waits for somebody outside (a camera, a display),
    /// two where one is read while the next is written; 32 of 64 KiB, aligned to a sector, for packets.
    pub const fn needs(self) -> Needs {
        let (buffers, size, alignment) = match self {
            Self::None => (0, 0, 0),
            Self::Input | Self::Output => (4, 0, 0),
            Self::Processing => (2, 0, 0),
            Self::Network => (32, 64 * 1024, 512),
        };
        Needs {
            buffers,
            size,
            alignment,
        }
    }
}

impl Needs {
    /// These, but what the user `set` counts.
    pub const fn unless(self, set: Self) -> Self {
        const fn or(set: u32, own: u32) -> u32 {
            if set == 0 { own } else { set }
        }
        Self {
            buffers: or(set.buffers, self.buffers),
            size: or(set.size, self.size),
            alignment: or(set.alignment, self.alignment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_sets_counts() {
        let set = Needs {
            buffers: 7,
            size: 0,
            alignment: 64,
        };
        let needs = Role::Network.needs().unless(set);
        assert_eq!(
            (needs.buffers, needs.size, needs.alignment),
            (7, 65_536, 64)
        );
        assert_eq!(Role::None.needs().unless(set), set);
    }

    #[test]
    fn every_role_can_be_met() {
        for role in [
            Role::None,
            Role::Input,
            Role::Processing,
            Role::Output,
            Role::Network,
        ] {
            let alignment = role.needs().alignment;
            assert!(alignment == 0 || alignment.is_power_of_two(), "{role:?}");
        }
    }
}
