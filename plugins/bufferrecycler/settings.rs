//! What the user can set.

use livetune_core::recycle::{Config, ConfigError, Sizing};

/// More buffers than any stream holds; keeps a typing error from filling the memory.
pub(super) const MOST_BUFFERS: u32 = 1024;
/// A huge page of x86-64 and AArch64.
pub(super) const LARGEST_ALIGNMENT: u32 = 2 * 1024 * 1024;

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) min_buffers: u32,
    pub(super) max_buffers: u32,
    pub(super) alignment: u32,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        min_buffers: 0,
        max_buffers: 0,
        alignment: 0,
    };

    pub(super) fn sizing(self) -> Result<Sizing, ConfigError> {
        Sizing::new(Config {
            min_buffers: self.min_buffers,
            max_buffers: self.max_buffers,
            alignment: self.alignment,
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
