//! The project's own network, models/shapes.onnx, on pictures that it was not trained on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use gst::prelude::*;
use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo};

use super::{Found, found, running, video_info};
use crate::support::init;
use crate::support::pipeline::Pipeline;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/shapes.onnx");
const LABELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/shapes.txt");
/// The ball is back where it was after 200 frames; it moves too little to look at each.
const FRAMES: usize = 240;
const EVERY: usize = 20;

/// Left, top, width, height.
type Rect = (u32, u32, u32, u32);

fn iou(one: Rect, other: Rect) -> f64 {
    let shared = |start: u32, length: u32, other_start: u32, other_length: u32| {
        let end = (start + length).min(other_start + other_length);
        f64::from(end.saturating_sub(start.max(other_start)))
    };
    let size = |rect: Rect| f64::from(rect.2) * f64::from(rect.3);
    let both = shared(one.0, one.2, other.0, other.2) * shared(one.1, one.3, other.1, other.3);
    both / (size(one) + size(other) - both)
}

/// Every twentieth frame of a videotestsrc of these settings, as it leaves gpuinfer.
fn frames(source: &str, caps: &str) -> Vec<gst::Buffer> {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers={FRAMES} {source} ! {caps} ! identity name=thin \
         ! gpuinfer name=infer model={MODEL} labels={LABELS} ! fakesink"
    ));
    let number = AtomicUsize::new(0);
    let thin = pipeline.element("thin").static_pad("src").unwrap();
    thin.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        if number.fetch_add(1, Ordering::Relaxed).is_multiple_of(EVERY) {
            gst::PadProbeReturn::Ok
        } else {
            gst::PadProbeReturn::Drop
        }
    });
    let (seen, frames) = mpsc::channel();
    let pad = pipeline.element("infer").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let _ = seen.send(info.buffer().cloned());
        gst::PadProbeReturn::Ok
    });
    pipeline.run_to_eos();
    let frames: Vec<_> = frames.try_iter().flatten().collect();
    assert_eq!(frames.len(), FRAMES / EVERY);
    frames
}

/// The rectangle around what stands out from the colour of the first pixel, by the first component.
fn standing_out(buffer: &gst::BufferRef, info: &VideoInfo) -> Rect {
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let data = frame.comp_data(0).unwrap();
    let (stride, step) = (
        frame.comp_stride(0) as usize,
        frame.comp_pstride(0) as usize,
    );
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let contrast = |x: usize, y: usize| data[y * stride + x * step].abs_diff(data[0]);
    let pixels = || (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let most = pixels().map(|(x, y)| contrast(x, y)).max().unwrap();
    assert!(most > 40, "there is nothing in the picture");
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    for (x, y) in pixels().filter(|(x, y)| contrast(*x, *y) > most / 2) {
        (left, right) = (left.min(x), right.max(x + 1));
        (top, bottom) = (top.min(y), bottom.max(y + 1));
    }
    let sides = [left, top, right - left, bottom - top].map(|side| side as u32);
    sides.into()
}

#[test]
fn the_ball_of_videotestsrc_is_found_where_the_pixels_say() {
    for (caps, colours) in [
        ("format=I420,width=320,height=240", ""),
        (
            "format=NV12,width=640,height=360",
            "foreground-color=0xff00c020 background-color=0xff202060",
        ),
        (
            "format=YUY2,width=320,height=240",
            "foreground-color=0xff0000ff background-color=0xffffff00",
        ),
        (
            "format=RGB,width=640,height=360",
            "foreground-color=0xffff0000",
        ),
        (
            "format=GRAY8,width=640,height=360",
            "foreground-color=0xff000000 background-color=0xffffffff",
        ),
    ] {
        let caps = format!("video/x-raw,framerate=30/1,{caps}");
        let info = video_info(&caps);
        let frames = frames(&format!("pattern=ball {colours}"), &caps);
        let judged = frames
            .iter()
            .map(|frame| (found(frame), standing_out(frame, &info)));
        let judged: Vec<_> = judged.collect();
        let is_right = |(objects, ball): &&(Vec<Found>, Rect)| match &objects[..] {
            [only] => {
                only.label == "ball" && only.confidence >= 0.5 && iou(only.rect, *ball) >= 0.6
            }
            _ => false,
        };
        let right = judged.iter().filter(is_right).count();
        assert!(right + 1 >= judged.len(), "{caps}: {right} of {judged:?}");
        let places: std::collections::BTreeSet<_> = judged.iter().map(|(_, ball)| ball).collect();
        assert!(places.len() > 5, "the ball moves: {places:?}");
    }
}

#[test]
fn where_no_shape_is_none_is_found() {
    for pattern in ["smpte", "black", "snow"] {
        for size in ["width=320,height=240", "width=640,height=360"] {
            let caps = format!("video/x-raw,framerate=30/1,format=I420,{size}");
            let frames = frames(&format!("pattern={pattern}"), &caps);
            let objects: Vec<_> = frames.iter().flat_map(|frame| found(frame)).collect();
            assert!(objects.is_empty(), "{pattern} {size}: {objects:?}");
        }
    }
}

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// A filled square and a filled triangle that stands on its base, both of one colour.
struct Scene {
    ground: [u8; 3],
    colour: [u8; 3],
    square: Rect,
    triangle: Rect,
}

impl Scene {
    fn is_painted(&self, x: u32, y: u32) -> bool {
        let inside = |(left, top, width, height): Rect| {
            (left..left + width).contains(&x) && (top..top + height).contains(&y)
        };
        let (left, top, width, height) = self.triangle;
        let off_centre = (2 * x + 1).abs_diff(2 * left + width);
        inside(self.square) || inside(self.triangle) && off_centre * height <= (y - top + 1) * width
    }

    fn draw(&self) -> gst::Buffer {
        let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
        let pixels = places.flat_map(|(x, y)| {
            if self.is_painted(x, y) {
                self.colour
            } else {
                self.ground
            }
        });
        let mut buffer = gst::Buffer::from_mut_slice(pixels.collect::<Vec<u8>>());
        buffer.make_mut().set_pts(gst::ClockTime::ZERO);
        buffer
    }
}

fn scenes() -> [Scene; 4] {
    let scene = |ground,
                 colour,
                 (x, y, side): (u32, u32, u32),
                 (left, top, width): (u32, u32, u32)| Scene {
        ground,
        colour,
        square: (x, y, side, side),
        triangle: (left, top, width, width),
    };
    [
        scene([20, 20, 20], [230, 230, 230], (30, 40, 60), (230, 150, 64)),
        scene([200, 200, 190], [20, 60, 160], (200, 30, 50), (90, 160, 70)),
        scene([10, 10, 90], [255, 255, 255], (230, 120, 70), (90, 80, 56)),
        scene([128, 128, 128], [250, 120, 0], (60, 140, 80), (230, 90, 48)),
    ]
}

#[test]
fn a_square_and_a_triangle_are_told_apart_where_they_were_drawn() {
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", MODEL)
        .property("labels", LABELS)
        .build()
        .unwrap();
    let caps = format!("video/x-raw,format=RGB,width={WIDTH},height={HEIGHT},framerate=30/1");
    let mut harness = running(&element, &caps);
    for scene in scenes() {
        let out = harness.push_and_pull(scene.draw()).unwrap();
        let objects = found(&out);
        assert_eq!(objects.len(), 2, "{objects:?}");
        for (label, place) in [("square", scene.square), ("triangle", scene.triangle)] {
            let named = objects.iter().find(|object| object.label == label);
            let object = named.unwrap_or_else(|| panic!("no {label}: {objects:?}"));
            assert!(object.confidence >= 0.5, "{object:?}");
            assert!(
                iou(object.rect, place) >= 0.6,
                "{object:?} is not at {place:?}"
            );
        }
    }
}
