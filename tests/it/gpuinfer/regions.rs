//! Several parts of one frame: what goes into the network together, and what that takes from the heap.

use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;

use super::{colour_meter, found, linear, running};
use crate::support::allocations::Tally;
use crate::support::init;
use crate::support::pipeline::stats;

const CAPS: &str = "video/x-raw,format=RGB,width=128,height=64,framerate=30/1";
const HALVES: &str = "0,0,64,64;64,0,64,64";

/// The left half black, the right half red and green.
fn halves() -> gst::Buffer {
    let row = [[0, 0, 0].repeat(64), [255, 255, 0].repeat(64)].concat();
    let mut buffer = gst::Buffer::from_mut_slice(row.repeat(64));
    buffer.make_mut().set_pts(gst::ClockTime::ZERO);
    buffer
}

/// Where in its half of the frame the network sees the middle of each object, with these properties.
fn middles(model: &std::path::Path, max_batch: u32) -> [u32; 2] {
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .property("roi", HALVES)
        .property("max-batch-size", max_batch)
        .build()
        .unwrap();
    let out = running(&element, CAPS).push_and_pull(halves()).unwrap();
    let mut rects: Vec<_> = found(&out).iter().map(|object| object.rect).collect();
    rects.sort_unstable();
    let [(left, _, width, _), (right, _, other, _)] = rects[..] else {
        panic!("{rects:?}");
    };
    [left + width / 2, right + other / 2 - 64]
}

#[test]
fn parts_of_a_frame_go_into_the_network_together_as_far_as_the_batch_allows() {
    // What is seen in one picture depends on the others of its batch.
    let mixing = linear::mixing((64, 64), &[colour_meter()]);
    assert_eq!(middles(&mixing, 2), [32, 32], "both at once");
    assert_eq!(middles(&mixing, 8), [32, 32], "both at once");
    assert_eq!(middles(&mixing, 1), [12, 52], "one after the other");
    assert_eq!(
        middles(&mixing, 0),
        [12, 52],
        "batches gain nothing on a processor"
    );
    // A batch of its own, which is not mixed.
    let meter = linear::linear(None, (64, 64), &[colour_meter()]);
    assert_eq!(middles(&meter, 2), [12, 52]);
}

/// Frames with objects of another network: two, which are followed, or not.
fn with_objects(is_tracked: bool) -> gst::Buffer {
    let mut buffer = halves();
    for (id, rect) in [(1, (0, 0, 30, 40)), (2, (64, 0, 60, 60))] {
        let mut meta = VideoRegionOfInterestMeta::add(buffer.make_mut(), "thing", rect);
        meta.set_id(id);
        if is_tracked {
            let track = gst::Structure::builder("object_id").field("id", id);
            meta.add_param(track.build());
        }
    }
    buffer
}

const WARM: usize = 150;
const MEASURED: usize = 200;

/// What frames take from the heap in the thread that brings them and in the one that pushes them on.
fn allocations(properties: &[(&str, &str)], frame: impl Fn() -> gst::Buffer) -> [u64; 2] {
    init();
    let model = linear::linear(Some(1), (64, 64), &[colour_meter()]);
    let mut make = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .property_from_str("metadata", "none");
    for (name, value) in properties {
        make = make.property_from_str(name, value);
    }
    let element = make.build().unwrap();
    let mut harness = running(&element, CAPS);
    let (brings, pushes) = (Tally::new(), Tally::new());
    let pad = element.static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, |_, _| {
        pushes.join();
        gst::PadProbeReturn::Ok
    });
    let mut before = [0; 2];
    let now = || [brings.allocations(), pushes.allocations()];
    let frames: Vec<gst::Buffer> = (0..WARM + MEASURED).map(|_| frame()).collect();
    for (number, mut frame) in frames.into_iter().enumerate() {
        if number == WARM {
            before = now();
        }
        let pts = gst::ClockTime::from_mseconds(40 * number as u64);
        frame.make_mut().set_pts(pts);
        brings.join();
        let pushed = harness.push(frame);
        Tally::leave();
        assert!(pushed.is_ok());
        harness.pull().unwrap();
    }
    let served: u64 = stats(&element).get("served").unwrap();
    assert!(served > 0);
    let [brought, pushed] = now();
    [brought - before[0], pushed - before[1]]
}

#[test]
fn parts_of_frames_ask_for_no_memory() {
    for (name, properties, frame) in [
        ("roi", ("roi", HALVES), None),
        ("objects", ("roi-source", "objects"), Some(false)),
        ("tracked objects", ("roi-source", "objects"), Some(true)),
        ("again and again", ("reclassify-interval", "40"), Some(true)),
    ] {
        let of_objects = (
            "roi-source",
            if frame.is_some() { "objects" } else { "frame" },
        );
        let taken = allocations(&[of_objects, properties], || match frame {
            Some(is_tracked) => with_objects(is_tracked),
            None => halves(),
        });
        // Rows and mailboxes may still grow to the largest that they ever were.
        let few = MEASURED as u64 / 20;
        assert!(
            taken.iter().all(|taken| *taken <= few),
            "{name}: {taken:?} for {MEASURED} frames"
        );
    }
}
