//! What every element survives: state changes, flushes, the end of the stream, new caps; and it leaks nothing.

use gst::prelude::*;

use crate::support::launch::gstreamer;
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::wait::eventually;

const CYCLES: u32 = 100;

/// A stream that each element works on: what stands before it, its settings, and what stands behind it.
fn surroundings(element: &str) -> (&'static str, &'static str, &'static str) {
    match element {
        "adaptivebitrate" => ("! vp8enc deadline=1 cpu-used=16", "", ""),
        "bufferrecycler" => ("", "", "! videoconvert"),
        "gpuinfer" => ("", "model=models/shapes.onnx labels=models/shapes.txt", ""),
        "latencytracer" => ("", "interval=10", ""),
        "qualityswitch" => ("", "auto=false ladder=small=320x180@50 level=small", ""),
        other => panic!("say how {other} is used"),
    }
}

/// A pipeline around `element`, with `source` for settings of the source and `sink` for those of the sink.
fn line(element: &str, source: &str, sink: &str) -> String {
    let (before, settings, behind) = surroundings(element);
    format!(
        "videotestsrc pattern=ball {source} ! capsfilter name=caps \
         caps=video/x-raw,format=I420,width=640,height=360,framerate=50/1 {before} ! \
         {element} name=subject {settings} {behind} ! fakesink name=sink {sink}"
    )
}

fn each_element(test: impl Fn(&str)) {
    for (name, _) in gstlivetune::ELEMENTS {
        test(name);
    }
}

/// Frames that reached the sink since the pipeline was started.
fn rendered(pipeline: &Pipeline) -> u64 {
    let stats: gst::Structure = pipeline.element("sink").property("stats");
    stats.get("rendered").unwrap()
}

fn more_frames_arrive(pipeline: &Pipeline, what: &str) {
    let before = rendered(pipeline);
    eventually(what, LIMIT, || rendered(pipeline) > before + 5);
}

#[test]
fn playing_and_stopping_a_hundred_times() {
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "", "sync=false"));
        for cycle in 0..CYCLES {
            pipeline.set_state(gst::State::Playing).unwrap();
            if cycle % 10 == 0 {
                eventually(&format!("{name} to pass a frame"), LIMIT, || {
                    rendered(&pipeline) > 0
                });
            }
            pipeline.set_state(gst::State::Null).unwrap();
        }
    });
}

#[test]
fn states_in_any_order() {
    use gst::State::{Null, Paused, Playing, Ready};
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "", "sync=false"));
        for state in [
            Ready, Null, Paused, Null, Playing, Paused, Playing, Ready, Playing, Null,
        ] {
            pipeline.set_state(state).unwrap();
        }
        pipeline.play();
        more_frames_arrive(&pipeline, name);
    });
}

#[test]
fn a_flush_while_playing() {
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "", "sync=true"));
        pipeline.play();
        more_frames_arrive(&pipeline, name);
        let flags = gst::SeekFlags::FLUSH;
        pipeline
            .seek_simple(flags, gst::ClockTime::from_seconds(5))
            .unwrap();
        more_frames_arrive(&pipeline, &format!("frames of {name} after a flush"));
    });
}

#[test]
fn the_end_of_the_stream_and_a_second_run() {
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "num-buffers=20", "sync=false"));
        for _ in 0..2 {
            pipeline.run_to_eos();
            assert_eq!(rendered(&pipeline), 20, "{name} lost frames");
            pipeline.set_state(gst::State::Null).unwrap();
        }
    });
}

#[test]
fn new_caps_in_the_middle_of_the_stream() {
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "", "sync=false"));
        pipeline.play();
        more_frames_arrive(&pipeline, name);
        for (width, height) in [(320, 240), (641, 359), (1280, 720)] {
            let caps = gst::Caps::builder("video/x-raw")
                .field("format", "I420")
                .field("width", width)
                .field("height", height)
                .field("framerate", gst::Fraction::new(50, 1))
                .build();
            pipeline.element("caps").set_property("caps", &caps);
            more_frames_arrive(&pipeline, &format!("frames of {name} at {width}x{height}"));
        }
    });
}

#[test]
fn frames_without_a_time() {
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "num-buffers=20", "sync=false"));
        let before = pipeline
            .element("subject")
            .static_pad("sink")
            .unwrap()
            .peer();
        before
            .unwrap()
            .add_probe(gst::PadProbeType::BUFFER, |_, info| {
                if let Some(buffer) = info.buffer_mut() {
                    buffer.make_mut().set_pts(gst::ClockTime::NONE);
                    buffer.make_mut().set_dts(gst::ClockTime::NONE);
                }
                gst::PadProbeReturn::Ok
            });
        pipeline.run_to_eos();
        assert_eq!(rendered(&pipeline), 20, "{name} lost frames");
    });
}

#[test]
fn being_taken_out_of_a_running_pipeline() {
    each_element(|name| {
        let pipeline = Pipeline::parse(&line(name, "is-live=true", "sync=false"));
        pipeline.play();
        more_frames_arrive(&pipeline, name);
        let subject = pipeline.element("subject");
        let sink = subject.static_pad("sink").unwrap();
        let (before, behind) = (
            sink.peer().unwrap(),
            subject.static_pad("src").unwrap().peer().unwrap(),
        );
        let (done, is_done) = std::sync::mpsc::channel();
        let pipeline_to_change = pipeline.clone();
        before.add_probe(gst::PadProbeType::IDLE, move |before, _| {
            let _ = before.unlink(&sink);
            let _ = subject.static_pad("src").unwrap().unlink(&behind);
            let _ = pipeline_to_change.remove(&subject);
            let _ = before.link(&behind);
            let _ = done.send(subject.clone());
            gst::PadProbeReturn::Remove
        });
        let subject = is_done.recv_timeout(LIMIT).unwrap();
        subject.set_state(gst::State::Null).unwrap();
        more_frames_arrive(&pipeline, &format!("frames without {name}"));
    });
}

#[test]
fn nothing_is_leaked_and_no_critical_is_said() {
    each_element(|name| {
        let line = line(name, "num-buffers=30", "sync=false");
        let output = gstreamer("gst-launch-1.0")
            .arg("-q")
            .args(line.split_whitespace())
            .env("GST_TRACERS", "leaks")
            .env("GST_DEBUG", "GST_TRACER:7")
            .env("GST_DEBUG_NO_COLOR", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        let leaks: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("object-alive, type-name"))
            .filter(|line| !line.contains("new format string"))
            .collect();
        assert!(leaks.is_empty(), "{name} leaks: {leaks:#?}");
    });
}
