//! Many cameras, one network.

use std::path::Path;
use std::time::Duration;

use gst_check::Harness;

use super::{colour_meter, frame, linear, onnx, rects, running};
use crate::support::init;
use crate::support::pipeline::stats;

const CAPS: &str = "video/x-raw,format=RGB,width=64,height=64,framerate=30/1";

/// A camera of the group `id`.
fn camera(model: &Path, id: &str) -> Harness {
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", model.to_str().unwrap())
        .property("model-instance-id", id)
        .property("max-batch-size", 8_u32)
        .property("max-queue-delay", 2_000_u32)
        .build()
        .unwrap();
    running(&element, CAPS)
}

/// Where the object is that the light meter sees in `buffer`, and where it should be.
fn seen_and_expected(buffer: &gst::BufferRef) -> (f64, f64) {
    let brightness = buffer.map_readable().unwrap()[0];
    let rects = rects(buffer);
    let [(left, _, width, _)] = rects[..] else {
        panic!("{rects:?}");
    };
    let expected = 12.0 + 40.0 * f64::from(brightness) / 255.0;
    (f64::from(left) + f64::from(width) / 2.0, expected)
}

#[test]
fn boxes_of_one_camera_are_never_on_another() {
    let model = onnx::light_meter(None);
    let threads: Vec<_> = (0..6_usize)
        .map(|camera| {
            let mut harness = self::camera(&model, "boxes");
            std::thread::spawn(move || {
                for number in 0..60 {
                    let brightness = (camera * 37 + number * 53) % 256;
                    harness.push(frame(CAPS, brightness as u8)).unwrap();
                }
                for _ in 0..60 {
                    let out = harness.pull().unwrap();
                    let (seen, expected) = seen_and_expected(&out);
                    assert!(
                        (seen - expected).abs() <= 1.0,
                        "camera {camera}: {seen} for {expected}"
                    );
                }
                harness
            })
        })
        .collect();
    let harnesses: Vec<Harness> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let stats = stats(&harnesses[0].element().unwrap());
    assert_eq!(stats.get::<u64>("streams"), Ok(6), "they share: {stats}");
}

#[test]
fn a_camera_that_stops_costs_the_others_nothing() {
    let model = onnx::light_meter(None);
    let mut stopped = camera(&model, "stopped");
    let mut other = camera(&model, "stopped");
    for _ in 0..10 {
        stopped.push(frame(CAPS, 10)).unwrap();
        other.push(frame(CAPS, 20)).unwrap();
        stopped.pull().unwrap();
        other.pull().unwrap();
    }
    // From here on one is silent. Frames come at the pace of a camera.
    let mut waits: Vec<Duration> = (0..20)
        .map(|_| {
            let start = gst::get_timestamp();
            let out = other.push_and_pull(frame(CAPS, 20)).unwrap();
            let (seen, expected) = seen_and_expected(&out);
            assert!((seen - expected).abs() <= 1.0);
            (gst::get_timestamp() - start).into()
        })
        .collect();
    waits.sort();
    assert!(
        waits[15] < Duration::from_millis(300),
        "max-queue-delay is 2 s: {waits:?}"
    );
}

#[test]
fn only_those_of_the_same_name_share() {
    let model = onnx::light_meter(None);
    let cameras = ["one", "one", "other"].map(|id| camera(&model, id));
    let streams = cameras.map(|mut camera| {
        camera.push_and_pull(frame(CAPS, 20)).unwrap();
        (camera.element().unwrap(), camera)
    });
    let streams = streams.map(|(element, _camera)| stats(&element).get::<u64>("streams"));
    assert_eq!(streams[2], Ok(1));
}

/// Where in its frame the object of the colour meter should be where all is of this `shade`.
fn expected(side: u32, shade: u8) -> f64 {
    f64::from(side) * (12.0 + 40.0 * f64::from(shade) / 255.0) / 64.0
}

#[test]
fn cameras_whose_frames_change_their_size_and_format_share_batches() {
    let model = linear::linear(None, (64, 64), &[colour_meter()]);
    let kinds: Vec<(u32, String)> = [16, 64, 131, 500]
        .into_iter()
        .flat_map(|side| ["RGB", "BGRx", "GRAY8"].map(|format| (side, format)))
        .map(|(side, format)| {
            let size = format!("width={side},height={side}");
            (
                side,
                format!("video/x-raw,format={format},{size},framerate=30/1"),
            )
        })
        .collect();
    let threads: Vec<_> = (0..3_usize)
        .map(|camera| {
            let mut harness = self::camera(&model, "sizes");
            let kinds = kinds.clone();
            std::thread::spawn(move || {
                for number in 0..48 {
                    let (_, caps) = &kinds[(number / 2 + 5 * camera) % kinds.len()];
                    let shade = ((camera * 37 + number * 53) % 256) as u8;
                    harness.set_src_caps(caps.parse().unwrap());
                    harness.push(frame(caps, shade)).unwrap();
                    if number % 4 < 3 {
                        continue;
                    }
                    // Up to four of them are on their way together, of two sizes.
                    for number in number - 3..=number {
                        let (side, caps) = &kinds[(number / 2 + 5 * camera) % kinds.len()];
                        let shade = ((camera * 37 + number * 53) % 256) as u8;
                        let out = harness.pull().unwrap();
                        let rects = rects(&out);
                        let [(left, _, width, _)] = rects[..] else {
                            panic!("{caps}: {rects:?}");
                        };
                        let (middle, right) = (left + width / 2, expected(*side, shade));
                        let off = (f64::from(middle) - right).abs();
                        assert!(
                            off <= 1.5 + f64::from(*side) / 64.0,
                            "{caps} {shade}: {rects:?}"
                        );
                    }
                }
                harness
            })
        })
        .collect();
    for thread in threads {
        let harness = thread.join().unwrap();
        let stats = stats(&harness.element().unwrap());
        assert_eq!(stats.get::<u64>("inferred"), Ok(48));
        assert_eq!(stats.get::<u64>("errors"), Ok(0));
    }
}
