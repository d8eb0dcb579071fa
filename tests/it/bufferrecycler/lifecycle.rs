//! Starting, stopping, flushing, changing caps, taking the element out: no buffer is lost and none stays behind.

use gst::prelude::*;

use super::{RAW, count, taken, watch};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

#[test]
fn no_buffer_is_out_after_a_hundred_starts_and_stops() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc ! {RAW} ! bufferrecycler name=r min-buffers=2 ! queue ! fakesink"
    ));
    let recycler = pipeline.element("r");
    for round in 0..100 {
        pipeline.play();
        assert!(count(&recycler, "recycled") > 0, "round {round}");
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(count(&recycler, "outstanding"), 0, "round {round}");
        assert_eq!(count(&recycler, "pooled-bytes"), 0, "round {round}");
    }
}

#[test]
fn every_run_counts_from_zero() {
    let line = format!("videotestsrc num-buffers=10 ! {RAW} ! bufferrecycler name=r ! fakesink");
    let pipeline = Pipeline::parse(&line);
    for _ in 0..3 {
        pipeline.run_to_eos();
        assert_eq!(count(&pipeline.element("r"), "buffers"), 10);
        pipeline.set_state(gst::State::Null).unwrap();
        // The last run can still be read.
        let recycler = pipeline.element("r");
        assert_eq!(count(&recycler, "recycled"), 10);
        let faults = count(&recycler, "page-faults");
        // The last run is over: what the process does meanwhile is not counted.
        std::hint::black_box(vec![1_u8; 64 * 1024 * 1024]);
        assert_eq!(count(&recycler, "page-faults"), faults);
    }
}

#[test]
fn buffers_may_outlive_the_pipeline() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=5 ! {RAW} ! bufferrecycler name=r ! fakesink name=end"
    ));
    let recycler = pipeline.element("r");
    let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
    pipeline.run_to_eos();
    drop(pipeline);
    assert_eq!(count(&recycler, "outstanding"), 5);
    let buffers = std::mem::take(&mut *taken(&kept));
    assert!(
        buffers
            .iter()
            .all(|buffer| buffer.map_readable().unwrap().size() == 115_200)
    );
    let weak = recycler.downgrade();
    eventually("the buffers to come home", LIMIT, {
        let mut buffers = buffers.into_iter();
        move || {
            let gone = buffers.next().is_none();
            gone && count(&weak.upgrade().unwrap(), "outstanding") == 0
        }
    });
    assert_eq!(count(&recycler, "pooled-bytes"), 0);
}

#[test]
fn buffers_may_outlive_the_element() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=5 ! {RAW} ! bufferrecycler ! fakesink name=end"
    ));
    let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
    pipeline.run_to_eos();
    drop(pipeline);
    let buffers = std::mem::take(&mut *taken(&kept));
    assert_eq!(buffers.len(), 5);
    for mut buffer in buffers {
        assert!(buffer.make_mut().map_writable().is_ok());
    }
}

#[test]
fn a_change_of_caps_brings_a_new_pool_and_frees_the_old_one() {
    let pipeline = Pipeline::parse(
        "videotestsrc ! capsfilter name=f caps=video/x-raw,format=NV12,width=640,height=480 ! \
         bufferrecycler name=r ! queue max-size-buffers=2 ! fakesink",
    );
    let recycler = pipeline.element("r");
    pipeline.play();
    eventually("recycled frames", LIMIT, || {
        count(&recycler, "recycled") > 10
    });
    for (width, height) in [(160_i32, 120_i32), (321, 241), (640, 480), (160, 120)] {
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "NV12")
            .field("width", width)
            .field("height", height)
            .build();
        pipeline.element("f").set_property("caps", &caps);
        let pad = recycler.static_pad("sink").unwrap();
        eventually("the new caps", LIMIT, || {
            pad.current_caps()
                .is_some_and(|caps| caps.structure(0).unwrap().get::<i32>("width") == Ok(width))
        });
        let before = count(&recycler, "recycled");
        eventually("frames of the new pool", LIMIT, || {
            count(&recycler, "recycled") > before + 20
        });
    }
    // Six frames are more than this pipeline holds; one of the first size would be sixteen of the last.
    eventually("the old pools to go", LIMIT, || {
        count(&recycler, "pooled-bytes") <= 6 * 160 * 120 * 3 / 2
    });
    assert!(count(&recycler, "allocations") >= 5, "{}", stats(&recycler));
    let now = stats(&recycler);
    assert_eq!(now.get::<u64>("recycled"), now.get::<u64>("buffers"));
}

#[test]
fn recycling_goes_on_after_flushing_seeks() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=2000 ! {RAW} ! bufferrecycler name=r max-buffers=4 ! queue ! fakesink"
    ));
    let recycler = pipeline.element("r");
    pipeline.play();
    for _ in 0..10 {
        let before = count(&recycler, "recycled");
        pipeline
            .seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO)
            .unwrap();
        eventually("frames after a flush", LIMIT, || {
            count(&recycler, "recycled") > before + 5
        });
    }
    pipeline.wait_for(gst::MessageType::Eos);
    assert!(
        count(&recycler, "allocations") <= 4 * 11,
        "{}",
        stats(&recycler)
    );
    assert_eq!(count(&recycler, "recycled"), count(&recycler, "buffers"));
}

#[test]
fn the_stream_goes_on_when_the_element_is_taken_out() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc name=source ! capsfilter name=f caps={RAW} ! bufferrecycler name=r max-buffers=2 ! \
         identity name=next ! fakesink name=end"
    ));
    let arrived = watch(&pipeline.element("end"), |_| ());
    pipeline.play();
    let recycler = pipeline.element("r");
    eventually("frames", LIMIT, || count(&recycler, "recycled") > 10);
    let (filter, next) = (pipeline.element("f"), pipeline.element("next"));
    let (top, taken_out) = ((*pipeline).clone(), recycler.clone());
    let from = filter.static_pad("src").unwrap();
    from.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, move |pad, _| {
        let peer = taken_out.static_pad("sink").unwrap();
        if pad.peer().as_ref() == Some(&peer) {
            top.remove(&taken_out).unwrap();
            taken_out.set_state(gst::State::Null).unwrap();
            pad.link(&next.static_pad("sink").unwrap()).unwrap();
        }
        gst::PadProbeReturn::Remove
    });
    eventually("the element to be out", LIMIT, || {
        recycler.parent().is_none()
    });
    let before = taken(&arrived).len();
    eventually("frames without it", LIMIT, || {
        taken(&arrived).len() > before + 20
    });
    eventually("its buffers to come home", LIMIT, || {
        count(&recycler, "outstanding") == 0
    });
}

#[test]
fn nothing_leaks() {
    let line = format!(
        "videotestsrc num-buffers=30 ! {RAW} ! bufferrecycler min-buffers=3 max-buffers=5 ! queue ! fakesink"
    );
    let output = crate::support::launch::gstreamer("gst-launch-1.0")
        .arg("-q")
        .args(line.split_whitespace())
        .env("GST_TRACERS", "leaks")
        .env("GST_DEBUG", "GST_TRACER:7")
        .env("GST_DEBUG_NO_COLOR", "1")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    // The tracer first logs the format of its records, with %s for the values.
    let record = |line: &&str| line.contains("object-alive, type-name=") && !line.contains("%s");
    let alive: Vec<_> = log.lines().filter(record).collect();
    assert!(alive.is_empty(), "{alive:#?}");
}
