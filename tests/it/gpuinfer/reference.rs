//! Against Python's onnxruntime with a decoder of its own, tests/reference/detect.py, frame by frame.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;

use crate::support::media::shared;
use crate::support::pipeline::Pipeline;
use crate::support::python;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/detect.py");
/// Both are asked for more than counts, so that an object just above that on one side has its like on the other.
const ASKED: f64 = 0.2;

/// What has to be alike.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// From which on an object counts.
    confidence: f64,
    /// The least overlap of two boxes of one object.
    iou: f64,
    /// How far confidences of one object may be apart.
    apart: f64,
    /// Of all objects, the part that may be less alike than that.
    outside: f64,
}

/// Of the same pixels.
const EXACT: Bounds = Bounds {
    confidence: 0.3,
    iou: 0.99,
    apart: 0.01,
    outside: 0.0,
};
/// Of frames that each scales and converts for itself: half a level here and there moves what a network is not sure of,
/// by 0.03 with rounding to whole levels alone.
const ALIKE: Bounds = Bounds {
    confidence: 0.5,
    iou: 0.9,
    apart: 0.1,
    outside: 0.01,
};
/// All frames of a video take minutes.
const LIMIT: gst::ClockTime = gst::ClockTime::from_seconds(3600);
/// Frames that wait for the script: it is slower than the element.
const WAITING: usize = 8;

/// Frames, and what is compared of them.
#[derive(Clone, Copy, Debug)]
struct Video {
    path: &'static str,
    format: &'static str,
    width: u32,
    height: u32,
    bounds: Bounds,
}

const PEOPLE: Video = Video {
    path: "media/one-by-one-person-detection.mp4",
    format: "I420",
    width: 768,
    height: 432,
    bounds: ALIKE,
};
const BOTTLES: Video = Video {
    path: "media/bottle-detection.mp4",
    width: 640,
    height: 360,
    ..PEOPLE
};

impl Video {
    /// The same at the size of the network's input, so that it takes the pixels as they are.
    const fn small(self) -> Self {
        Self {
            format: "RGB",
            width: 416,
            height: 234,
            bounds: EXACT,
            ..self
        }
    }
}

/// An object in pixels: class, confidence, left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
struct Object {
    class: i32,
    confidence: f64,
    edges: [f64; 4],
}

impl Object {
    fn iou(&self, other: &Self) -> f64 {
        let size =
            |edges: [f64; 4]| (edges[2] - edges[0]).max(0.0) * (edges[3] - edges[1]).max(0.0);
        let (one, two) = (self.edges, other.edges);
        let shared = size([
            one[0].max(two[0]),
            one[1].max(two[1]),
            one[2].min(two[2]),
            one[3].min(two[3]),
        ]);
        shared / (size(one) + size(two) - shared)
    }
}

/// What the comparison of a video came to.
#[derive(Debug)]
struct Comparison {
    bounds: Bounds,
    frames: usize,
    /// Frames with another number of objects.
    uneven: usize,
    ours: usize,
    theirs: usize,
    /// Objects without their like, and frame and object.
    alone: Vec<(usize, Object)>,
    /// Objects that have their like, but not near enough.
    outside: usize,
    least_iou: f64,
    most_apart: f64,
}

impl Comparison {
    const fn of(bounds: Bounds) -> Self {
        Self {
            bounds,
            frames: 0,
            uneven: 0,
            ours: 0,
            theirs: 0,
            alone: Vec::new(),
            outside: 0,
            least_iou: 1.0,
            most_apart: 0.0,
        }
    }

    fn add(&mut self, ours: &[Object], theirs: &[Object]) {
        let least = self.bounds.confidence;
        let counts = |objects: &[Object]| {
            let counted = objects.iter().filter(|one| one.confidence >= least);
            counted.count()
        };
        let (a, b) = (counts(ours), counts(theirs));
        (self.ours, self.theirs) = (self.ours + a, self.theirs + b);
        self.uneven += usize::from(a != b);
        for (these, those) in [(ours, theirs), (theirs, ours)] {
            for object in these.iter().filter(|one| one.confidence >= least) {
                self.judge(object, those);
            }
        }
        self.frames += 1;
    }

    fn judge(&mut self, object: &Object, others: &[Object]) {
        let same = others.iter().filter(|other| other.class == object.class);
        let nearest = same.max_by(|one, two| object.iou(one).total_cmp(&object.iou(two)));
        let Some(nearest) = nearest.filter(|nearest| object.iou(nearest) > 0.5) else {
            self.alone.push((self.frames, *object));
            return;
        };
        let overlap = object.iou(nearest);
        self.least_iou = self.least_iou.min(overlap);
        let apart = (object.confidence - nearest.confidence).abs();
        let is_near = overlap >= self.bounds.iou && apart <= self.bounds.apart;
        self.outside += usize::from(!is_near);
        self.most_apart = self.most_apart.max(apart);
    }

    /// A row of the table in the README.
    fn print(&self, video: Video) {
        let Video {
            path,
            format,
            width,
            height,
            bounds,
        } = video;
        eprintln!(
            "| {path} {format} {width}x{height}, from {} | {} | {} | {} | {} | {:.4} | {:.4} |",
            bounds.confidence,
            self.frames,
            self.ours,
            self.theirs,
            self.uneven,
            self.least_iou,
            self.most_apart
        );
    }

    fn check(&self, name: &str) {
        assert!(self.alone.is_empty(), "{name}: {:?}", self.alone);
        let outside = self.outside as f64 / (self.ours + self.theirs).max(1) as f64;
        assert!(outside <= self.bounds.outside, "{name}: {self:?}");
    }
}

/// The script at work.
struct Reference {
    child: Child,
    answers: Receiver<Vec<Object>>,
}

impl Reference {
    /// Starts it; it looks at the frames that are sent, until their sender is dropped.
    fn start(python: &Path, model: &Path, video: Video) -> (Self, SyncSender<Vec<u8>>) {
        let mut child = Command::new(python)
            .arg(SCRIPT)
            .arg(model)
            .args([video.width.to_string(), video.height.to_string()])
            .args(["--format", &video.format.to_lowercase()])
            .args(["--confidence", &ASKED.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let (frames, waiting) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        thread::spawn(move || {
            for frame in waiting {
                input.write_all(&frame).unwrap();
            }
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (answered, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = answered.send(parse(&line));
            }
        });
        (Self { child, answers }, frames)
    }

    fn answers(mut self) -> Vec<Vec<Object>> {
        let answers = self.answers.iter().collect();
        assert!(self.child.wait().unwrap().success(), "{SCRIPT} failed");
        answers
    }
}

fn parse(line: &str) -> Vec<Object> {
    let all: Vec<[f64; 6]> = serde_json::from_str(line).unwrap();
    let object = |[class, confidence, edges @ ..]: [f64; 6]| Object {
        class: class as i32,
        confidence,
        edges,
    };
    all.into_iter().map(object).collect()
}

/// The objects that the metas of `buffer` tell of, in pixels of a frame of this size.
fn objects(buffer: &gst::BufferRef, width: u32, height: u32) -> Vec<Object> {
    let metas = buffer.iter_meta::<VideoRegionOfInterestMeta>();
    let object = |detection: gst::Structure| {
        let number = |name| detection.get::<f64>(name).unwrap();
        let (width, height) = (f64::from(width), f64::from(height));
        Object {
            class: detection.get("label_id").unwrap(),
            confidence: number("confidence"),
            edges: [
                number("x_min") * width,
                number("y_min") * height,
                number("x_max") * width,
                number("y_max") * height,
            ],
        }
    };
    metas
        .map(|meta| object(meta.param("detection").unwrap().to_owned()))
        .collect()
}

/// Compares what both find in every `every`-th frame of `video`, `most` of them at most.
fn compare(video: Video, every: usize, most: usize) -> Option<Comparison> {
    let Video {
        path,
        format,
        width,
        height,
        bounds,
    } = video;
    let (model, file) = (shared("models/yolox_nano.onnx")?, shared(path)?);
    let python = python::with_onnxruntime()?;
    // -1: never.
    let end = most.checked_mul(every).map_or(-1, |end| end as i64);
    let pipeline = Pipeline::parse(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 ! identity name=thin eos-after={end} ! videoconvert ! videoscale \
         ! video/x-raw,format={format},width={width},height={height},pixel-aspect-ratio=1/1 ! identity name=given ! gpuinfer name=infer confidence={ASKED} model={} ! fakesink",
        file.display(),
        model.display()
    ));
    let (reference, frames) = Reference::start(python, &model, video);
    let number = AtomicUsize::new(0);
    let thin = pipeline.element("thin").static_pad("src").unwrap();
    thin.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        if number.fetch_add(1, Ordering::Relaxed).is_multiple_of(every) {
            gst::PadProbeReturn::Ok
        } else {
            gst::PadProbeReturn::Drop
        }
    });
    let given = pipeline.element("given").static_pad("src").unwrap();
    given.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let frame = info.buffer().unwrap().map_readable().unwrap();
        frames.send(frame.to_vec()).unwrap();
        gst::PadProbeReturn::Ok
    });
    let (seen, ours) = mpsc::channel();
    let pad = pipeline.element("infer").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let _ = seen.send(objects(info.buffer().unwrap(), width, height));
        gst::PadProbeReturn::Ok
    });
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = pipeline.bus().unwrap().timed_pop_filtered(LIMIT, &ends);
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos, "{path}");
    drop(given);
    drop(pipeline);
    let (ours, theirs): (Vec<_>, _) = (ours.try_iter().collect(), reference.answers());
    assert_eq!(ours.len(), theirs.len(), "{path}");
    let mut comparison = Comparison::of(bounds);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        comparison.add(ours, theirs);
    }
    comparison.print(video);
    comparison.check(path);
    Some(comparison)
}

/// Frames compared of each video: all of them with LIVETUNE_REFERENCE=all, as `make check-reference` has it.
fn sample() -> (usize, usize) {
    if std::env::var("LIVETUNE_REFERENCE").is_ok_and(|frames| frames == "all") {
        (1, usize::MAX)
    } else {
        (40, 12)
    }
}

fn check(video: Video, least: usize) {
    let (every, most) = sample();
    if let Some(comparison) = compare(video, every, most) {
        assert!(comparison.ours >= least, "{comparison:?}");
    }
}

#[test]
fn of_the_same_pixels_people_and_bottles_are_where_the_reference_finds_them() {
    check(PEOPLE.small(), 4);
    check(BOTTLES.small(), 20);
}

#[test]
fn of_the_same_frames_people_and_bottles_are_where_the_reference_finds_them() {
    check(PEOPLE, 4);
    check(BOTTLES, 20);
}
