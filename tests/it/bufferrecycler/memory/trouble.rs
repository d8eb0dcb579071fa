//! What is hard on an allocator: ten thousand starts, writes after return, pipelines that share their frames.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use gst::prelude::*;
use gstlivetune::memory::{Limits, configure, figures, process, shared};

use crate::bufferrecycler::resident;
use crate::bufferrecycler::{taken, watch};
use crate::support::alone::alone;
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

const CYCLES: u32 = 10_000;

#[test]
fn ten_thousand_starts_and_stops_leave_memory_flat() {
    let name = "bufferrecycler::memory::trouble::ten_thousand_starts_and_stops_leave_memory_flat";
    alone(name, || {
        let pipeline = Pipeline::parse(
            "videotestsrc pattern=black num-buffers=2 ! video/x-raw,format=GRAY8,width=320,height=240 ! \
             bufferrecycler name=r process-allocator=true max-pooled-bytes=1048576 idle-trim=50 ! fakesink",
        );
        let cycle = |round: u32| {
            // Every other time somebody else wants it too.
            let lease = (round % 2 == 1).then(process::install);
            pipeline.set_state(gst::State::Paused).unwrap();
            pipeline.state(gst::ClockTime::from_seconds(10)).0.unwrap();
            assert!(process::is_default());
            pipeline.set_state(gst::State::Null).unwrap();
            assert_eq!(process::is_default(), lease.is_some());
        };
        (0..CYCLES / 10).for_each(cycle);
        let warm = resident();
        (CYCLES / 10..CYCLES).for_each(cycle);
        let grown = resident().saturating_sub(warm);
        assert!(grown < 4 << 20, "{grown} bytes more");
        assert_eq!(figures().blocks.outstanding, 0);
        assert!(figures().blocks.asked() >= u64::from(CYCLES));
        eventually("all memory to go back", LIMIT, || {
            figures().blocks.pooled == 0
        });
        assert!(!process::is_default());
    });
}

#[test]
fn a_write_after_the_return_is_found_and_counted() {
    let name = "bufferrecycler::memory::trouble::a_write_after_the_return_is_found_and_counted";
    alone(name, || {
        let _wish = configure(Limits {
            poison: true,
            idle_trim: Duration::from_millis(50),
            ..Limits::DEFAULT
        });
        let kept_too_long = || {
            let mut memory = shared().alloc(1_000_000, None).unwrap();
            let mut map = memory.get_mut().unwrap().map_writable().unwrap();
            map.as_mut_ptr()
        };
        let pointer = kept_too_long();
        // SAFETY: the block is kept for some time yet; that this is wrong is what is to be found.
        unsafe { pointer.write(1) };
        let memory = shared().alloc(1_000_000, None).unwrap();
        assert_eq!(figures().written_after_return, 1);
        assert!(
            memory
                .map_readable()
                .unwrap()
                .iter()
                .all(|byte| *byte == 0xA5)
        );
        drop(memory);
        let pointer = kept_too_long();
        // SAFETY: as above.
        unsafe { pointer.write(1) };
        // Also where nobody needs the block any more.
        eventually("the memory to go back", LIMIT, || {
            figures().blocks.pooled == 0
        });
        assert_eq!(figures().written_after_return, 2);
    });
}

/// Digests of all frames at the sinks `a` and `b` of a stream that is shared, cut, copied and written to. Rows are whole
/// words: bytes between rows are nobody's, and differ.
fn frames_of_both_branches() -> [Vec<u64>; 2] {
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=60 pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 ! tee name=t \
         t. ! queue ! videobalance brightness=0.2 ! videocrop left=4 ! videoconvert ! video/x-raw,format=RGB ! \
         rawvideoparse format=rgb width=636 height=360 ! videobox border-alpha=0 left=-4 ! fakesink name=a \
         t. ! queue ! videoflip method=clockwise ! videobalance hue=0.1 ! fakesink name=b",
    );
    let seen = ["a", "b"].map(|sink| {
        watch(&pipeline.element(sink), |buffer| {
            let mut hasher = DefaultHasher::new();
            buffer.map_readable().unwrap().as_slice().hash(&mut hasher);
            hasher.finish()
        })
    });
    pipeline.run_to_eos();
    seen.map(|frames| taken(&frames).clone())
}

#[test]
fn frames_are_the_same_bit_for_bit_with_poison_in_all_free_memory() {
    let name = "bufferrecycler::memory::trouble::frames_are_the_same_bit_for_bit_with_poison_in_all_free_memory";
    alone(name, || {
        let stock = frames_of_both_branches();
        assert!(stock.iter().all(|frames| frames.len() == 60));
        let _wish = configure(Limits {
            poison: true,
            ..Limits::DEFAULT
        });
        let _lease = process::install();
        for _ in 0..3 {
            assert_eq!(frames_of_both_branches(), stock);
        }
        let figures = figures();
        assert!(figures.blocks.hits > 300, "{figures:?}");
        assert_eq!(figures.written_after_return, 0);
    });
}
