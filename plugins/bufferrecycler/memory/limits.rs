//! What the users of the allocator wish, and what holds of it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use livetune_core::recycle::SizeClass;
use livetune_core::time::nanos;

use super::{DEPOTS, WISHES, keeper};
use crate::runtime::lock::lock;

/// How much memory is kept, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that may lie free, of all sizes together.
    pub max_pooled_bytes: u64,
    /// A block that nobody needed for so long goes back to the system; [`Duration::MAX`]: never.
    pub idle_trim: Duration,
    /// Below so many bytes the system's allocator does it. Less than 32 KiB counts as 32 KiB.
    pub min_size: u64,
    /// New blocks get their pages at once instead of one by one.
    pub prefault: bool,
    /// Blocks of 4 MiB and more shall lie in huge pages.
    pub huge_pages: bool,
    /// Free blocks are filled with a pattern, and looked at before they are used again.
    pub poison: bool,
}

impl Limits {
    /// What holds where nobody wishes anything.
    pub const DEFAULT: Self = Self {
        max_pooled_bytes: 256 << 20,
        idle_trim: Duration::from_secs(2),
        min_size: 64 << 10,
        prefault: false,
        huge_pages: false,
        poison: false,
    };

    /// The more generous number of each.
    fn or(self, other: Self) -> Self {
        Self {
            max_pooled_bytes: self.max_pooled_bytes.max(other.max_pooled_bytes),
            idle_trim: self.idle_trim.max(other.idle_trim),
            min_size: self.min_size.min(other.min_size),
            prefault: self.prefault || other.prefault,
            huge_pages: self.huge_pages || other.huge_pages,
            poison: self.poison || other.poison,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// One user's wish. It ends when this is dropped.
#[derive(Debug)]
pub struct Wish(u64);

impl Drop for Wish {
    fn drop(&mut self) {
        WISHES.remove(self.0);
    }
}

/// All wishes, and what holds, readable without a lock.
pub(super) struct Wishes {
    all: Mutex<All>,
    max_pooled_bytes: AtomicU64,
    idle_nanos: AtomicU64,
    min_size: AtomicU64,
    prefault: AtomicBool,
    huge_pages: AtomicBool,
    poison: AtomicBool,
}

struct All {
    next: u64,
    wishes: Vec<(u64, Limits)>,
}

impl Wishes {
    pub(super) const fn new() -> Self {
        let limits = Limits::DEFAULT;
        Self {
            all: Mutex::new(All {
                next: 0,
                wishes: Vec::new(),
            }),
            max_pooled_bytes: AtomicU64::new(limits.max_pooled_bytes),
            idle_nanos: AtomicU64::new(nanos(limits.idle_trim)),
            min_size: AtomicU64::new(limits.min_size),
            prefault: AtomicBool::new(limits.prefault),
            huge_pages: AtomicBool::new(limits.huge_pages),
            poison: AtomicBool::new(limits.poison),
        }
    }

    pub(super) fn add(&self, limits: Limits) -> Wish {
        let (id, changed) = {
            let mut all = lock(&self.all);
            all.next += 1;
            let id = all.next;
            all.wishes.push((id, limits));
            (id, self.settle(&all))
        };
        if changed {
            enforce();
        }
        Wish(id)
    }

    fn remove(&self, id: u64) {
        let changed = {
            let mut all = lock(&self.all);
            all.wishes.retain(|wish| wish.0 != id);
            self.settle(&all)
        };
        if changed {
            enforce();
        }
    }

    /// What holds follows from `all`; whether it is another than before.
    fn settle(&self, all: &All) -> bool {
        let before = self.in_force();
        let limits = all.wishes.iter().map(|wish| wish.1).reduce(Limits::or);
        let limits = limits.unwrap_or_default();
        let min_size = limits.min_size.max(SizeClass::SMALLEST);
        let order = Ordering::Relaxed;
        self.max_pooled_bytes.store(limits.max_pooled_bytes, order);
        self.idle_nanos.store(nanos(limits.idle_trim), order);
        self.min_size.store(min_size, order);
        self.prefault.store(limits.prefault, order);
        self.huge_pages.store(limits.huge_pages, order);
        self.poison.store(limits.poison, order);
        DEPOTS.stock().set_most(limits.max_pooled_bytes);
        self.in_force() != before
    }

    /// The one limit that every allocation has to know.
    pub(super) fn min_size(&self) -> u64 {
        self.min_size.load(Ordering::Relaxed)
    }

    pub(super) fn in_force(&self) -> Limits {
        let order = Ordering::Relaxed;
        let idle = self.idle_nanos.load(order);
        Limits {
            max_pooled_bytes: self.max_pooled_bytes.load(order),
            idle_trim: match idle {
                u64::MAX => Duration::MAX,
                nanos => Duration::from_nanos(nanos),
            },
            min_size: self.min_size.load(order),
            prefault: self.prefault.load(order),
            huge_pages: self.huge_pages.load(order),
            poison: self.poison.load(order),
        }
    }
}

/// What lies free keeps to what holds since now.
fn enforce() {
    DEPOTS.keep_to_limit();
    keeper::hurry();
}
