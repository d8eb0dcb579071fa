//! What GStreamer sees of the memory, and what the depots do with it.

use std::time::Duration;

use gst::prelude::*;
use livetune_core::recycle::SizeClass;
use livetune_core::time::MediaTime;

use super::depots::Depots;
use super::{Limits, limits, shared};

const SIZE: usize = 100_000;

fn memory(size: usize, params: Option<&gst::AllocationParams>) -> gst::Memory {
    gst::init().unwrap();
    shared().alloc(size, params).unwrap()
}

fn numbered(size: usize) -> gst::Memory {
    let mut memory = memory(size, None);
    let mut map = memory.get_mut().unwrap().map_writable().unwrap();
    for (at, byte) in map.iter_mut().enumerate() {
        *byte = (at % 251) as u8;
    }
    drop(map);
    memory
}

fn bytes(memory: &gst::MemoryRef) -> Vec<u8> {
    memory.map_readable().unwrap().to_vec()
}

fn address(memory: &gst::MemoryRef) -> usize {
    memory.map_readable().unwrap().as_ptr().addr()
}

#[test]
fn to_others_it_is_system_memory() {
    let memory = memory(SIZE, None);
    assert!(memory.is_type("SystemMemory"));
    let allocator = memory.allocator().unwrap();
    assert_eq!(allocator, shared().upcast_ref::<gst::Allocator>());
    assert!(
        !allocator
            .object_flags()
            .contains(gst::ObjectFlags::from_bits_retain(
                gst::ffi::GST_ALLOCATOR_FLAG_CUSTOM_ALLOC
            ))
    );
}

#[test]
fn what_is_small_is_left_to_the_system() {
    let system = gst::Allocator::find(Some("SystemMemory"));
    for size in [0, 1, 1500, 32_767] {
        let memory = memory(size, None);
        assert_eq!(memory.size(), size);
        assert_eq!(memory.allocator(), system.as_ref(), "{size}");
    }
}

#[test]
fn what_cannot_be_is_no_memory() {
    gst::init().unwrap();
    assert!(shared().alloc(usize::MAX, None).is_err());
    assert!(shared().alloc(usize::MAX / 2, None).is_err());
    assert!(shared().alloc(1 << 40, None).is_err());
    let params = gst::AllocationParams::new(gst::MemoryFlags::empty(), 0, usize::MAX, 0);
    assert!(shared().alloc(SIZE, Some(&params)).is_err());
}

#[test]
fn alignment_prefix_and_padding_are_as_asked_for() {
    for log2 in 0..22 {
        let align = (1_usize << log2) - 1;
        let params = gst::AllocationParams::new(gst::MemoryFlags::empty(), align, 64, 32);
        let memory = memory(SIZE, Some(&params));
        assert_eq!(memory.offset(), 64);
        assert_eq!(memory.size(), SIZE);
        assert_eq!(memory.maxsize(), SIZE + 64 + 32);
        assert_eq!(memory.align() & align, align);
        assert_eq!((address(&memory) - 64) & align, 0);
    }
}

#[test]
fn prefix_and_padding_are_zero_where_asked_for_in_used_memory_too() {
    let flags = gst::MemoryFlags::ZERO_PREFIXED | gst::MemoryFlags::ZERO_PADDED;
    let params = gst::AllocationParams::new(flags, 0, 512, 256);
    for _ in 0..10 {
        let mut memory = memory(SIZE, Some(&params));
        assert!(memory.flags().contains(flags));
        let edges = memory.get_mut().unwrap();
        // SAFETY: the prefix lies before, the padding behind; the binding knows no negative offsets.
        unsafe { gst::ffi::gst_memory_resize(edges.as_mut_ptr(), -512, SIZE + 512 + 256) };
        let mut map = edges.map_writable().unwrap();
        assert!(map[..512].iter().all(|byte| *byte == 0));
        assert!(map[512 + SIZE..].iter().all(|byte| *byte == 0));
        map.fill(7);
    }
}

#[test]
fn a_copy_has_the_bytes_and_memory_of_its_own() {
    let memory = numbered(SIZE);
    let copy = memory.copy();
    assert_eq!(bytes(&copy), bytes(&memory));
    assert_ne!(address(&copy), address(&memory));
    assert!(copy.parent().is_none());
    assert!(copy.is_type("SystemMemory"));
    for range in [0..SIZE, 10..SIZE - 10, 5..6, SIZE - 1..SIZE] {
        let part = memory.copy_range(range.clone());
        assert_eq!(bytes(&part), bytes(&memory)[range]);
    }
    let of_a_part = memory.share(100..SIZE - 100).copy_range(50..);
    assert_eq!(bytes(&of_a_part), bytes(&memory)[150..SIZE - 100]);
}

#[test]
fn a_part_shows_the_same_bytes_and_keeps_the_whole() {
    let memory = numbered(SIZE);
    let (start, whole) = (address(&memory), bytes(&memory));
    let mut part = memory.share(1000..2000);
    let part_of_part = part.share(10..20);
    assert_eq!(address(&part), start + 1000);
    assert_eq!(part_of_part.parent().unwrap().as_ptr(), memory.as_ptr());
    assert!(part.get_mut().unwrap().map_writable().is_err(), "read-only");
    drop((memory, part));
    assert_eq!(bytes(&part_of_part), whole[1010..1020]);
    assert_eq!(address(&part_of_part), start + 1010);
}

#[test]
fn neighbours_are_known_as_such() {
    let memory = numbered(SIZE);
    let (first, second) = (memory.share(100..300), memory.share(300..400));
    assert_eq!(first.is_span(&second), Some(100));
    assert_eq!(second.is_span(&first), None);
    assert_eq!(first.is_span(&memory.share(301..400)), None);
    let mut buffer = gst::Buffer::new();
    let parts = buffer.get_mut().unwrap();
    parts.append_memory(first);
    parts.append_memory(second);
    // GStreamer joins neighbours without a copy.
    let all = parts.all_memory().unwrap();
    assert_eq!(address(&all), address(&memory) + 100);
    assert_eq!(bytes(&all), bytes(&memory)[100..400]);
}

#[test]
fn memory_whose_part_is_held_elsewhere_is_copied_on_write() {
    let mut buffer = gst::Buffer::new();
    buffer.get_mut().unwrap().append_memory(numbered(SIZE));
    let mut other = buffer.copy();
    other.make_mut().map_writable().unwrap().fill(0);
    let kept = buffer.map_readable().unwrap();
    assert!(
        kept.iter()
            .enumerate()
            .all(|(at, byte)| *byte == (at % 251) as u8)
    );
}

fn class() -> SizeClass {
    SizeClass::holding(1_000_000).unwrap()
}

fn at(millis: u64) -> MediaTime {
    crate::runtime::clock::monotonic().after(Duration::from_millis(millis))
}

/// From now on at most `bytes` lie free.
fn limit(depots: &Depots, bytes: u64) {
    depots.stock().set_most(bytes);
    depots.keep_to_limit();
}

#[test]
fn the_same_block_comes_again_and_then_goes() {
    let (depots, limits) = (Depots::default(), Limits::DEFAULT);
    let block = depots.lend(class(), 1, &limits).unwrap();
    let start = block.start();
    depots.take_back(block, &limits);
    let again = depots.lend(class(), 1, &limits).unwrap();
    assert_eq!(again.start(), start);
    depots.take_back(again, &limits);
    let next = depots.on_time(&limits, at(0)).unwrap();
    assert!(next > at(1_000) && next < at(3_000));
    assert_eq!(depots.on_time(&limits, at(3_000)), None);
    let figures = depots.figures();
    assert_eq!((figures.blocks.hits, figures.blocks.misses), (1, 1));
    assert_eq!((figures.blocks.outstanding, figures.blocks.pooled), (0, 0));
    assert_eq!(figures.blocks.trimmed_bytes, class().bytes());
    assert!(depots.stock().pooled() == 0);
}

#[test]
fn no_more_lies_free_than_may() {
    let (depots, limits) = (Depots::default(), Limits::DEFAULT);
    limit(&depots, 3 * class().bytes());
    let small = SizeClass::holding(100_000).unwrap();
    let first = depots.lend(small, 1, &limits).unwrap();
    depots.take_back(first, &limits);
    let blocks: Vec<_> = (0..5).map(|_| depots.lend(class(), 1, &limits)).collect();
    for block in blocks {
        depots.take_back(block.unwrap(), &limits);
        let blocks = depots.figures().blocks;
        assert!(blocks.pooled_bytes <= 3 * class().bytes());
    }
    let blocks = depots.figures().blocks;
    assert_eq!(blocks.pooled, 3);
    // The oldest went first, of whatever size.
    assert_eq!(blocks.evicted_bytes, small.bytes() + 2 * class().bytes());
    limit(&depots, 0);
    assert!(depots.stock().pooled() == 0);
}

#[test]
fn frames_larger_than_the_limit_are_not_kept() {
    let (depots, limits) = (Depots::default(), Limits::DEFAULT);
    limit(&depots, class().bytes() - 1);
    let block = depots.lend(class(), 1, &limits).unwrap();
    depots.take_back(block, &limits);
    assert!(depots.stock().pooled() == 0);
    assert_eq!(depots.figures().blocks.outstanding, 0);
}

#[test]
fn what_is_reserved_is_there() {
    let (depots, limits) = (Depots::default(), Limits::DEFAULT);
    assert_eq!(depots.reserve(class(), 4, &limits), 4);
    assert_eq!(depots.reserve(class(), 4, &limits), 0);
    let _block = depots.lend(class(), 1, &limits).unwrap();
    assert_eq!(depots.figures().blocks.hits, 1);
    limit(&depots, 5 * class().bytes());
    assert_eq!(depots.reserve(class(), 100, &limits), 2);
}

#[test]
fn who_writes_to_what_was_given_back_is_caught() {
    gst::init().unwrap();
    let poison = Limits {
        poison: true,
        ..Limits::DEFAULT
    };
    let depots = Depots::default();
    let mut block = depots.lend(class(), 1, &poison).unwrap();
    let start = block.start();
    for caught in 0..3 {
        assert_eq!(depots.figures().written_after_return, caught);
        // SAFETY: within the block, which is in use.
        unsafe {
            assert_eq!(
                start.add(500_000).read(),
                0xA5,
                "what was not written is the pattern"
            );
            start.write_bytes(0, 1_000_000);
        }
        depots.take_back(block, &poison);
        // SAFETY: the map is still there; to write to it is the fault to be found.
        unsafe { start.add(999_999).write(0) };
        block = depots.lend(class(), 1, &poison).unwrap();
        assert_eq!(block.start(), start);
    }
    depots.take_back(block, &poison);
    // Nobody wrote: nobody is accused, also where the pattern is not wished any more.
    let block = depots.lend(class(), 1, &Limits::DEFAULT).unwrap();
    depots.take_back(block, &Limits::DEFAULT);
    drop(depots.lend(class(), 1, &poison));
    assert_eq!(depots.figures().written_after_return, 3);
}

#[test]
fn threads_do_not_get_each_others_blocks() {
    let (depots, limits) = (Depots::default(), Limits::DEFAULT);
    std::thread::scope(|scope| {
        for mark in 0..4_u8 {
            let (depots, limits) = (&depots, &limits);
            scope.spawn(move || {
                for round in 0..500 {
                    let bytes = 50_000 + 10_000 * (round % 3);
                    let class = SizeClass::holding(bytes).unwrap();
                    let block = depots.lend(class, 1, limits).unwrap();
                    let (start, length) = (block.start(), bytes as usize);
                    // SAFETY: the block holds so many bytes, and is lent to this thread.
                    let held = unsafe {
                        start.write_bytes(mark, length);
                        std::thread::yield_now();
                        std::slice::from_raw_parts(start.as_ptr(), length)
                    };
                    assert!(held.iter().all(|byte| *byte == mark));
                    depots.take_back(block, limits);
                }
            });
        }
    });
    let blocks = depots.figures().blocks;
    assert_eq!((blocks.outstanding, blocks.asked()), (0, 2000));
    assert!(blocks.misses <= 12, "{blocks:?}");
}

#[test]
fn the_smallest_block_is_the_smallest_class() {
    let limits = limits();
    assert!(limits.min_size >= SizeClass::SMALLEST);
}
