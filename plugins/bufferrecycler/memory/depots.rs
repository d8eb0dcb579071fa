//! All depots of the process, a lock for each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use livetune_core::recycle::{Depot, SizeClass, Stock, Tally};
use livetune_core::time::MediaTime;

use super::block::{Block, Condition};
use super::{CAT, Figures, Limits};
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// No block lies free.
const NEVER: u64 = u64::MAX;

/// One depot, and since when its oldest block has been free.
struct Shelf {
    depot: Mutex<Depot<Block>>,
    oldest: AtomicU64,
}

impl Shelf {
    fn new(class: SizeClass) -> Self {
        Self {
            depot: Mutex::new(Depot::new(class)),
            oldest: AtomicU64::new(NEVER),
        }
    }

    /// Does `action` under the lock.
    fn with<R>(&self, action: impl FnOnce(&mut Depot<Block>) -> R) -> R {
        let mut depot = lock(&self.depot);
        let result = action(&mut depot);
        let oldest = depot.oldest().map_or(NEVER, MediaTime::as_nanos);
        self.oldest.store(oldest, Ordering::Relaxed);
        result
    }

    fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Relaxed)
    }
}

pub(super) struct Depots {
    shelves: Vec<Shelf>,
    stock: Stock,
    plain: AtomicU64,
    written_after_return: AtomicU64,
}

impl Default for Depots {
    fn default() -> Self {
        Self {
            shelves: SizeClass::all().map(Shelf::new).collect(),
            stock: Stock::new(Limits::DEFAULT.max_pooled_bytes),
            plain: AtomicU64::new(0),
            written_after_return: AtomicU64::new(0),
        }
    }
}

impl Depots {
    fn shelf(&self, class: SizeClass) -> &Shelf {
        &self.shelves[class.index()]
    }

    /// A block of `class` whose address is a multiple of `alignment`; `None` where the system has no memory.
    pub(super) fn lend(
        &self,
        class: SizeClass,
        alignment: usize,
        limits: &Limits,
    ) -> Option<Block> {
        let shelf = self.shelf(class);
        let free = shelf.with(|depot| {
            let free = depot.take(alignment as u64);
            if free.is_some() {
                self.stock.on_taken(class.bytes());
            }
            free
        });
        let block = free.or_else(|| self.make(class, alignment, limits));
        match block {
            Some(mut block) => {
                let condition = self.inspect(&mut block);
                if limits.poison && condition != Condition::Untouched {
                    block.poison();
                }
                Some(block)
            }
            None => {
                shelf.with(Depot::on_not_made);
                None
            }
        }
    }

    /// Maps a block; where that fails, gives back all that lies free and tries again.
    fn make(&self, class: SizeClass, alignment: usize, limits: &Limits) -> Option<Block> {
        Block::map(class, alignment, limits).or_else(|| {
            self.evict_while(|| self.stock.pooled() > 0);
            Block::map(class, alignment, limits)
        })
    }

    /// `block` is not in use any more.
    pub(super) fn take_back(&self, mut block: Block, limits: &Limits) {
        if limits.poison {
            block.poison();
        } else {
            // What it holds now is no pattern: nothing to be looked at.
            block.forget_poison();
        }
        let (class, alignment) = (block.class(), block.alignment());
        let now = clock::monotonic();
        self.shelf(class).with(|depot| {
            self.stock.on_put(class.bytes());
            depot.put(block, alignment, now);
        });
        self.keep_to_limit();
    }

    /// Makes blocks of `class` ahead of time until `count` lie free or no more may; how many.
    pub(super) fn reserve(&self, class: SizeClass, count: usize, limits: &Limits) -> usize {
        let shelf = self.shelf(class);
        let missing = count.saturating_sub(lock(&shelf.depot).pooled());
        let room = self.stock.room() / class.bytes();
        let wanted = missing.min(usize::try_from(room).unwrap_or(usize::MAX));
        let blocks = (0..wanted).map_while(|_| Block::map(class, 1, limits));
        let now = clock::monotonic();
        let made = blocks.map(|mut block| {
            block.populate();
            if limits.poison {
                block.poison();
            }
            let alignment = block.alignment();
            shelf.with(|depot| {
                self.stock.on_put(class.bytes());
                depot.add(block, alignment, now);
            });
        });
        made.count()
    }

    /// Gives back what lies free beyond the limit of the stock, the oldest first.
    pub(super) fn keep_to_limit(&self) {
        self.evict_while(|| self.stock.is_over());
    }

    /// Gives back the oldest free block of all, again and again.
    fn evict_while(&self, more: impl Fn() -> bool) {
        while more() {
            let oldest = self.shelves.iter().min_by_key(|shelf| shelf.oldest());
            let evicted = oldest.and_then(|shelf| {
                shelf.with(|depot| {
                    let evicted = depot.evict();
                    if evicted.is_some() {
                        self.stock.on_taken(depot.block_bytes());
                    }
                    evicted
                })
            });
            // Others take blocks too: none left is as good.
            let Some(mut block) = evicted else { return };
            self.inspect(&mut block);
        }
    }

    /// Gives back what nobody needed for a while; when to look again, or `None` where nothing lies free.
    pub(super) fn on_time(&self, limits: &Limits, now: MediaTime) -> Option<MediaTime> {
        let idle = limits.idle_trim;
        for shelf in &self.shelves {
            let oldest = shelf.oldest();
            if oldest == NEVER || MediaTime::from_nanos(oldest).after(idle) > now {
                continue;
            }
            let trimmed = shelf.with(|depot| {
                let trimmed = depot.on_time(idle, now);
                self.stock
                    .on_taken(depot.block_bytes() * trimmed.len() as u64);
                trimmed
            });
            for mut block in trimmed {
                self.inspect(&mut block);
            }
        }
        let oldest = self.shelves.iter().map(Shelf::oldest).min();
        let oldest = oldest.filter(|oldest| *oldest != NEVER)?;
        Some(MediaTime::from_nanos(oldest).after(idle))
    }

    /// Looks whether somebody wrote to `block` while it was free.
    fn inspect(&self, block: &mut Block) -> Condition {
        let condition = block.unpoison();
        if condition == Condition::Written {
            self.written_after_return.fetch_add(1, Ordering::Relaxed);
            gst::warning!(
                CAT,
                "{} bytes at {:p} were written to after they had been given back: some element keeps a pointer into a \
                 buffer that it has unreffed or unmapped",
                block.class().bytes(),
                block.start()
            );
        }
        condition
    }

    /// The system's allocator was asked instead.
    pub(super) fn on_plain(&self) {
        self.plain.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stock(&self) -> &Stock {
        &self.stock
    }

    pub(super) fn figures(&self) -> Figures {
        let mut blocks = Tally::default();
        for shelf in &self.shelves {
            blocks += lock(&shelf.depot).tally();
        }
        let plain = self.plain.load(Ordering::Relaxed);
        Figures {
            allocations: plain + blocks.asked(),
            plain,
            blocks,
            written_after_return: self.written_after_return.load(Ordering::Relaxed),
        }
    }
}
