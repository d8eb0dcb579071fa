//! `process-allocator`, and the wishes that an element has of the allocator.

use std::time::Duration;

use gst::prelude::*;
use gstlivetune::memory;

use super::{RAW, count, resident, taken, watch};
use crate::support::alone::{alone, alone_with};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const OURS: &str = "GstLiveTuneRecyclingAllocator";

/// Frames that are copied on write behind a tee, which no pool serves.
fn behind_a_tee(settings: &str) -> Pipeline {
    Pipeline::parse(&format!(
        "videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width=1280,height=720,framerate=30/1 ! \
         imagefreeze num-buffers=200 ! bufferrecycler name=r {settings} ! videobalance contrast=1.1 ! \
         queue max-size-buffers=3 ! fakesink name=end"
    ))
}

fn allocator_of(buffer: &gst::BufferRef) -> String {
    let allocator = buffer.peek_memory(0).allocator().cloned();
    allocator.map_or_else(String::new, |allocator| allocator.type_().name().to_owned())
}

#[test]
fn while_one_element_wants_it_the_whole_process_recycles() {
    let name = "bufferrecycler::process::while_one_element_wants_it_the_whole_process_recycles";
    alone(name, || {
        let before = gst::Allocator::find(None);
        let pipeline = behind_a_tee("process-allocator=true");
        let allocators = watch(&pipeline.element("end"), |buffer| allocator_of(buffer));
        // In a pipeline that has no such element, too.
        let line = format!("videotestsrc num-buffers=5 ! {RAW} ! fakesink name=end");
        let other = Pipeline::parse(&line);
        let of_others = watch(&other.element("end"), |buffer| allocator_of(buffer));
        pipeline.run_to_eos();
        other.run_to_eos();
        assert!(memory::process::is_default());
        assert!(taken(&allocators).iter().all(|name| name == OURS));
        assert_eq!(*taken(&of_others), [OURS; 5]);
        let recycler = pipeline.element("r");
        assert!(
            count(&recycler, "process-hits") >= 180,
            "{}",
            stats(&recycler)
        );
        assert!(
            count(&recycler, "process-misses") <= 12,
            "{}",
            stats(&recycler)
        );
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(gst::Allocator::find(None), before);
    });
}

#[test]
fn buffers_may_outlive_the_element_and_the_default() {
    let name = "bufferrecycler::process::buffers_may_outlive_the_element_and_the_default";
    alone(name, || {
        let pipeline = behind_a_tee("process-allocator=true poison=true");
        let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
        pipeline.run_to_eos();
        drop(pipeline);
        assert!(!memory::process::is_default());
        let mut buffers = std::mem::take(&mut *taken(&kept));
        assert_eq!(buffers.len(), 200);
        let first = buffers[0].map_readable().unwrap().to_vec();
        for buffer in &mut buffers {
            assert!(buffer.map_readable().unwrap().as_slice() == first);
            buffer.make_mut().map_writable().unwrap().fill(1);
        }
        drop(buffers);
        assert_eq!(memory::figures().blocks.outstanding, 0);
        assert_eq!(memory::figures().written_after_return, 0);
    });
}

#[test]
fn the_default_may_change_while_pipelines_run() {
    let name = "bufferrecycler::process::the_default_may_change_while_pipelines_run";
    alone(name, || {
        let running = Pipeline::parse(
            "videotestsrc ! video/x-raw,format=NV12,width=640,height=360 ! identity drop-allocation=true ! \
             tee name=t ! queue ! videobalance contrast=1.1 ! fakesink name=end t. ! queue ! fakesink",
        );
        let shown = watch(&running.element("end"), |_| ());
        running.play();
        for round in 0..20 {
            let before = taken(&shown).len();
            let other = behind_a_tee("process-allocator=true");
            other.set_state(gst::State::Playing).unwrap();
            eventually("frames under the other default", LIMIT, || {
                taken(&shown).len() > before + 3
            });
            drop(other);
            let before = taken(&shown).len();
            eventually("frames under the old default", LIMIT, || {
                taken(&shown).len() > before + 3
            });
            assert!(!memory::process::is_default(), "{round}");
        }
    });
}

#[test]
fn what_the_elements_wish_holds_while_they_run() {
    let name = "bufferrecycler::process::what_the_elements_wish_holds_while_they_run";
    alone(name, || {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=2 ! {RAW} ! bufferrecycler max-pooled-bytes=900000000 idle-trim=8000 \
             min-size=40000 prefault=true huge-pages=true poison=true ! fakesink"
        ));
        pipeline.run_to_eos();
        let expected = memory::Limits {
            max_pooled_bytes: 900_000_000,
            idle_trim: Duration::from_secs(4),
            min_size: 40_000,
            prefault: true,
            huge_pages: true,
            poison: true,
        };
        assert_eq!(memory::limits(), expected);
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(memory::limits(), memory::Limits::DEFAULT);
    });
}

#[test]
fn blocks_outlive_a_change_of_caps_and_back() {
    let name = "bufferrecycler::process::blocks_outlive_a_change_of_caps_and_back";
    alone(name, || {
        let run = |width: u32| {
            let line = format!(
                "videotestsrc num-buffers=20 ! video/x-raw,format=NV12,width={width},height=720 ! \
                 bufferrecycler name=r max-buffers=3 min-buffers=3 ! queue ! fakesink"
            );
            Pipeline::parse(&line).run_to_eos();
            memory::figures().blocks.misses
        };
        run(1280);
        assert_eq!(run(640), 6);
        run(1280);
        assert_eq!(run(640), 6, "{:?}", memory::figures());
    });
}

#[test]
fn the_memory_of_a_stall_goes_back_to_the_system() {
    let name = "bufferrecycler::process::the_memory_of_a_stall_goes_back_to_the_system";
    alone(name, || {
        let pipeline = Pipeline::parse(
            "videotestsrc is-live=true pattern=black ! video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1 ! \
             bufferrecycler name=r idle-trim=600 ! queue max-size-buffers=40 max-size-bytes=0 max-size-time=0 ! \
             fakesink name=end enable-last-sample=false",
        );
        let recycler = pipeline.element("r");
        let sink = pipeline.element("end").static_pad("sink").unwrap();
        pipeline.play();
        let blocked = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER;
        let before = resident();
        let stall = sink.add_probe(blocked, |_, _| gst::PadProbeReturn::Ok);
        eventually("a long queue", LIMIT, || {
            count(&recycler, "outstanding") >= 30
        });
        let peak = resident() - before;
        assert!(peak > 80_000_000, "{peak}");
        sink.remove_probe(stall.unwrap());
        // While frames go on.
        eventually("the memory to go", LIMIT, || resident() < before + peak / 5);
        let before = count(&recycler, "buffers");
        eventually("frames", LIMIT, || count(&recycler, "buffers") > before + 5);
        assert!(count(&recycler, "trimmed-bytes") > 80_000_000);
        assert!(count(&recycler, "process-trimmed-bytes") > 80_000_000);
    });
}

#[test]
fn prefault_makes_frames_ready_before_the_first_one_comes() {
    let name = "bufferrecycler::process::prefault_makes_frames_ready_before_the_first_one_comes";
    alone(name, || {
        let caps = "video/x-raw,format=NV12,width=1280,height=720,framerate=30/1";
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=1 ! {caps} ! bufferrecycler name=r prefault=true min-buffers=6 ! fakesink"
        ));
        pipeline.run_to_eos();
        let blocks = memory::figures().blocks;
        assert!(blocks.hits >= 6, "{blocks:?}");
        assert_eq!(count(&pipeline.element("r"), "allocations"), 6);
    });
}

#[test]
fn who_writes_into_a_frame_that_is_gone_is_told_of_by_poison() {
    let name = "bufferrecycler::process::who_writes_into_a_frame_that_is_gone_is_told_of_by_poison";
    alone_with(name, &[("G_DEBUG", "")], || {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc is-live=true ! {RAW} ! bufferrecycler name=r poison=true copy-out=always propose=none ! \
             fakesink name=end enable-last-sample=false"
        ));
        pipeline
            .element("end")
            .static_pad("sink")
            .unwrap()
            .add_probe(gst::PadProbeType::BUFFER, |_, info| {
                // Gives the memory back and writes into it, as a broken element does.
                if let Some(gst::PadProbeData::Buffer(buffer)) = info.data.take() {
                    let address = buffer.map_readable().unwrap().as_ptr().cast_mut();
                    drop(buffer);
                    // SAFETY: none: that is what is tested. The block stays mapped in the depot for some seconds.
                    unsafe { address.add(5_000).write(0x11) };
                }
                gst::PadProbeReturn::Handled
            });
        pipeline.set_state(gst::State::Playing).unwrap();
        let message = pipeline.wait_for(gst::MessageType::Warning);
        let text = match message.view() {
            gst::MessageView::Warning(warning) => warning.error().to_string(),
            _ => unreachable!("waited for a warning"),
        };
        assert!(text.contains("wrote into a frame"), "{text}");
        assert!(count(&pipeline.element("r"), "written-after-return") > 0);
    });
}
