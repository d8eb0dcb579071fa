//! Memory that is used again: one allocator and one set of free blocks for all pipelines of the process.
//!
//! Large blocks (frames) come from the system once and then go round: whoever is done with one leaves it in a depot by
//! size, and the next who asks for nearly that size gets it, with its pages in place. Depots outlive pools, so neither a
//! change of caps nor a stopped pipeline throws memory away that the next one needs. What nobody needed for a while goes
//! back to the system, as does what is beyond the limit.
//!
//! Blocks lie in maps of their own, beside the C library's heap: what is given back is given back, and what malloc does
//! with large sizes (musl, jemalloc and a fixed `MALLOC_MMAP_THRESHOLD_` map, fault and unmap every frame) does not matter.
//! Small sizes are left to the system's allocator.
//!
//! [`shared`] is the allocator for pools, [`configure`] what its user wishes, [`process::install`] makes it the default of
//! GStreamer, [`figures`] tells how it does.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod allocator;
mod block;
mod depots;
mod keeper;
mod limits;
pub mod process;
#[cfg(test)]
mod tests;

use std::sync::{LazyLock, OnceLock};

use gst::glib;
use gst::prelude::*;
use livetune_core::recycle::{SizeClass, Tally};
use livetune_core::units::Ratio;

pub use limits::{Limits, Wish};

use depots::Depots;
use limits::Wishes;

/// All free blocks of the process.
static DEPOTS: LazyLock<Depots> = LazyLock::new(Depots::default);

/// What all users of the process wish.
static WISHES: Wishes = Wishes::new();

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "livetune-memory",
        gst::DebugColorFlags::empty(),
        Some("Recycling of memory by livetune"),
    )
});

glib::wrapper! {
    pub struct RecyclingAllocator(ObjectSubclass<allocator::RecyclingAllocator>)
        @extends gst::Allocator, gst::Object;
}

/// The allocator. There is one in the process, and it never ends: memory may outlive whoever asked for it.
pub fn shared() -> &'static RecyclingAllocator {
    static SHARED: OnceLock<RecyclingAllocator> = OnceLock::new();
    SHARED.get_or_init(|| {
        let allocator: RecyclingAllocator = glib::Object::new();
        allocator.set_object_flags(gst::ObjectFlags::MAY_BE_LEAKED);
        allocator
    })
}

/// What the allocator shall keep to while the answer lives. Where several wish, the most generous number of each holds.
#[must_use = "the wish ends with its lease"]
pub fn configure(limits: Limits) -> Wish {
    WISHES.add(limits)
}

/// What holds now.
pub fn limits() -> Limits {
    WISHES.in_force()
}

/// Makes sure that `count` blocks for `bytes` each lie free, their pages in place, as far as the limit allows; how many
/// were made. For frames that are about to come: the first ones then cost no more than the later ones.
pub fn reserve(bytes: u64, count: usize) -> usize {
    let Some(class) = SizeClass::holding(bytes).filter(|_| bytes >= limits().min_size) else {
        return 0;
    };
    let made = DEPOTS.reserve(class, count, &limits());
    keeper::call();
    made
}

/// How the allocator does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Memory that was asked for, of any size.
    pub allocations: u64,
    /// Of it what was too small or too large for a block and was left to the system's allocator.
    pub plain: u64,
    /// What depots did and hold.
    pub blocks: Tally,
    /// Blocks that somebody wrote to after they were given back; found only with `poison`.
    pub written_after_return: u64,
}

impl Figures {
    /// Part of the blocks asked for that lay there.
    pub fn hit_ratio(&self) -> Ratio {
        self.blocks.hit_ratio()
    }
}

/// The books of the whole process.
pub fn figures() -> Figures {
    DEPOTS.figures()
}
