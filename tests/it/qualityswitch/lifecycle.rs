//! Starting, stopping and being taken out.

use std::sync::mpsc;

use gst::prelude::*;

use super::rig::{CAMERA, Rig};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

#[test]
fn starts_and_stops_a_hundred_times() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 \
         ! qualityswitch name=q level=ultra-low ! fakesink async=false",
    );
    for round in 0..100 {
        pipeline.set_state(gst::State::Playing).unwrap();
        if round % 10 == 0 {
            let q = pipeline.element("q");
            eventually("a frame", LIMIT, || {
                stats(&q).get::<u64>("frames-out").unwrap() > 0
            });
        }
        pipeline.set_state(gst::State::Null).unwrap();
    }
    let figures = stats(&pipeline.element("q"));
    assert_eq!(figures.n_fields(), 0);
}

#[test]
fn another_run_may_bring_another_size() {
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    assert_eq!(rig.size(), (640, 360));
    rig.element.set_state(gst::State::Null).unwrap();
    rig.element.set_state(gst::State::Playing).unwrap();
    rig.harness
        .push_event(gst::event::StreamStart::new("again"));
    rig.set_caps("video/x-raw,format=I420,width=640,height=480,framerate=30/1");
    rig.push(0);
    assert_eq!(rig.size(), (480, 360));
}

#[test]
fn can_be_taken_out_while_the_pipeline_plays() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 \
         ! identity name=before ! qualityswitch name=q level=ultra-low ! fakesink name=sink",
    );
    pipeline.play();
    let q = pipeline.element("q");
    let before = pipeline.element("before").static_pad("src").unwrap();
    let sink = pipeline.element("sink").static_pad("sink").unwrap();
    let (done, out) = mpsc::channel();
    let (from, to, taken) = (before.clone(), sink.clone(), q.clone());
    before.add_probe(gst::PadProbeType::IDLE, move |_, _| {
        from.unlink(&taken.static_pad("sink").unwrap()).unwrap();
        taken.static_pad("src").unwrap().unlink(&to).unwrap();
        from.link(&to).unwrap();
        let _ = done.send(());
        gst::PadProbeReturn::Remove
    });
    out.recv_timeout(LIMIT).unwrap();
    pipeline.remove(&q).unwrap();
    q.set_state(gst::State::Null).unwrap();
    eventually("full size at the sink", LIMIT, || {
        let caps = sink.current_caps();
        caps.is_some_and(|caps| caps.structure(0).unwrap().get("width") == Ok(640))
    });
}

/// Plays `line` while another thread sets levels as fast as it can.
fn run_with_restless_levels(line: &str) -> Pipeline {
    let pipeline = Pipeline::parse(line);
    let q = pipeline.element("q");
    let (stop, stopped) = mpsc::channel::<()>();
    let setter = std::thread::spawn(move || {
        for level in ["a", "b", "c"].iter().cycle() {
            q.set_property("level", *level);
            if stopped.try_recv() != Err(mpsc::TryRecvError::Empty) {
                return;
            }
        }
    });
    pipeline.run_to_eos();
    drop(stop);
    setter.join().unwrap();
    pipeline
}

#[test]
fn levels_set_from_another_thread_at_every_moment_do_no_harm() {
    let pipeline = run_with_restless_levels(
        "videotestsrc num-buffers=300 ! video/x-raw,width=320,height=240,framerate=30/1 \
         ! qualityswitch name=q auto=false ladder=a=320x240@30,b=160x120@30,c=80x60@30 ! fakesink",
    );
    let figures = stats(&pipeline.element("q"));
    assert_eq!(figures.get("frames-out"), Ok(300_u64));
}

#[test]
fn every_frame_gets_through_encoder_and_decoder_over_many_changes_of_size() {
    let pipeline = run_with_restless_levels(
        "videotestsrc num-buffers=120 ! video/x-raw,width=320,height=240,framerate=30/1 \
         ! qualityswitch name=q auto=false ladder=a=320x240@30,b=160x120@30,c=80x60@30 \
         ! x264enc tune=zerolatency speed-preset=ultrafast ! h264parse ! avdec_h264 \
         ! qualityswitch name=counter ! fakesink",
    );
    let switches: u64 = stats(&pipeline.element("q")).get("switches").unwrap();
    assert!(switches > 20, "{switches} switches");
    let figures = stats(&pipeline.element("counter"));
    assert_eq!(figures.get("frames-in"), Ok(120_u64));
}
