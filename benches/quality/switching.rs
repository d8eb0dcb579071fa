//! What a change of size costs the stream: the gap before the first frame of the new size, and frames that are lost.

use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::camera::{Camera, caps};
use crate::clock;
use crate::series::percentile;

const SWITCHES: u64 = 200;
/// Frames between two changes.
const APART: u64 = 10;
const RATE: u32 = 30;

#[allow(clippy::disallowed_methods, reason = "the bench's own")]
pub fn bench() {
    let line = format!(
        "appsrc name=source is-live=true format=time caps={} ! queue \
         ! qualityswitch name=q auto=false ladder=a=1280x720@{RATE},b=640x360@{RATE} \
         ! x264enc name=encoder tune=zerolatency speed-preset=ultrafast ! h264parse ! avdec_h264 ! fakesink sync=false",
        caps(1280, 720, RATE)
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    // When each encoded frame left, and how wide it is.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (noted, element) = (seen.clone(), pipeline.by_name("q").unwrap());
    let out = pipeline
        .by_name("encoder")
        .unwrap()
        .static_pad("src")
        .unwrap();
    out.add_probe(gst::PadProbeType::BUFFER, move |pad, _| {
        let caps = pad.current_caps().unwrap();
        let width: i32 = caps.structure(0).unwrap().get("width").unwrap();
        noted.lock().unwrap().push((clock::now(), width));
        gst::PadProbeReturn::Ok
    });
    let mut frames = 0;
    let input = element.static_pad("sink").unwrap();
    let counted = Arc::new(Mutex::new(0_u64));
    let count = counted.clone();
    let q = element.clone();
    input.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let change = *count / APART;
        if (*count).is_multiple_of(APART) && change <= SWITCHES {
            q.set_property("level", if change % 2 == 1 { "b" } else { "a" });
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let source = pipeline.by_name("source").unwrap();
    let camera = Camera::start(vec![source.clone()], 1280, 720, RATE);
    while frames < (SWITCHES + 2) * APART {
        clock::wait_until(clock::now() + 100_000_000);
        frames = camera.sent();
    }
    drop(camera);
    let _ = source.emit_by_name::<gst::FlowReturn>("end-of-stream", &[]);
    let bus = pipeline.bus().unwrap();
    bus.timed_pop_filtered(None, &[gst::MessageType::Eos, gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    report(&seen.lock().unwrap(), *counted.lock().unwrap());
}

fn report(seen: &[(u64, i32)], sent: u64) {
    let interval = 1e3 / f64::from(RATE);
    let gap = |pair: &[(u64, i32)]| (pair[1].0 - pair[0].0) as f64 / 1e6;
    let (changes, plain): (Vec<_>, Vec<_>) =
        seen.windows(2).partition(|pair| pair[0].1 != pair[1].1);
    let gaps: Vec<f64> = changes.into_iter().map(gap).collect();
    let count = gaps.len();
    let of = |gaps: &[f64], share| percentile(gaps.to_vec(), share).unwrap_or_default() / interval;
    let plain: Vec<f64> = plain.into_iter().map(gap).collect();
    println!(
        "\n| switches | lost frames | gap p50, frame intervals | p95 | longest | p95 without a change |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    println!(
        "| {count} | {} | {:.2} | {:.2} | {:.2} | {:.2} |\n",
        sent as i64 - seen.len() as i64,
        of(&gaps, 0.5),
        of(&gaps, 0.95),
        of(&gaps, 1.0),
        of(&plain, 0.95)
    );
}
