//! `adaptivebitrate`: what it finds, what it refuses, what it says. Over a network: see `network`.

mod encoders;
mod fake;
mod frames;
mod network;
mod transports;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use gst::prelude::*;

use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

fn kbps(encoder: &gst::Element) -> u32 {
    encoder.property("bitrate")
}

/// Texts of the warnings that `pipeline` posted so far.
fn warnings(pipeline: &Pipeline) -> Vec<String> {
    let bus = pipeline.bus().unwrap();
    let mut texts = Vec::new();
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Warning]) {
        if let gst::MessageView::Warning(warning) = message.view() {
            texts.push(warning.error().to_string());
        }
    }
    texts
}

#[test]
fn without_encoder_and_session_data_pass_and_each_is_said_once() {
    let pipeline = Pipeline::parse(
        "fakesrc num-buffers=200 sizetype=fixed sizemax=100 datarate=10000 ! adaptivebitrate name=abr ! \
         fakesink name=sink",
    );
    let (abr, sink) = (pipeline.element("abr"), pipeline.element("sink"));
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    sink.static_pad("sink")
        .unwrap()
        .add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    pipeline.set_state(gst::State::Playing).unwrap();
    eventually("all buffers", LIMIT, || {
        count.load(Ordering::Relaxed) == 200
    });
    let stats = stats(&abr);
    assert_eq!(stats.get::<&str>("encoder"), Ok("none"));
    assert_eq!(stats.get::<&str>("feedback"), Ok("none"));
    let warnings = warnings(&pipeline);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("No encoder"), "{warnings:?}");
    assert!(warnings[1].contains("sink says nothing"), "{warnings:?}");
}

#[test]
fn a_receiver_that_never_reports_is_said_once_and_nothing_changes() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=10/1 ! x264enc name=enc bitrate=500 \
         tune=zerolatency ! adaptivebitrate ! rtph264pay ! rtp.send_rtp_sink rtpsession name=rtp \
         rtp.send_rtp_src ! fakesink",
    );
    pipeline.play();
    let mut texts = Vec::new();
    eventually("the warning", LIMIT, || {
        texts.extend(warnings(&pipeline));
        texts.iter().any(|text| text.contains("recv_rtcp_sink"))
    });
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(kbps(&pipeline.element("enc")), 500);
}

#[test]
fn crossed_limits_are_an_error_that_names_both() {
    let pipeline = Pipeline::parse(
        "fakesrc ! adaptivebitrate min-bitrate=900000 max-bitrate=800000 ! fakesink",
    );
    let error = pipeline.error_on_the_way_to(gst::State::Ready);
    assert!(
        error.contains("900000") && error.contains("800000"),
        "{error}"
    );
}

#[test]
fn limits_that_would_cross_while_playing_are_refused() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! x264enc name=enc bitrate=2000 tune=zerolatency ! adaptivebitrate name=abr ! \
         fakesink",
    );
    let (abr, encoder) = (pipeline.element("abr"), pipeline.element("enc"));
    pipeline.play();
    eventually("the start", LIMIT, || {
        abr.property::<u32>("target-bitrate") == 2_000_000
    });
    warnings(&pipeline);
    abr.set_property("min-bitrate", 9_000_000_u32);
    assert_eq!(abr.property::<u32>("min-bitrate"), 100_000);
    let warnings = warnings(&pipeline);
    assert!(
        warnings.len() == 1 && warnings[0].contains("9000000"),
        "{warnings:?}"
    );
    abr.set_property("max-bitrate", 700_000_u32);
    eventually("the new maximum", LIMIT, || kbps(&encoder) == 700);
    let message = std::iter::repeat_with(|| pipeline.wait_for_element_message("livetune-bitrate"))
        .find(|message| message.get::<&str>("reason") == Ok("limits"))
        .unwrap();
    assert_eq!(message.get::<u32>("bitrate"), Ok(700_000));
}

#[test]
fn the_encoder_can_be_named() {
    let line = "videotestsrc is-live=true ! tee name=t \
        t. ! queue ! x264enc name=other bitrate=500 tune=zerolatency ! fakesink async=false \
        t. ! queue ! x264enc bitrate=600 tune=zerolatency ! adaptivebitrate name=abr encoder=NAME ! \
        fakesink async=false";
    let pipeline = Pipeline::parse(&line.replace("NAME", "other"));
    let abr = pipeline.element("abr");
    pipeline.play();
    eventually("the named encoder", LIMIT, || {
        abr.property::<u32>("target-bitrate") == 500_000
    });
    assert_eq!(stats(&abr).get::<&str>("encoder"), Ok("other"));
    let pipeline = Pipeline::parse(&line.replace("NAME", "nobody"));
    pipeline.play();
    let mut texts = Vec::new();
    eventually("the warning", LIMIT, || {
        texts.extend(warnings(&pipeline));
        texts.iter().any(|text| text.contains("nobody"))
    });
}

#[test]
fn an_encoder_without_a_rate_is_left_alone() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true num-buffers=20 ! pngenc name=png ! adaptivebitrate name=abr ! fakesink",
    );
    pipeline.run_to_eos();
    let text = stats(&pipeline.element("abr"))
        .get::<String>("encoder")
        .unwrap();
    assert_eq!(text, "png (fixed)");
    let warnings = warnings(&pipeline);
    assert!(
        warnings.is_empty() || warnings[0].contains("png"),
        "{warnings:?}"
    );
}

#[test]
fn the_second_on_one_encoder_does_nothing_until_the_first_is_gone() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! x264enc name=enc bitrate=1000 tune=zerolatency ! \
         adaptivebitrate name=first max-bitrate=900000 ! adaptivebitrate name=second max-bitrate=800000 ! \
         fakesink name=sink",
    );
    let (encoder, first) = (pipeline.element("enc"), pipeline.element("first"));
    let second = pipeline.element("second");
    pipeline.play();
    eventually("the warning", LIMIT, || {
        warnings(&pipeline)
            .iter()
            .any(|text| text.contains("Another adaptivebitrate"))
    });
    eventually("the first's rate", LIMIT, || kbps(&encoder) == 900);
    assert_eq!(second.property::<u32>("target-bitrate"), 0);
    let blocked = encoder.static_pad("src").unwrap();
    let (up, down) = (blocked.clone(), second.static_pad("sink").unwrap());
    let leaving = first.clone();
    blocked.add_probe(gst::PadProbeType::IDLE, move |_, _| {
        up.unlink(&leaving.static_pad("sink").unwrap()).unwrap();
        leaving.static_pad("src").unwrap().unlink(&down).unwrap();
        up.link(&down).unwrap();
        gst::PadProbeReturn::Remove
    });
    eventually("the relinking", LIMIT, || {
        first.static_pad("sink").unwrap().peer().is_none()
    });
    pipeline.remove(&first).unwrap();
    first.set_state(gst::State::Null).unwrap();
    drop(first);
    eventually("the second's rate", LIMIT, || kbps(&encoder) == 800);
}

#[test]
fn flush_eos_and_buffers_without_times_do_no_harm() {
    crate::support::init();
    let mut harness = gst_check::Harness::new("adaptivebitrate");
    harness.set_src_caps_str("video/x-h264");
    for _ in 0..3 {
        harness.push(gst::Buffer::with_size(100).unwrap()).unwrap();
        assert_eq!(harness.pull().unwrap().size(), 100);
        assert!(harness.push_event(gst::event::FlushStart::new()));
        assert!(harness.push_event(gst::event::FlushStop::new(true)));
        harness.set_src_caps_str("video/x-h265");
    }
    assert!(harness.push_event(gst::event::Eos::new()));
}

#[test]
fn the_low_latency_preset_sets_the_limits() {
    let line = "-m videotestsrc num-buffers=3 ! x264enc bitrate=300 ! adaptivebitrate @preset=low-latency ! fakesink";
    let output = crate::support::launch::gstreamer("gst-launch-1.0")
        .args(line.split_whitespace())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let message = text.lines().find(|line| line.contains("livetune-bitrate,"));
    let message = message.unwrap_or_else(|| panic!("no message in {text}"));
    assert!(
        message.contains("bitrate=(uint)1000000, previous=(uint)300000"),
        "{message}"
    );
}
