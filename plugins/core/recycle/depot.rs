//! The free blocks of one size, and the books on them.

use std::collections::VecDeque;
use std::ops::AddAssign;
use std::time::Duration;

use super::SizeClass;
use crate::time::MediaTime;
use crate::units::Ratio;

#[cfg(test)]
mod tests;

/// Keeps free blocks of one size class and lends the one that was used last: its bytes are the likeliest to be in a
/// cache, and those that nobody needs stay at the other end until they have lain there for too long.
///
/// A block `B` is whatever the caller takes for memory; the depot only keeps it.
#[derive(Debug)]
pub struct Depot<B> {
    block_bytes: u64,
    /// The longest free first.
    free: VecDeque<Free<B>>,
    tally: Tally,
}

#[derive(Debug)]
struct Free<B> {
    block: B,
    alignment: u64,
    since: MediaTime,
}

/// What depots did so far, and what they hold. Sums of several add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Blocks that were asked for and lay there.
    pub hits: u64,
    /// Blocks that were asked for and had to be made.
    pub misses: u64,
    /// Blocks in use.
    pub outstanding: u64,
    /// Bytes of them.
    pub outstanding_bytes: u64,
    /// Blocks that lie free.
    pub pooled: u64,
    /// Bytes of them.
    pub pooled_bytes: u64,
    /// Bytes given back to the system because nobody needed them for a while, so far.
    pub trimmed_bytes: u64,
    /// Bytes given back to the system because more lay free than may, so far.
    pub evicted_bytes: u64,
}

impl Tally {
    /// Blocks that were asked for.
    pub fn asked(&self) -> u64 {
        self.hits + self.misses
    }

    /// Part of the blocks that were asked for and lay there.
    pub fn hit_ratio(&self) -> Ratio {
        Ratio::of(self.hits, self.asked())
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.outstanding += other.outstanding;
        self.outstanding_bytes += other.outstanding_bytes;
        self.pooled += other.pooled;
        self.pooled_bytes += other.pooled_bytes;
        self.trimmed_bytes += other.trimmed_bytes;
        self.evicted_bytes += other.evicted_bytes;
    }
}

impl<B> Depot<B> {
    /// An empty depot for blocks of `class`.
    pub const fn new(class: SizeClass) -> Self {
        Self {
            block_bytes: class.bytes(),
            free: VecDeque::new(),
            tally: Tally {
                hits: 0,
                misses: 0,
                outstanding: 0,
                outstanding_bytes: 0,
                pooled: 0,
                pooled_bytes: 0,
                trimmed_bytes: 0,
                evicted_bytes: 0,
            },
        }
    }

    /// Bytes of each block.
    pub fn block_bytes(&self) -> u64 {
        self.block_bytes
    }

    /// A block is needed whose address is a multiple of `alignment`. Where none lies here, the caller makes one.
    pub fn take(&mut self, alignment: u64) -> Option<B> {
        let fits = |free: &Free<B>| free.alignment >= alignment;
        let found = self.free.iter().rposition(fits);
        let block = found.and_then(|at| self.free.remove(at));
        match block {
            Some(_) => self.tally.hits += 1,
            None => self.tally.misses += 1,
        }
        self.tally.outstanding += 1;
        block.map(|free| free.block)
    }

    /// The block that was to be made could not be.
    pub fn on_not_made(&mut self) {
        self.tally.outstanding = self.tally.outstanding.saturating_sub(1);
    }

    /// A block that was in use is free, with an address that is a multiple of `alignment`.
    pub fn put(&mut self, block: B, alignment: u64, now: MediaTime) {
        self.tally.outstanding = self.tally.outstanding.saturating_sub(1);
        self.add(block, alignment, now);
    }

    /// A block was made ahead of time and is free.
    pub fn add(&mut self, block: B, alignment: u64, now: MediaTime) {
        self.free.push_back(Free {
            block,
            alignment,
            since: now,
        });
    }

    /// More lies free than may: the block that has lain here longest, for the caller to give back.
    pub fn evict(&mut self) -> Option<B> {
        let oldest = self.free.pop_front()?;
        self.tally.evicted_bytes += self.block_bytes;
        Some(oldest.block)
    }

    /// The blocks that nobody needed for `idle`, for the caller to give back.
    pub fn on_time(&mut self, idle: Duration, now: MediaTime) -> Vec<B> {
        let rested = |free: &Free<B>| free.since.after(idle) <= now;
        let count = self.free.iter().take_while(|free| rested(free)).count();
        self.tally.trimmed_bytes += self.block_bytes * count as u64;
        let trimmed = self.free.drain(..count).map(|free| free.block).collect();
        if self.free.is_empty() {
            self.free.shrink_to_fit();
        }
        trimmed
    }

    /// Since when the block has been free that lies here longest.
    pub fn oldest(&self) -> Option<MediaTime> {
        self.free.front().map(|free| free.since)
    }

    /// Blocks that lie here.
    pub fn pooled(&self) -> usize {
        self.free.len()
    }

    /// The books.
    pub fn tally(&self) -> Tally {
        let pooled = self.free.len() as u64;
        Tally {
            outstanding_bytes: self.tally.outstanding * self.block_bytes,
            pooled,
            pooled_bytes: pooled * self.block_bytes,
            ..self.tally
        }
    }
}
