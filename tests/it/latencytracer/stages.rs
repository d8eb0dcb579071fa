//! Later taps: the capture travels through codecs, queues, branches and packets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::{captures, stat};
use crate::support::pipeline::Pipeline;

const CAMERA: &str = "videotestsrc is-live=true num-buffers=60 \
                      ! video/x-raw,format=I420,width=160,height=120,framerate=30/1";

/// When each running time came to a pad, by the test's own clock.
type Arrivals = Arc<Mutex<HashMap<gst::ClockTime, Instant>>>;

#[expect(clippy::disallowed_methods, reason = "the truth to compare with")]
fn watch(element: &gst::Element) -> Arrivals {
    let arrivals = Arrivals::default();
    let seen = arrivals.clone();
    let pad = element.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let now = Instant::now();
        let segment = pad.sticky_event::<gst::event::Segment>(0).unwrap();
        let segment = segment.segment().downcast_ref::<gst::ClockTime>().unwrap();
        let time = segment.to_running_time(info.buffer().unwrap().pts());
        seen.lock().unwrap().insert(time.unwrap(), now);
        gst::PadProbeReturn::Ok
    });
    arrivals
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test may die of a panic elsewhere"
)]
fn sorted_transits(from: &Arrivals, to: &Arrivals) -> Vec<Duration> {
    let (from, to) = (from.lock().unwrap(), to.lock().unwrap());
    let both = to
        .iter()
        .filter_map(|(time, end)| Some(*end - *from.get(time)?));
    let mut transits: Vec<Duration> = both.collect();
    transits.sort_unstable();
    transits
}

/// How many buffers come to `element` with one capture meta, counted before it could add one.
fn carried(element: &gst::Element) -> Arc<AtomicUsize> {
    let carried = Arc::new(AtomicUsize::new(0));
    let seen = carried.clone();
    let pad = element.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let one = captures(info.buffer().unwrap()) == 1;
        seen.fetch_add(usize::from(one), Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    carried
}

#[test]
fn frames_keep_their_capture_through_an_encoder_that_reorders() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=captured ! queue ! x264enc bframes=3 b-adapt=false rc-lookahead=5 \
         speed-preset=ultrafast key-int-max=30 ! h264parse ! latencytracer name=encoded \
         ! avdec_h264 ! latencytracer name=decoded ! fakesink"
    ));
    let captured = watch(&pipeline.element("captured"));
    let decoded = watch(&pipeline.element("decoded"));
    let carried = ["encoded", "decoded"].map(|tap| carried(&pipeline.element(tap)));
    pipeline.run_to_eos();
    assert_eq!(carried.map(|count| count.load(Ordering::Relaxed)), [60, 60]);
    for tap in ["captured", "encoded", "decoded"] {
        assert_eq!(stat(&pipeline.element(tap), "count"), 60, "{tap}");
        assert_eq!(stat(&pipeline.element(tap), "unstamped"), 0, "{tap}");
    }
    let transits = sorted_transits(&captured, &decoded);
    assert_eq!(transits.len(), 60);
    // The tap counts from the capture, the test from the first tap: the age there lies between.
    let age = stat(&pipeline.element("captured"), "mean");
    let sum: Duration = transits.iter().sum();
    let truth = sum.as_nanos() as u64 / 60;
    let mean = stat(&pipeline.element("decoded"), "mean");
    assert!(
        truth > 100_000_000,
        "the encoder holds frames back: {truth} ns"
    );
    let off = (truth + age).abs_diff(mean);
    assert!(off < 1_000_000, "{off} ns off {truth} + {age}");
    let (p50, max) = (transits[29], transits[59]);
    assert!(max - p50 < Duration::from_secs(1), "the machine kept up");
}

#[test]
fn a_stage_that_delays_is_that_much_later() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=before ! queue min-threshold-time=200000000 \
         ! latencytracer name=after ! fakesink"
    ));
    pipeline.run_to_eos();
    let [before, after] = ["before", "after"].map(|tap| stat(&pipeline.element(tap), "p50"));
    let transit = stat(&pipeline.element("after"), "transit-p50");
    assert!(
        (160_000_000..250_000_000).contains(&transit),
        "{transit} ns"
    );
    let delay = after - before;
    // The queue lets a frame go when 200 ms lie in it, the frame's own 33 ms among them.
    assert!((160_000_000..250_000_000).contains(&delay), "{delay} ns");
}

#[test]
fn branches_are_measured_apart() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=source ! tee name=tee \
         tee. ! queue ! latencytracer name=quick ! fakesink \
         tee. ! queue ! identity sleep-time=20000 ! latencytracer name=slow ! fakesink"
    ));
    let carried = ["quick", "slow"].map(|tap| carried(&pipeline.element(tap)));
    pipeline.run_to_eos();
    assert_eq!(carried.map(|count| count.load(Ordering::Relaxed)), [60, 60]);
    let [quick, slow] = ["quick", "slow"].map(|tap| pipeline.element(tap));
    assert_eq!((stat(&quick, "count"), stat(&slow, "count")), (60, 60));
    assert_eq!(
        (stat(&quick, "unstamped"), stat(&slow, "unstamped")),
        (0, 0)
    );
    let apart = stat(&slow, "p50") - stat(&quick, "p50");
    assert!((18_000_000..60_000_000).contains(&apart), "{apart} ns");
}

#[test]
fn a_frame_in_many_packets_comes_out_with_one_capture() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=source ! jpegenc ! rtpjpegpay mtu=200 ! latencytracer name=packets \
         ! rtpjpegdepay ! latencytracer name=frames ! fakesink"
    ));
    let carried = carried(&pipeline.element("frames"));
    pipeline.run_to_eos();
    let [packets, frames] = ["packets", "frames"].map(|tap| pipeline.element(tap));
    assert!(stat(&packets, "buffers") > 600);
    assert_eq!(stat(&packets, "count"), 60, "a frame is measured once");
    assert_eq!(stat(&frames, "count"), 60);
    assert_eq!(
        (stat(&packets, "unstamped"), stat(&frames, "unstamped")),
        (0, 0)
    );
    assert_eq!(carried.load(Ordering::Relaxed), 60);
}

#[test]
fn the_stage_is_the_stretch_from_the_tap_before() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer ! identity sleep-time=4000 ! latencytracer name=first \
         ! identity sleep-time=12000 ! latencytracer name=second ! fakesink"
    ));
    pipeline.run_to_eos();
    let [first, second] = ["first", "second"].map(|tap| {
        let tap = pipeline.element(tap);
        (stat(&tap, "transit-mean"), stat(&tap, "mean"))
    });
    assert!((4_000_000..9_000_000).contains(&first.0), "{first:?}");
    assert!((12_000_000..20_000_000).contains(&second.0), "{second:?}");
    let sum = first.1 + second.0;
    assert!(sum.abs_diff(second.1) < 1_000, "{first:?} {second:?}");
}

#[test]
fn frames_that_a_branch_drops_are_lost_there_and_nowhere_else() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer ! tee name=tee \
         tee. ! queue ! videorate drop-only=true ! video/x-raw,framerate=10/1 ! latencytracer name=thin ! fakesink \
         tee. ! queue ! videorate ! video/x-raw,framerate=60/1 ! latencytracer name=thick ! fakesink"
    ));
    pipeline.run_to_eos();
    let [thin, thick] = ["thin", "thick"].map(|tap| pipeline.element(tap));
    let (came, lost) = (stat(&thin, "count"), stat(&thin, "lost"));
    assert!((19..=21).contains(&came), "{came}");
    assert!((37..=40).contains(&lost), "{lost} of 60 lost, {came} came");
    assert_eq!((stat(&thick, "lost"), stat(&thin, "duplicated")), (0, 0));
    let (count, again) = (stat(&thick, "count"), stat(&thick, "duplicated"));
    assert!((58..=60).contains(&(count - again)), "{again} of {count}");
}

#[test]
fn frames_older_than_the_latency_of_the_pipeline_are_late() {
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! queue ! identity sleep-time=100000 ! latencytracer name=tap ! fakesink sync=true qos=false"
    ));
    pipeline.run_to_eos();
    let tap = pipeline.element("tap");
    assert!(stat(&tap, "late") >= 58, "{} late", stat(&tap, "late"));
}

#[test]
fn behind_an_element_that_loses_metas_frames_are_known_again() {
    for loser in [
        "compositor",
        "x264enc tune=zerolatency ! mpegtsmux ! tsdemux ! h264parse",
        "x264enc tune=zerolatency ! flvmux streamable=true ! flvdemux ! h264parse",
    ] {
        let pipeline = Pipeline::parse(&format!(
            "{CAMERA} ! latencytracer ! queue min-threshold-time=100000000 ! latencytracer ! {loser} \
             ! latencytracer name=after ! fakesink"
        ));
        let carried = carried(&pipeline.element("after"));
        pipeline.run_to_eos();
        assert_eq!(
            carried.load(Ordering::Relaxed),
            0,
            "{loser} keeps the metas"
        );
        let after = pipeline.element("after");
        let (count, inferred) = (stat(&after, "count"), stat(&after, "inferred"));
        assert!(
            inferred >= 50 && inferred <= count,
            "{loser}: {inferred} of {count}"
        );
        assert_eq!(stat(&after, "unstamped"), 0, "{loser}");
        let (age, transit) = (stat(&after, "p50"), stat(&after, "transit-p50"));
        assert!(
            (60_000_000..500_000_000).contains(&age),
            "{loser}: {age} ns old"
        );
        assert!(
            (10_000..100_000_000).contains(&transit),
            "{loser}: {transit} ns on the way"
        );
    }
}
