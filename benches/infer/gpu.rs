//! A network on an NVIDIA GPU: batches of 1 to 32, the element against the session alone, and how many cameras are served
//! in time. Only where there is one; `LIVETUNE_BENCH_DEVICE=cpu` does the same on the processor, to see that it works.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use gst::prelude::*;
use ort::ep;
use ort::session::Session;
use ort::value::TensorRef;

use crate::bare;
use crate::cameras::{self, Cameras};
use crate::pictures;
use crate::samples::{millis, now, percentile};

const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];
const SIDE: usize = 416;
const WARM_UP: Duration = Duration::from_secs(3);
const PHASE: Duration = Duration::from_secs(5);
/// What 95 of 100 frames of a camera may be old.
const BOUND: u64 = 100_000_000;
const CAMERAS: [usize; 12] = [4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384];

fn device() -> String {
    std::env::var("LIVETUNE_BENCH_DEVICE").unwrap_or_else(|_| "cuda".to_owned())
}

/// YOLOX-nano, any number of pictures at once.
fn model() -> std::path::PathBuf {
    pictures::shared("models/yolox_nano_dynbatch.onnx")
}

/// The session alone, with the element's settings; `None` where there is no GPU.
fn session() -> Option<Session> {
    let is_cuda = device() == "cuda";
    if is_cuda && !Path::new("/dev/nvidiactl").exists() {
        return None;
    }
    let environment = gstlivetune::onnx_runtime(bare::library().as_deref()).ok()?;
    let builder = Session::builder(&environment).unwrap();
    let cuda = ep::CUDA::default()
        .with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested)
        .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic);
    let providers = is_cuda.then(|| cuda.build().error_on_failure());
    let opened = builder
        .with_execution_providers(providers.as_slice())
        .map_err(ort::Error::from)
        .and_then(|mut builder| builder.commit_from_file(model()));
    let refused = |why: &ort::Error| println!("\nNo network runs on {} here: {why}", device());
    opened.inspect_err(refused).ok()
}

pub fn table() {
    let Some(mut session) = session() else {
        return;
    };
    let device = device();
    println!(
        "\nYOLOX-nano on {device}, 1280x720 NV12, as many streams as a batch has pictures, as fast as they can.\n"
    );
    println!(
        "| pictures | frames in | alone frames/s, p95 ms | element frames/s | frame to tensor, network p95 ms | ratio | must |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | --- |");
    let frames = pictures::people(8);
    let mut memories = vec![("main memory", "")];
    if device == "cuda" && gst::ElementFactory::find("cudaupload").is_some() {
        memories.push(("CUDA memory", "cudaupload !"));
    }
    for size in BATCHES {
        let (alone, p95) = alone(&mut session, size);
        for (memory, before) in &memories {
            let (through, [before_it, inside]) = Streams::start(size, before, &frames).measure();
            let ratio = through / alone;
            println!(
                "| {size} | {memory} | {alone:.0}, {:.2} | {through:.0} | {:.2}, {:.2} | {ratio:.2} | {} >= 0.95 |",
                millis(p95),
                millis(before_it),
                millis(inside),
                if ratio >= 0.95 { "✓" } else { "✗" }
            );
        }
    }
    drop(session);
    println!(
        "\nCameras of 30 frames/s on {device} whose frames are at most 100 ms old, 95 of 100:\n"
    );
    println!("| cameras | inferred | age p95 ms |");
    println!("| ---: | ---: | ---: |");
    for count in CAMERAS {
        let (share, age) = served(count);
        println!("| {count} | {:.0} % | {:.1} |", 100.0 * share, millis(age));
        if age > BOUND || share < 0.95 {
            break;
        }
    }
}

/// Pictures a second through the session alone, and what 95 of 100 runs take.
fn alone(session: &mut Session, size: usize) -> (f64, u64) {
    let shape = [size, 3, SIDE, SIDE];
    let numbers: Vec<f32> = (0..shape.iter().product())
        .map(|at: usize| (at * 31 % 251) as f32)
        .collect();
    let mut run = |limit: Duration| {
        let (start, mut took) = (now(), Vec::new());
        while now() - start < limit.as_nanos() as u64 {
            let before = now();
            let view = TensorRef::from_array_view((shape, &numbers[..])).unwrap();
            std::hint::black_box(session.run(ort::inputs![view]).unwrap());
            took.push(now() - before);
        }
        let pictures = took.len() * size;
        (
            pictures as f64 / (now() - start) as f64 * 1e9,
            percentile(&mut took, 95),
        )
    };
    run(WARM_UP);
    run(PHASE)
}

/// Streams that push as fast as they can.
struct Streams {
    pipeline: gst::Pipeline,
    infer: gst::Element,
    passed: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Streams {
    fn start(count: usize, before: &str, frames: &[gst::Buffer]) -> Self {
        let pipeline = gst::Pipeline::new();
        let (passed, is_over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let line = format!(
            "appsrc name=source format=time block=true max-buffers=2 ! {before} queue max-size-buffers=2 \
             ! {} max-batch-size={count} late-policy=block name=infer ! fakesink name=sink sync=false async=false",
            element()
        );
        let mut threads = Vec::new();
        let mut infer = None;
        for _ in 0..count {
            let bin = gst::parse::bin_from_description(&line, false).unwrap();
            let named = |name| bin.by_name(name).unwrap();
            let source = named("source");
            source.set_property("caps", pictures::caps());
            let counter = passed.clone();
            let pad = named("sink").static_pad("sink").unwrap();
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                counter.fetch_add(1, Ordering::Relaxed);
                gst::PadProbeReturn::Ok
            });
            infer = Some(named("infer"));
            pipeline.add(&bin).unwrap();
            threads.push((source, is_over.clone(), frames.to_vec()));
        }
        pipeline.set_state(gst::State::Playing).unwrap();
        let push =
            |(source, is_over, frames): (gst::Element, Arc<AtomicBool>, Vec<gst::Buffer>)| {
                thread::spawn(move || {
                    for (number, frame) in (0..).zip(frames.iter().cycle()) {
                        let mut frame = frame.copy();
                        frame
                            .make_mut()
                            .set_pts(gst::ClockTime::from_mseconds(33 * number));
                        let pushed =
                            source.emit_by_name::<gst::FlowReturn>("push-buffer", &[&frame]);
                        if is_over.load(Ordering::Relaxed) || pushed != gst::FlowReturn::Ok {
                            return;
                        }
                    }
                })
            };
        Self {
            pipeline,
            infer: infer.unwrap(),
            passed,
            is_over,
            threads: threads.into_iter().map(push).collect(),
        }
    }

    /// Frames a second, and what the frames of 95 of 100 batches took before the network and in it.
    #[expect(clippy::disallowed_methods, reason = "the bench runs in real time")]
    fn measure(mut self) -> (f64, [u64; 2]) {
        thread::sleep(WARM_UP);
        let (start, before) = (now(), self.passed.load(Ordering::Relaxed));
        thread::sleep(PHASE);
        let frames = self.passed.load(Ordering::Relaxed) - before;
        let seconds = (now() - start) as f64 / 1e9;
        let stats = self.infer.property::<gst::Structure>("stats");
        self.is_over.store(true, Ordering::Relaxed);
        self.pipeline.set_state(gst::State::Null).unwrap();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let stages = ["batch-preprocess-p95", "batch-inference-p95"];
        let took = stages.map(|stage| stats.get::<u64>(stage).unwrap());
        (frames as f64 / seconds, took)
    }
}

fn element() -> String {
    format!(
        "gpuinfer {} device={} model=\"{}\"",
        bare::choice("onnxruntime"),
        device(),
        model().display()
    )
}

/// What part of the frames of so many cameras the network saw, and how old 95 of 100 are when they come out.
fn served(count: usize) -> (f64, u64) {
    let element = format!("{} late-policy=skip", element());
    let mut cameras = Cameras::start(count, &element, pictures::people(8));
    cameras.film(0, WARM_UP);
    let before = cameras.inferred();
    cameras.forget_ages();
    cameras.film(0, PHASE);
    let served: u64 = cameras.inferred().iter().sum::<u64>() - before.iter().sum::<u64>();
    let sent = cameras::frames_in(PHASE) * count as u64;
    (served as f64 / sent as f64, cameras.age_p95())
}
