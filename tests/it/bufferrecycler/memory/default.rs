//! The allocator as GStreamer's default: who gets blocks, and who is the default afterwards.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gstlivetune::memory::{figures, process, shared};

use super::{books_of, copies_on_write, default_allocator, faults};
use crate::bufferrecycler::{taken, watch};
use crate::support::alone::{alone, alone_with};
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

#[test]
fn the_default_is_ours_as_long_as_somebody_wants_it() {
    let name = "bufferrecycler::memory::default::the_default_is_ours_as_long_as_somebody_wants_it";
    alone(name, || {
        let before = default_allocator();
        let first = process::install();
        let second = process::install();
        assert!(process::is_default());
        drop(first);
        assert!(process::is_default());
        drop(second);
        assert_eq!(default_allocator(), before);
        drop(process::install());
        assert_eq!(default_allocator(), before);
    });
}

#[test]
fn a_default_that_somebody_else_has_set_stays() {
    let name = "bufferrecycler::memory::default::a_default_that_somebody_else_has_set_stays";
    alone(name, || {
        let system = gst::Allocator::find(Some("SystemMemory")).unwrap();
        let theirs = another_allocator();
        let lease = process::install();
        theirs.clone().set_default();
        drop(lease);
        assert_eq!(default_allocator(), theirs);
        // The next lease finds theirs, and leaves theirs.
        let lease = process::install();
        assert!(process::is_default());
        drop(lease);
        assert_eq!(default_allocator(), theirs);
        system.set_default();
    });
}

/// An allocator that is neither the one of this process nor the system's.
fn another_allocator() -> gst::Allocator {
    let made = gst::glib::Object::with_type(shared().type_());
    made.downcast().unwrap()
}

#[test]
fn without_a_lease_nothing_is_ours() {
    let name = "bufferrecycler::memory::default::without_a_lease_nothing_is_ours";
    alone(name, || {
        let added = books_of(&copies_on_write(20));
        assert_eq!(added.allocations, 0);
    });
}

#[test]
fn copies_on_write_use_the_same_few_blocks_in_all_pipelines() {
    let name =
        "bufferrecycler::memory::default::copies_on_write_use_the_same_few_blocks_in_all_pipelines";
    alone(name, || {
        let _lease = process::install();
        let first = books_of(&copies_on_write(200));
        assert!(first.blocks.asked() >= 200, "{first:?}");
        assert!(first.blocks.misses <= 8, "{first:?}");
        let second = books_of(&copies_on_write(200));
        assert!(second.blocks.hits >= 190, "{second:?}");
        assert!(second.blocks.misses <= 4, "{second:?}");
    });
}

/// Page faults of each frame, where malloc maps every frame anew (as that of musl does).
fn faults_per_frame() -> f64 {
    let of = |frames| {
        let before = faults();
        Pipeline::parse(&copies_on_write(frames)).run_to_eos();
        faults() - before
    };
    of(20);
    let (few, many) = (of(20), of(220));
    (many as f64 - few as f64) / 200.0
}

#[test]
fn a_frame_needs_no_page_fault_where_malloc_would_need_hundreds() {
    let name = "bufferrecycler::memory::default::a_frame_needs_no_page_fault_where_malloc_would_need_hundreds";
    let as_musl = [("MALLOC_MMAP_THRESHOLD_", "131072")];
    alone_with(name, &as_musl, || {
        let stock = faults_per_frame();
        assert!(stock > 300.0, "{stock} faults a frame without recycling");
        let _lease = process::install();
        let recycled = faults_per_frame();
        assert!(recycled < 10.0, "{recycled} faults a frame");
    });
}

#[test]
fn frames_outlive_the_pipeline_and_the_default() {
    let name = "bufferrecycler::memory::default::frames_outlive_the_pipeline_and_the_default";
    alone(name, || {
        let lease = process::install();
        let pipeline = Pipeline::parse(&copies_on_write(12));
        let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
        pipeline.run_to_eos();
        drop((pipeline, lease));
        assert!(!process::is_default());
        let mut frames = std::mem::take(&mut *taken(&kept));
        assert_eq!(frames.len(), 12);
        for frame in &mut frames {
            assert_eq!(frame.map_readable().unwrap().size(), 1280 * 720 * 3 / 2);
            frame.make_mut().map_writable().unwrap().fill(1);
        }
        let ours = frames[0].peek_memory(0).allocator().cloned();
        assert_eq!(ours.as_ref(), Some(shared().upcast_ref::<gst::Allocator>()));
        let before = figures().blocks;
        assert!(before.outstanding >= 12, "{before:?}");
        drop(frames);
        assert!(figures().blocks.outstanding <= before.outstanding - 12);
    });
}

#[test]
fn the_default_may_change_while_pipelines_run() {
    let name = "bufferrecycler::memory::default::the_default_may_change_while_pipelines_run";
    alone(name, || {
        // The one copies what it was given, the other asks for memory for each buffer.
        let own = "audiotestsrc wave=silence samplesperbuffer=100000 ! audio/x-raw,format=S16LE,channels=1 ! queue max-size-buffers=3 ! fakesink name=end";
        let lines = [copies_on_write(100_000), own.to_owned()];
        let lines = lines.map(|line| Pipeline::parse(&line));
        lines.iter().for_each(Pipeline::play);
        let arrived = lines.each_ref().map(|it| watch(&it.element("end"), |_| ()));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let lease = process::install();
                    std::thread::yield_now();
                    drop(lease);
                }
            });
            for seen in &arrived {
                eventually("frames", LIMIT, || taken(seen).len() > 200);
            }
            stop.store(true, Ordering::Relaxed);
        });
        drop(lines);
        let blocks = figures().blocks;
        assert!(blocks.asked() > 0);
        assert_eq!(blocks.outstanding, 0);
        assert!(!process::is_default());
    });
}
