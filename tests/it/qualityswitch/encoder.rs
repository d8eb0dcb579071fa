//! The encoder behind goes along with the level.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const CAMERA: &str = "videotestsrc is-live=true pattern=ball \
     ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 \
     ! qualityswitch name=q auto=false ladder=a=640x360@30,b=320x180@30,c=320x180@15";

fn bitrate(pipeline: &Pipeline) -> u32 {
    pipeline.element("encoder").property("bitrate")
}

/// What the encoder was set to when each size of frames came to it.
fn rates_at_caps(pipeline: &Pipeline) -> Arc<Mutex<Vec<(i32, u32)>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let encoder = pipeline.element("encoder");
    let pad = encoder.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| {
        if let Some(event) = info.event()
            && let gst::EventView::Caps(caps) = event.view()
        {
            let width = caps.caps().structure(0).unwrap().get("width").unwrap();
            let rate = pad.parent_element().unwrap().property("bitrate");
            #[allow(clippy::disallowed_methods, reason = "the test's own")]
            noted.lock().unwrap().push((width, rate));
        }
        gst::PadProbeReturn::Ok
    });
    seen
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test's own")]
fn the_bit_rate_is_lower_before_a_step_down_and_higher_after_a_step_up() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! x264enc name=encoder bitrate=2000 tune=zerolatency speed-preset=ultrafast ! fakesink"
    ));
    let seen = rates_at_caps(&pipeline);
    pipeline.play();
    let q = pipeline.element("q");
    eventually("the encoder to be found", LIMIT, || {
        stats(&q).get::<&str>("encoder").is_ok()
    });
    q.set_property("level", "b");
    // A quarter of the pixels: 0.25 ^ 0.75 of the bits.
    eventually("a lower rate", LIMIT, || {
        (700..=712).contains(&bitrate(&pipeline))
    });
    eventually("smaller frames", LIMIT, || seen.lock().unwrap().len() >= 2);
    q.set_property("level", "a");
    eventually("the user's rate again", LIMIT, || {
        bitrate(&pipeline) == 2_000
    });
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen[0], (640, 2_000));
    let (width, rate) = seen[1];
    assert!(width == 320 && rate < 720, "lower before: {seen:?}");
    let (width, rate) = seen[2];
    assert!(width == 640 && rate < 720, "higher after: {seen:?}");
}

#[test]
fn an_encoder_that_goes_by_the_caps_is_told_more_where_frames_are_left_out() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} level=c ! x264enc name=encoder bitrate=2000 tune=zerolatency speed-preset=ultrafast ! fakesink"
    ));
    pipeline.play();
    // An eighth of the pixels a second is 0.21 of the bits, for half as many frames as the encoder counts with.
    eventually("a rate for half the frames", LIMIT, || {
        (835..=846).contains(&bitrate(&pipeline))
    });
    let q = pipeline.element("q");
    let told: u32 = stats(&q).get("encoder-bitrate").unwrap();
    assert!((told / 1_000).abs_diff(bitrate(&pipeline)) <= 1, "{told}");
    // The user's own setting is for the rung that holds.
    pipeline
        .element("encoder")
        .set_property("bitrate", 1_682_u32);
    eventually("the user's setting to be seen", LIMIT, || {
        stats(&q).get::<u32>("encoder-bitrate").unwrap() == 1_682_000
    });
    q.set_property("level", "a");
    eventually("twice as much at the top too", LIMIT, || {
        (3_950..=4_050).contains(&bitrate(&pipeline))
    });
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn at_the_end_it_is_as_the_user_set_it() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} level=b ! x264enc name=encoder bitrate=1000 tune=zerolatency speed-preset=ultrafast ! fakesink"
    ));
    pipeline.play();
    eventually("a lower rate", LIMIT, || bitrate(&pipeline) < 400);
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(bitrate(&pipeline), 1_000);
}

#[test]
fn adaptivebitrate_is_left_to_do_it() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} level=b ! x264enc name=encoder bitrate=1000 tune=zerolatency speed-preset=ultrafast \
         ! adaptivebitrate enabled=false ! fakesink"
    ));
    pipeline.play();
    let q = pipeline.element("q");
    eventually("a hundred frames", LIMIT, || {
        stats(&q).get::<u64>("frames-out").unwrap() > 100
    });
    assert_eq!(bitrate(&pipeline), 1_000);
    assert!(stats(&q).get::<&str>("encoder").is_err());
}

#[test]
fn the_encoder_may_be_named() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} level=b encoder=other ! tee name=t ! queue ! x264enc name=encoder bitrate=1000 tune=zerolatency \
         speed-preset=ultrafast ! fakesink t. ! queue ! vp8enc name=other deadline=1 cpu-used=16 target-bitrate=1000000 \
         ! fakesink"
    ));
    pipeline.play();
    let other = pipeline.element("other");
    eventually("a lower rate", LIMIT, || {
        (350_000..=356_000).contains(&other.property::<i32>("target-bitrate"))
    });
    assert_eq!(bitrate(&pipeline), 1_000);
}

/// The next warning, without waiting for it.
fn warning(pipeline: &Pipeline) -> Option<String> {
    let bus = pipeline.bus().unwrap();
    let message = bus.pop_filtered(&[gst::MessageType::Warning])?;
    match message.view() {
        gst::MessageView::Warning(warning) => Some(warning.error().to_string()),
        _ => None,
    }
}

#[test]
fn an_encoder_that_looks_ahead_is_named_once_with_what_to_set() {
    for (encoder, advice) in [
        (
            "x264enc speed-preset=veryfast",
            "Set tune=zerolatency on it",
        ),
        (
            "x264enc speed-preset=ultrafast tune=zerolatency bframes=4",
            "bframes=0",
        ),
        (
            "x265enc speed-preset=ultrafast",
            "Set tune=zerolatency on it",
        ),
        ("vp9enc deadline=1 cpu-used=8", "Set lag-in-frames=0 on it"),
    ] {
        let line = format!("{CAMERA} ! {encoder} name=encoder ! fakesink async=false");
        let pipeline = Pipeline::parse(&line);
        pipeline.set_state(gst::State::Playing).unwrap();
        let message = pipeline.wait_for(gst::MessageType::Warning);
        let gst::MessageView::Warning(told) = message.view() else {
            panic!("waited for a warning")
        };
        let text = told.error().to_string();
        assert!(
            text.starts_with("encoder looks ahead: it holds ") && text.contains(advice),
            "{encoder}: {text}"
        );
        let out = || {
            stats(&pipeline.element("q"))
                .get::<u64>("frames-out")
                .unwrap()
        };
        let before = out();
        eventually("two looks more", LIMIT, || out() > before + 75);
        assert_eq!(warning(&pipeline), None, "{encoder}");
    }
}

#[test]
fn an_encoder_that_does_not_look_ahead_is_nothing_to_speak_of() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! x264enc name=encoder speed-preset=ultrafast tune=zerolatency ! fakesink"
    ));
    pipeline.play();
    let out = || {
        stats(&pipeline.element("q"))
            .get::<u64>("frames-out")
            .unwrap()
    };
    eventually("three looks", LIMIT, || out() > 90);
    assert_eq!(warning(&pipeline), None);
}
