//! How much is kept, and for how long.

use std::time::Duration;

use gst::prelude::*;
use gstlivetune::memory::{Limits, configure, figures, limits, process, reserve, shared};

use super::{books_of, threads};
use crate::support::alone::alone;
use crate::support::pipeline::LIMIT;
use crate::support::wait::eventually;

const MEGABYTE: usize = 1 << 20;
const THREAD: &str = "livetune-memory";

fn block(bytes: usize) -> gst::Memory {
    shared().alloc(bytes, None).unwrap()
}

#[test]
fn what_nobody_needs_goes_back_and_so_does_the_thread() {
    let name = "bufferrecycler::memory::limits::what_nobody_needs_goes_back_and_so_does_the_thread";
    alone(name, || {
        let wish = configure(Limits {
            idle_trim: Duration::from_millis(100),
            ..Limits::DEFAULT
        });
        assert_eq!(threads(THREAD), 0, "a thread with nothing to do");
        for _ in 0..3 {
            drop([(); 20].map(|()| block(MEGABYTE)));
            assert_eq!(figures().blocks.pooled, 20);
            eventually("the thread", LIMIT, || threads(THREAD) == 1);
            eventually("the memory to go back", LIMIT, || {
                figures().blocks.pooled == 0
            });
            eventually("the thread to end", LIMIT, || threads(THREAD) == 0);
        }
        assert_eq!(figures().blocks.trimmed_bytes, 60 * MEGABYTE as u64);
        drop(wish);
        assert_eq!(limits(), Limits::DEFAULT);
    });
}

#[test]
fn what_is_in_use_stays_and_only_the_surplus_of_a_stall_goes() {
    let name =
        "bufferrecycler::memory::limits::what_is_in_use_stays_and_only_the_surplus_of_a_stall_goes";
    alone(name, || {
        let _wish = configure(Limits {
            idle_trim: Duration::from_millis(200),
            ..Limits::DEFAULT
        });
        let stalled = [(); 50].map(|()| block(MEGABYTE));
        drop(stalled);
        eventually("the surplus to go", LIMIT, || {
            // The stream runs on, with two frames at a time.
            let _frames = [block(MEGABYTE), block(MEGABYTE)];
            figures().blocks.pooled == 0
        });
        let blocks = figures().blocks;
        assert_eq!(blocks.misses, 50, "a running stream lost its frames");
        assert_eq!(blocks.trimmed_bytes, 48 * MEGABYTE as u64);
    });
}

#[test]
fn the_most_generous_wish_holds_until_it_ends() {
    let name = "bufferrecycler::memory::limits::the_most_generous_wish_holds_until_it_ends";
    alone(name, || {
        let small = Limits {
            max_pooled_bytes: 4 << 20,
            idle_trim: Duration::from_secs(9),
            min_size: 1 << 20,
            ..Limits::DEFAULT
        };
        let first = configure(small);
        assert_eq!(limits(), small);
        let second = configure(Limits {
            max_pooled_bytes: 8 << 20,
            idle_trim: Duration::from_secs(1),
            min_size: 0,
            poison: true,
            ..Limits::DEFAULT
        });
        let both = limits();
        assert_eq!(both.max_pooled_bytes, 8 << 20);
        assert_eq!(both.idle_trim, Duration::from_secs(9));
        assert_eq!(both.min_size, 32 << 10);
        assert!(both.poison && !both.prefault);
        drop([(); 10].map(|()| block(MEGABYTE)));
        assert_eq!(figures().blocks.pooled_bytes, 8 << 20);
        drop(second);
        assert_eq!(limits(), small);
        assert_eq!(figures().blocks.pooled_bytes, 4 << 20);
        drop(first);
        assert_eq!(limits(), Limits::DEFAULT);
    });
}

#[test]
fn reserved_frames_are_there_with_their_pages() {
    let name = "bufferrecycler::memory::limits::reserved_frames_are_there_with_their_pages";
    alone(name, || {
        assert_eq!(reserve(12_441_600, 4), 4);
        assert_eq!(reserve(12_441_600, 4), 0);
        assert_eq!(reserve(100, 4), 0, "too small for a block");
        let before = super::faults();
        let mut frame = block(12_441_600);
        frame.get_mut().unwrap().map_writable().unwrap().fill(1);
        assert!(super::faults() - before < 100);
        assert_eq!(figures().blocks.misses, 0);
        // The limit stands above what is wished for.
        assert!(reserve(12_441_600, 1000) < 25);
    });
}

#[test]
fn a_change_of_caps_brings_the_blocks_of_the_time_before() {
    let name =
        "bufferrecycler::memory::limits::a_change_of_caps_brings_the_blocks_of_the_time_before";
    alone(name, || {
        let _lease = process::install();
        let sizes = [(1920, 1080), (1280, 720)];
        let line = |(width, height): (u32, u32)| {
            format!(
                "videotestsrc num-buffers=10 ! video/x-raw,format=NV12,width=320,height=240 ! videoscale ! \
                 video/x-raw,width={width},height={height} ! queue ! fakesink"
            )
        };
        sizes.iter().for_each(|size| {
            books_of(&line(*size));
        });
        for size in sizes {
            let again = books_of(&line(size));
            assert!(again.blocks.asked() > 0);
            assert!(again.blocks.misses <= 2, "{size:?}: {again:?}");
        }
    });
}
