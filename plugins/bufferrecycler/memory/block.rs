//! A block of memory, mapped from the system.

use std::ptr::NonNull;
use std::sync::LazyLock;

use livetune_core::recycle::SizeClass;

use super::Limits;

/// What poisoned memory is filled with. Neither black, white nor grey in any pixel format, and no valid float or pointer.
const POISON: u8 = 0xA5;
/// A huge page of x86-64 and AArch64.
const HUGE_PAGE: usize = 2 << 20;
/// Below, half of a block's last huge page would be a large part of it.
const LEAST_FOR_HUGE_PAGES: u64 = 4 << 20;

static PAGE: LazyLock<usize> = LazyLock::new(|| {
    // SAFETY: a call without pointers.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
});

/// Readable, writable, private memory; unmapped when dropped.
#[derive(Debug)]
pub(super) struct Block {
    start: NonNull<u8>,
    bytes: usize,
    class: SizeClass,
    poisoned: bool,
}

// SAFETY: the block is the only owner of its map.
unsafe impl Send for Block {}

impl Block {
    /// Maps memory for `class` at an address that is a multiple of `alignment`, a power of two.
    pub(super) fn map(class: SizeClass, alignment: usize, limits: &Limits) -> Option<Self> {
        let bytes = usize::try_from(class.bytes()).ok()?.next_multiple_of(*PAGE);
        let huge = limits.huge_pages && class.bytes() >= LEAST_FOR_HUGE_PAGES;
        let alignment = if huge {
            alignment.max(HUGE_PAGE)
        } else {
            alignment
        };
        let block = Self {
            start: map_aligned(bytes, alignment)?,
            bytes,
            class,
            poisoned: false,
        };
        if huge {
            block.advise(libc::MADV_HUGEPAGE);
        }
        if limits.prefault {
            block.populate();
        }
        Some(block)
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn class(&self) -> SizeClass {
        self.class
    }

    /// The largest power of two that the address is a multiple of.
    pub(super) fn alignment(&self) -> u64 {
        1 << self.start.addr().trailing_zeros()
    }

    /// Gives every page its memory.
    pub(super) fn populate(&self) {
        if self.advise(libc::MADV_POPULATE_WRITE) {
            return;
        }
        // Linux before 5.14.
        for at in (0..self.bytes).step_by(*PAGE) {
            // SAFETY: within the map, which nobody else has yet.
            unsafe { self.start.add(at).write_volatile(0) };
        }
    }

    fn advise(&self, advice: libc::c_int) -> bool {
        // SAFETY: the map is ours.
        unsafe { libc::madvise(self.start.as_ptr().cast(), self.bytes, advice) == 0 }
    }

    /// Fills the block with the pattern.
    pub(super) fn poison(&mut self) {
        // SAFETY: the map is ours, and no memory of GStreamer points to it any more or as yet.
        unsafe { self.start.write_bytes(POISON, self.bytes) };
        self.poisoned = true;
    }

    /// The block is in use, and what it holds is its user's.
    pub(super) fn forget_poison(&mut self) {
        self.poisoned = false;
    }

    /// Whether the block holds the pattern, and nothing but it. Ends its being poisoned.
    pub(super) fn unpoison(&mut self) -> Condition {
        if !std::mem::take(&mut self.poisoned) {
            return Condition::Unknown;
        }
        // SAFETY: the map is ours; whoever writes to it now breaks the rules, which is what is looked for.
        let bytes = unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) };
        let untouched = bytes[0] == POISON && bytes[1..] == bytes[..bytes.len() - 1];
        if untouched {
            Condition::Untouched
        } else {
            Condition::Written
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        unmap(self.start, self.bytes);
    }
}

/// What became of a block while it was free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It was not poisoned.
    Unknown,
    Untouched,
    /// Somebody wrote to it.
    Written,
}

fn map_aligned(bytes: usize, alignment: usize) -> Option<NonNull<u8>> {
    let spare = if alignment > *PAGE { alignment } else { 0 };
    let whole = bytes.checked_add(spare)?;
    let start = map(whole)?;
    let before = match start.addr().get() & (alignment - 1) {
        0 => 0,
        beyond => alignment - beyond,
    };
    // Both in bounds: `before` is below `alignment`, and where it is not 0 there is `spare`.
    let aligned = start.map_addr(|address| address.saturating_add(before));
    unmap(start, before);
    unmap(
        aligned.map_addr(|address| address.saturating_add(bytes)),
        spare - before,
    );
    Some(aligned)
}

fn map(bytes: usize) -> Option<NonNull<u8>> {
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new map wherever the system likes.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, rights, kind, -1, 0) };
    if start == libc::MAP_FAILED {
        return None;
    }
    NonNull::new(start.cast())
}

/// Gives back `bytes` from `start`, whole pages of a map of ours.
fn unmap(start: NonNull<u8>, bytes: usize) {
    if bytes > 0 {
        // SAFETY: `map` made it, and its owner is done with it.
        unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(bytes: u64, alignment: usize, limits: &Limits) -> Block {
        Block::map(SizeClass::holding(bytes).unwrap(), alignment, limits).unwrap()
    }

    /// How many pages of `block` have memory.
    fn resident(block: &Block) -> usize {
        let mut pages = vec![0_u8; block.bytes / *PAGE];
        // SAFETY: `pages` has one byte for each page.
        let result =
            unsafe { libc::mincore(block.start.as_ptr().cast(), block.bytes, pages.as_mut_ptr()) };
        assert_eq!(result, 0);
        pages.iter().filter(|page| **page & 1 == 1).count()
    }

    #[test]
    fn blocks_lie_where_they_were_asked_to() {
        for log2 in 0..26 {
            let block = block(100_000, 1 << log2, &Limits::DEFAULT);
            assert!(block.alignment() >= 1 << log2);
            // SAFETY: the map is ours.
            unsafe { block.start.write_bytes(1, block.bytes) };
        }
    }

    #[test]
    fn pages_come_at_once_only_where_that_is_wished() {
        let lazy = block(1 << 20, 1, &Limits::DEFAULT);
        assert_eq!(resident(&lazy), 0);
        let prefault = Limits {
            prefault: true,
            ..Limits::DEFAULT
        };
        let eager = block(1 << 20, 1, &prefault);
        assert_eq!(resident(&eager), eager.bytes / *PAGE);
    }

    /// Whether the system was told to back `block` with huge pages.
    fn asks_for_huge_pages(block: &Block) -> bool {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let begins = format!("{:x}-", block.start.addr());
        let of_block = maps.split_once(&begins).map(|(_, rest)| rest);
        let flags = of_block.and_then(|rest| rest.split_once("VmFlags:"));
        let (_, flags) = flags.unwrap();
        let flags = flags.lines().next().unwrap();
        flags.split_whitespace().any(|flag| flag == "hg")
    }

    #[test]
    fn large_blocks_lie_in_huge_pages_where_that_is_wished() {
        let huge = Limits {
            huge_pages: true,
            ..Limits::DEFAULT
        };
        let large = block(LEAST_FOR_HUGE_PAGES, 1, &huge);
        assert!(large.alignment() >= HUGE_PAGE as u64);
        assert!(asks_for_huge_pages(&large));
        let small = block(LEAST_FOR_HUGE_PAGES / 2, 1, &huge);
        assert!(small.advise(libc::MADV_NOHUGEPAGE), "a map of its own");
        assert!(!asks_for_huge_pages(&small));
    }

    #[test]
    fn a_single_byte_in_poisoned_memory_is_seen() {
        let mut block = block(100_000, 1, &Limits::DEFAULT);
        assert_eq!(block.unpoison(), Condition::Unknown);
        block.poison();
        assert_eq!(block.unpoison(), Condition::Untouched);
        for at in [0, 1, 50_000, block.bytes - 1] {
            block.poison();
            // SAFETY: within the map.
            unsafe { block.start.add(at).write(0) };
            assert_eq!(block.unpoison(), Condition::Written, "byte {at}");
        }
    }
}
