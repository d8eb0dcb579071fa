//! `adaptivebitrate` and the encoders: asked is what comes out, profiles, encoders that do not listen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};

use gst::prelude::*;

use super::fake;
use super::network::replace;
use super::warnings;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// A picture that moves, with some noise in it.
const PICTURE: &str = "pattern=smpte horizontal-speed=5 ! video/x-raw,format=I420,width=320,height=240,framerate=30/1";
const FRAMES_PER_SECOND: u64 = 30;
/// Each rate is asked for so long, and what comes out is counted in the last seconds of that: the first ones are for
/// learning that an encoder sends twice what it is told.
const PHASE: u64 = 12 * FRAMES_PER_SECOND;
const COUNTED: u64 = 4 * FRAMES_PER_SECOND;

/// Sizes of the frames that reach the sink.
fn sizes(pipeline: &Pipeline) -> Receiver<u64> {
    let (sender, receiver) = channel();
    let pad = pipeline.element("sink").static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let _ = sender.send(info.buffer().unwrap().size() as u64);
        gst::PadProbeReturn::Ok
    });
    receiver
}

/// Has `abr` send `kbps`, no more and no less.
fn hold(abr: &gst::Element, kbps: u64) {
    let bps = u32::try_from(kbps * 1000).unwrap();
    let limits = ["min-bitrate", "max-bitrate"];
    let rises = bps > abr.property::<u32>("max-bitrate");
    for limit in limits.iter().cycle().skip(usize::from(rises)).take(2) {
        abr.set_property(limit, bps);
    }
}

/// Asks `encoder` for each of `rates` (kbit/s) while it plays, and compares with what comes out.
fn asked_is_what_comes_out(encoder: &str, rates: [u64; 3]) {
    let frames = PHASE * rates.len() as u64;
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers={frames} {PICTURE} ! {encoder} ! adaptivebitrate name=abr ! \
         fakesink name=sink sync=false"
    ));
    let abr = pipeline.element("abr");
    hold(&abr, rates[0]);
    let sizes = sizes(&pipeline);
    let count = AtomicU64::new(0);
    let driven = abr.clone();
    let pad = abr.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let frame = count.fetch_add(1, Ordering::Relaxed);
        if frame.is_multiple_of(PHASE) {
            hold(&driven, rates[(frame / PHASE) as usize]);
        }
        gst::PadProbeReturn::Ok
    });
    let warnings = run(&pipeline);
    let sizes: Vec<u64> = sizes.try_iter().collect();
    assert_eq!(sizes.len() as u64, frames, "{encoder}");
    for (phase, asked) in sizes.chunks(PHASE as usize).zip(rates) {
        let counted: u64 = phase[(PHASE - COUNTED) as usize..].iter().sum();
        let sent = counted * 8 * FRAMES_PER_SECOND / COUNTED / 1000;
        let ratio = sent as f64 / asked as f64;
        let gain: f64 = stats(&abr).get("encoder-gain").unwrap();
        assert!(
            (0.85..1.15).contains(&ratio),
            "{encoder}: asked for {asked}, sent {sent} kbit/s; at the end gain {gain}"
        );
    }
    assert_eq!(warnings, [""; 0]);
}

/// Runs to the end of the stream; answers the warnings, but for those of the transport that is not there.
fn run(pipeline: &Pipeline) -> Vec<String> {
    use gst::MessageType as Type;
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let mut warnings = Vec::new();
    let limit = gst::ClockTime::from_seconds(LIMIT.as_secs());
    let kinds = [Type::Warning, Type::Error, Type::Eos];
    loop {
        let message = bus.timed_pop_filtered(limit, &kinds).expect("no end");
        match message.view() {
            gst::MessageView::Warning(warning) => warnings.push(warning.error().to_string()),
            gst::MessageView::Error(error) => panic!("{}: {:?}", error.error(), error.debug()),
            _ => break,
        }
    }
    warnings.retain(|text| !text.contains("says nothing of the network"));
    warnings
}

#[test]
fn x264enc_sends_what_is_asked() {
    asked_is_what_comes_out(
        "x264enc tune=zerolatency speed-preset=ultrafast",
        [600, 1_200, 400],
    );
}

#[test]
fn x265enc_sends_what_is_asked() {
    asked_is_what_comes_out(
        "x265enc tune=zerolatency speed-preset=ultrafast",
        [600, 900, 400],
    );
}

#[test]
fn openh264enc_sends_what_is_asked() {
    asked_is_what_comes_out("openh264enc rate-control=bitrate", [800, 1_200, 600]);
}

#[test]
fn vp8enc_sends_what_is_asked() {
    let encoder = "vp8enc deadline=1 cpu-used=8 end-usage=cbr buffer-initial-size=100 buffer-optimal-size=120 \
                   buffer-size=150";
    asked_is_what_comes_out(encoder, [600, 1_200, 400]);
}

#[test]
fn vp9enc_sends_what_is_asked() {
    let encoder = "vp9enc deadline=1 cpu-used=8 end-usage=cbr lag-in-frames=0";
    asked_is_what_comes_out(encoder, [600, 1_200, 400]);
}

#[test]
fn av1enc_sends_what_is_asked() {
    let encoder = "av1enc usage-profile=realtime cpu-used=10 end-usage=cbr max-quantizer=58";
    asked_is_what_comes_out(encoder, [1_000, 1_500, 1_200]);
}

#[test]
fn jpegenc_sends_what_is_asked() {
    asked_is_what_comes_out("jpegenc", [1_500, 2_500, 1_100]);
}

#[test]
fn a_still_picture_is_not_held_against_the_encoder() {
    let pipeline = Pipeline::parse(
        "videotestsrc pattern=blue num-buffers=600 ! video/x-raw,width=320,height=240,framerate=30/1 ! \
         x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 ! adaptivebitrate name=abr ! \
         fakesink sync=false",
    );
    pipeline.run_to_eos();
    assert_eq!(stats(&pipeline.element("abr")).get("encoder-gain"), Ok(1.0));
}

#[test]
fn an_encoder_that_does_not_listen_is_said_once_within_five_seconds_and_left_alone() {
    fake::register();
    for stubborn in [1_700, 6_000] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc name=source num-buffers=155 ! video/x-raw,width=64,height=48,framerate=30/1 ! \
             testenc name=enc stubborn={stubborn} ! adaptivebitrate name=abr max-bitrate=1000000 ! \
             fakesink sync=false"
        ));
        let abr = pipeline.element("abr");
        let warnings = run(&pipeline);
        assert!(
            warnings.len() == 1 && warnings[0].contains("enc does not follow"),
            "{stubborn} kbit/s: {warnings:?}"
        );
        assert_eq!(
            stats(&abr).get::<&str>("encoder"),
            Ok("enc (ignores its bit rate)")
        );
        assert_eq!(abr.property::<u32>("target-bitrate"), 1_000_000);
    }
}

#[test]
fn an_encoder_that_keeps_its_rate_is_noticed_whichever_way_it_is_to_go() {
    fake::register();
    for limits in ["max-bitrate=500000", "min-bitrate=2000000"] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=30/1 ! \
             testenc name=enc bitrate=1000 frozen=true ! adaptivebitrate {limits} ! fakesink sync=false"
        ));
        pipeline.play();
        let mut said = Vec::new();
        eventually("the warning", LIMIT, || {
            said.extend(warnings(&pipeline));
            said.iter().any(|text| text.contains("enc does not follow"))
        });
    }
}

#[test]
fn jpegenc_starts_with_what_it_sends() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=60 {PICTURE} ! jpegenc name=enc ! adaptivebitrate name=abr ! \
         fakesink name=sink sync=false"
    ));
    let abr = pipeline.element("abr");
    let sizes = sizes(&pipeline);
    assert_eq!(run(&pipeline), [""; 0]);
    let sent = sizes.try_iter().take(20).sum::<u64>() * 8 * FRAMES_PER_SECOND / 20;
    let ratio = f64::from(abr.property::<u32>("target-bitrate")) / sent as f64;
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
    let quality: i32 = pipeline.element("enc").property("quality");
    assert!((80..=90).contains(&quality), "{quality}");
}

#[test]
fn an_unknown_encoder_that_pushes_under_its_lock_is_set_all_the_same() {
    fake::register();
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=30/1 ! testenc name=enc bitrate=5000 ! \
         adaptivebitrate name=abr max-bitrate=900000 ! fakesink sync=false",
    );
    let (encoder, abr) = (pipeline.element("enc"), pipeline.element("abr"));
    pipeline.play();
    for kbps in [900, 300, 2_000] {
        hold(&abr, kbps);
        eventually("the rate of the unknown encoder", LIMIT, || {
            u64::from(encoder.property::<u32>("bitrate")) == kbps
        });
    }
}

#[test]
fn a_rate_among_other_controls_leaves_them_as_they_are() {
    fake::register();
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48,framerate=30/1 ! \
         v4l2testenc name=enc extra-controls=c,h264_profile=4,video_bitrate=3000000 ! \
         adaptivebitrate name=abr max-bitrate=900000 ! fakesink sync=false",
    );
    pipeline.run_to_eos();
    let controls: gst::Structure = pipeline.element("enc").property("extra-controls");
    assert_eq!(controls.get::<i32>("video_bitrate"), Ok(900_000));
    assert_eq!(controls.get::<i32>("h264_profile"), Ok(4));
}

#[test]
fn what_would_cap_the_rate_goes_along_with_it() {
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=64,framerate=30/1 ! \
         openh264enc name=enc rate-control=bitrate bitrate=500000 max-bitrate=600000 ! \
         adaptivebitrate min-bitrate=2000000 ! fakesink sync=false",
    );
    assert_eq!(run(&pipeline), [""; 0]);
    let encoder = pipeline.element("enc");
    assert_eq!(encoder.property::<u32>("bitrate"), 2_000_000);
    assert_eq!(encoder.property::<u32>("max-bitrate"), 2_400_000);
}

#[test]
fn settings_with_which_no_rate_works_are_said_with_what_to_do() {
    for (encoder, advice) in [
        ("x264enc vbv-buf-capacity=0", "vbv-buf-capacity=120"),
        ("openh264enc", "rate-control=bitrate"),
        ("x265enc speed-preset=ultrafast", "tune=zerolatency"),
        ("vp8enc deadline=1", "buffer-size=150"),
        (
            "av1enc cpu-used=10 usage-profile=realtime",
            "max-quantizer=58",
        ),
    ] {
        let line = format!(
            "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=64 ! {encoder} ! \
             adaptivebitrate name=abr ! fakesink sync=false"
        );
        let pipeline = Pipeline::parse(&line);
        let warnings = run(&pipeline);
        assert!(
            warnings.len() == 1 && warnings[0].contains(advice),
            "{encoder}: {warnings:?}"
        );
        let pipeline = Pipeline::parse(&line.replace("name=abr", "profile=low-latency"));
        if !encoder.contains("=0") {
            assert_eq!(run(&pipeline), [""; 0], "{encoder}");
        }
    }
}

fn nick(element: &gst::Element, property: &str) -> String {
    let value = element.property_value(property);
    value.serialize().unwrap().to_string()
}

#[test]
fn a_profile_sets_what_nobody_has_set_and_says_so() {
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=64 ! x264enc name=enc speed-preset=superfast ! \
         h264parse ! adaptivebitrate name=abr profile=low-latency ! fakesink sync=false",
    );
    let (encoder, abr) = (pipeline.element("enc"), pipeline.element("abr"));
    assert_eq!(abr.property::<Option<String>>("encoder-settings"), None);
    pipeline.set_state(gst::State::Ready).unwrap();
    assert_eq!(nick(&encoder, "tune"), "Zero latency");
    assert_eq!(nick(&encoder, "speed-preset"), "superfast");
    let settings = "x264enc tune=zerolatency vbv-buf-capacity=120 key-int-max=2560 b-adapt=false";
    let said = || abr.property::<String>("encoder-settings");
    assert_eq!(said(), settings);
    pipeline.run_to_eos();
    pipeline.set_state(gst::State::Null).unwrap();
    pipeline.set_state(gst::State::Ready).unwrap();
    assert_eq!(said(), settings, "a second start forgets nothing");
    abr.set_property_from_str("profile", "low-power");
    pipeline.set_state(gst::State::Paused).unwrap();
    assert_eq!(said(), "x264enc threads=1");
    assert_eq!(
        nick(&encoder, "tune"),
        "0",
        "the first profile is taken back"
    );
    assert_eq!(nick(&encoder, "speed-preset"), "superfast");
}

#[test]
fn every_profile_of_every_encoder_gives_a_stream() {
    for encoder in [
        "x264enc",
        "x265enc",
        "openh264enc",
        "vp8enc",
        "vp9enc",
        "av1enc",
        "jpegenc",
    ] {
        for profile in ["low-latency", "high-quality", "low-power"] {
            let pipeline = Pipeline::parse(&format!(
                "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=64 ! {encoder} ! \
                 adaptivebitrate name=abr profile={profile} ! fakesink name=sink sync=false"
            ));
            let sizes = sizes(&pipeline);
            pipeline.run_to_eos();
            assert_eq!(sizes.try_iter().count(), 3, "{encoder} {profile}");
        }
    }
}

#[test]
fn an_encoder_of_another_kind_in_the_place_of_the_first_gets_profile_and_target() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=64,framerate=30/1 ! identity ! \
         x264enc name=enc bitrate=600 ! \
         adaptivebitrate name=abr profile=low-latency max-bitrate=500000 ! fakesink",
    );
    let (encoder, abr) = (pipeline.element("enc"), pipeline.element("abr"));
    pipeline.play();
    eventually("the first's rate", LIMIT, || {
        encoder.property::<u32>("bitrate") == 500
    });
    let next = replace(&pipeline, &encoder, "vp8enc target-bitrate=900000");
    eventually("the second's rate", LIMIT, || {
        next.property::<i32>("target-bitrate") == 500_000
    });
    assert_eq!(nick(&next, "end-usage"), "cbr");
    let settings = abr.property::<String>("encoder-settings");
    assert!(settings.starts_with("vp8enc deadline=1"), "{settings}");
}

#[test]
fn an_encoder_that_is_taken_out_and_another_that_comes_later_are_noticed() {
    let pipeline = Pipeline::parse(
        "videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=64,framerate=30/1 ! identity ! \
         x264enc name=enc bitrate=600 tune=zerolatency ! h264parse ! identity ! \
         adaptivebitrate name=abr max-bitrate=500000 ! fakesink",
    );
    let (encoder, abr) = (pipeline.element("enc"), pipeline.element("abr"));
    pipeline.play();
    eventually("the first's rate", LIMIT, || {
        encoder.property::<u32>("bitrate") == 500
    });
    let parser = encoder.static_pad("src").unwrap().peer().unwrap();
    let parser = parser.parent_element().unwrap();
    let nobody = replace(&pipeline, &parser, "identity");
    let nothing = replace(&pipeline, &encoder, "identity");
    eventually("no encoder", LIMIT, || {
        stats(&abr).get::<&str>("encoder") == Ok("none")
    });
    assert!(nobody.static_pad("src").unwrap().is_linked());
    let next = replace(&pipeline, &nothing, "openh264enc bitrate=700000");
    eventually("the second's rate", LIMIT, || {
        next.property::<u32>("bitrate") == 500_000
    });
}
