//! Words that a property may be set to.

use gst::glib;
use livetune_core::recycle;

/// What upstream is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneBufferRecyclerPropose")]
pub enum Propose {
    /// Nothing of ours.
    #[enum_value(name = "Nothing but how many buffers are needed", nick = "none")]
    None,
    /// A pool.
    #[default]
    #[enum_value(name = "A pool, for raw video in system memory", nick = "pool")]
    Pool,
    /// The recycling allocator.
    #[enum_value(
        name = "The recycling allocator, for encoders and decoders, which take an allocator and no pool",
        nick = "allocator"
    )]
    Allocator,
    /// Both.
    #[enum_value(name = "The pool and the recycling allocator", nick = "both")]
    Both,
}

impl Propose {
    pub(super) fn pool(self) -> bool {
        matches!(self, Self::Pool | Self::Both)
    }

    pub(super) fn allocator(self) -> bool {
        matches!(self, Self::Allocator | Self::Both)
    }
}

/// When frames are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneBufferRecyclerCopyOut")]
pub enum CopyOut {
    /// Never.
    #[enum_value(name = "Never", nick = "never")]
    Never,
    /// While upstream's buffers run low.
    #[default]
    #[enum_value(name = "While upstream's own pool runs low", nick = "when-low")]
    WhenLow,
    /// Every frame.
    #[enum_value(name = "Every frame that does not lie in our memory", nick = "always")]
    Always,
}

impl From<CopyOut> for recycle::CopyOut {
    fn from(copy_out: CopyOut) -> Self {
        match copy_out {
            CopyOut::Never => Self::Never,
            CopyOut::WhenLow => Self::WhenLow,
            CopyOut::Always => Self::Always,
        }
    }
}

/// What happens when upstream waited at a pool's maximum in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneBufferRecyclerWhenFull")]
pub enum WhenFull {
    /// It gets a buffer more.
    #[default]
    #[enum_value(
        name = "The pool grows beyond its maximum until buffers come home",
        nick = "grow"
    )]
    Grow,
    /// The frame is lost.
    #[enum_value(
        name = "The frame is dropped, in this element, until buffers come home",
        nick = "drop"
    )]
    Drop,
}

/// What the buffers are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneBufferRecyclerRole")]
pub enum Role {
    /// Nothing in particular.
    #[default]
    #[enum_value(name = "Nothing in particular", nick = "none")]
    None,
    /// A camera fills them.
    #[enum_value(name = "A camera fills them: 4 buffers", nick = "input")]
    Input,
    /// A filter works on them.
    #[enum_value(name = "A filter works on them: 2 buffers", nick = "processing")]
    Processing,
    /// A display or an encoder holds them.
    #[enum_value(
        name = "A display or an encoder holds them: 4 buffers",
        nick = "output"
    )]
    Output,
    /// Packets.
    #[enum_value(
        name = "Packets for the network: 32 buffers of 64 KiB, aligned to 512 bytes",
        nick = "network"
    )]
    Network,
}

impl From<Role> for recycle::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::None => Self::None,
            Role::Input => Self::Input,
            Role::Processing => Self::Processing,
            Role::Output => Self::Output,
            Role::Network => Self::Network,
        }
    }
}
