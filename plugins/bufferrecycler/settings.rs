//! What the user can set.

use std::time::Duration;

use livetune_core::recycle::{Config, ConfigError, CopyPolicy, Needs, Room, Sizing};

use super::memory;
use super::options::{CopyOut, Propose, Role, WhenFull};

/// More buffers than any stream holds; keeps a typing error from filling the memory.
pub(super) const MOST_BUFFERS: u32 = 1024;
/// A huge page of x86-64 and AArch64.
pub(super) const LARGEST_ALIGNMENT: u32 = 2 * 1024 * 1024;
/// A minute, in ms: who waits for longer has stopped.
pub(super) const LONGEST_WAIT: u32 = 60_000;
/// An hour, in ms.
pub(super) const LONGEST_MILLIS: u32 = 3_600_000;

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) min_buffers: u32,
    pub(super) max_buffers: u32,
    pub(super) extra_buffers: u32,
    /// Bytes.
    pub(super) buffer_size: u32,
    pub(super) alignment: u32,
    pub(super) role: Role,
    pub(super) propose: Propose,
    /// Milliseconds.
    pub(super) max_wait: u32,
    pub(super) when_full: WhenFull,
    pub(super) copy_out: CopyOut,
    pub(super) copy_threshold: u32,
    pub(super) process_allocator: bool,
    /// Bytes.
    pub(super) max_pooled_bytes: u64,
    /// Milliseconds.
    pub(super) idle_trim: u32,
    /// Bytes.
    pub(super) min_size: u32,
    pub(super) prefault: bool,
    pub(super) huge_pages: bool,
    pub(super) poison: bool,
    /// Milliseconds.
    pub(super) hold_warning: u32,
    pub(super) post_messages: bool,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        min_buffers: 0,
        max_buffers: 0,
        extra_buffers: 0,
        buffer_size: 0,
        alignment: 0,
        role: Role::None,
        propose: Propose::Pool,
        max_wait: 1_000,
        when_full: WhenFull::Grow,
        copy_out: CopyOut::WhenLow,
        copy_threshold: 0,
        process_allocator: false,
        max_pooled_bytes: 0,
        idle_trim: 2_000,
        min_size: 64 * 1024,
        prefault: false,
        huge_pages: false,
        poison: false,
        hold_warning: 0,
        post_messages: true,
    };

    /// Buffers, size and alignment: what is set, else what the role asks for.
    fn needs(&self) -> Needs {
        let set = Needs {
            buffers: self.min_buffers,
            size: self.buffer_size,
            alignment: self.alignment,
        };
        livetune_core::recycle::Role::from(self.role)
            .needs()
            .unless(set)
    }

    pub(super) fn sizing(&self) -> Result<Sizing, ConfigError> {
        let needs = self.needs();
        Sizing::new(Config {
            min_buffers: needs.buffers,
            max_buffers: self.max_buffers,
            extra_buffers: self.extra_buffers,
            alignment: needs.alignment,
            buffer_size: needs.size,
            offers_pool: self.propose.pool(),
        })
    }

    /// Buffers that are there from the start.
    pub(super) fn first_buffers(&self) -> u32 {
        self.needs().buffers.saturating_add(self.extra_buffers)
    }

    pub(super) fn room(&self) -> Room {
        Room::new(self.max_pooled_bytes)
    }

    pub(super) fn copy_policy(&self) -> CopyPolicy {
        CopyPolicy::new(self.copy_out.into(), self.copy_threshold)
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.max_wait.into())
    }

    /// How long pools keep what nobody needs: half of the time, for the allocator keeps it for the other half; zero: for
    /// ever.
    pub(super) fn window(&self) -> Duration {
        Duration::from_millis(self.idle_trim.into()) / 2
    }

    /// What the allocator shall keep to where frames take `frame` bytes.
    pub(super) fn limits(&self, frame: u64) -> memory::Limits {
        memory::Limits {
            max_pooled_bytes: self.room().bytes(frame),
            idle_trim: match self.idle_trim {
                0 => Duration::MAX,
                _ => self.window(),
            },
            min_size: self.min_size.into(),
            prefault: self.prefault,
            huge_pages: self.huge_pages,
            poison: self.poison,
        }
    }

    /// How long a buffer may be out before somebody is told; `None` = for ever.
    pub(super) fn longest_hold(&self) -> Option<Duration> {
        (self.hold_warning > 0).then(|| Duration::from_millis(self.hold_warning.into()))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
