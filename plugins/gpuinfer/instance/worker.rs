//! A thread that owns a network and runs it on one batch after the other.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gst_video::VideoFrameRef;
use livetune_core::infer::{Batch, Found, Frame, Size, Stages, Thresholds};
use livetune_core::time::MediaTime;
use yuv::{YuvRange, YuvStandardMatrix};

use super::answer::{Answer, Outcome};
use super::crew::Member;
use super::floor::{Floor, Pending};
use super::network::{Network, Opened};
use crate::gpuinfer::detector::Work;
use crate::gpuinfer::engine;
use crate::gpuinfer::picture::{Colours, Picture, Pixels, Plane};
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// Batches that failed one after the other before the network is opened anew.
const FAILURES: u32 = 3;
/// Runs of each size before the first frame: the first is not like the others.
const WARM_UP: usize = 2;
const DIED: &str = "the worker of the network died: please report it";

/// Puts the worker `member` to work, with its `network` where it is there already.
pub(super) fn start(
    floor: &Arc<Floor>,
    member: Member,
    network: Option<Box<dyn Network>>,
) -> Result<JoinHandle<()>, String> {
    let floor = floor.clone();
    let name = format!("gpuinfer {}", member.id);
    let thread = thread::Builder::new().name(name).spawn(move || {
        let end = guard("a worker of gpuinfer", Err(DIED.to_owned()), || {
            work(&floor, member, network)
        });
        floor.on_network_gone(member);
        engine::on_gone();
        if let Err(why) = end {
            floor.on_death(member, why);
        }
    });
    thread.map_err(|error| format!("there is no thread for the network: {error}"))
}

/// Works until the worker is to go; the error is why it cannot go on.
fn work(
    floor: &Arc<Floor>,
    member: Member,
    network: Option<Box<dyn Network>>,
) -> Result<(), String> {
    let network = match network {
        Some(network) => network,
        None => {
            let opened = floor.source.open(member.threads);
            let Opened { network, facts } = opened.map_err(|error| error.to_string())?;
            floor.on_opened(facts, network.max_batch());
            network
        }
    };
    floor.on_network(member, network.stopper());
    let mut bench = Bench::new(network);
    let measured = bench.warm_up(&floor.sizes().warm_up)?;
    floor.on_ready(member, &measured);
    let mut tray = Tray::default();
    while let Some(batch) = floor.next(member, &mut tray.frames) {
        let start = clock::monotonic();
        let outcome = bench.run(floor, &mut tray);
        let now = clock::monotonic();
        match outcome {
            Ok(stages) => {
                floor.on_batch(batch.weight, now.since(start));
                tray.answer(floor, (batch, stages), start, now);
                bench.failures = 0;
            }
            Err(why) => {
                tray.fail(floor, &why);
                bench.failures += 1;
                if bench.failures >= FAILURES {
                    return Err(why);
                }
            }
        }
    }
    Ok(())
}

/// A network and what it works with.
struct Bench {
    network: Box<dyn Network>,
    failures: u32,
    maps: Vec<Mapped<'static>>,
    pictures: Vec<Option<Picture<'static>>>,
    works: Vec<Work<'static>>,
}

type Mapped<'a> = Option<VideoFrameRef<&'a gst::BufferRef>>;

impl Bench {
    const fn new(network: Box<dyn Network>) -> Self {
        Self {
            network,
            failures: 0,
            maps: Vec::new(),
            pictures: Vec::new(),
            works: Vec::new(),
        }
    }

    /// Runs the network on grey pictures; how long each of `sizes` took.
    fn warm_up(&mut self, sizes: &[usize]) -> Result<Vec<(usize, Duration)>, String> {
        let size = Size::new(64, 64);
        let data = [128; 64 * 64];
        let plane = Plane {
            data: &data,
            stride: 64,
            size,
        };
        let colours = Colours {
            range: YuvRange::Full,
            matrix: YuvStandardMatrix::Bt601,
        };
        let pixels = Pixels::Gray(plane);
        let picture = Picture {
            size,
            pixels,
            colours,
        };
        let thresholds = none();
        let mut measured = Vec::new();
        for size in sizes {
            let mut found = vec![Found::default(); *size];
            for _ in 0..WARM_UP {
                let mut works: Vec<Work<'_>> = found
                    .iter_mut()
                    .map(|found| Work {
                        picture: &picture,
                        region: None,
                        thresholds: &thresholds,
                        found,
                    })
                    .collect();
                let start = clock::monotonic();
                self.network.detect(&mut works)?;
                measured.push((*size, clock::monotonic().since(start)));
            }
        }
        Ok(measured)
    }

    /// Looks at all frames on the tray and writes down what is found, or for each of them why that cannot be.
    fn run(&mut self, floor: &Floor, tray: &mut Tray) -> Result<Stages, String> {
        tray.lay_out(floor);
        let mut maps = emptied(std::mem::take(&mut self.maps));
        let mut pictures = emptied(std::mem::take(&mut self.pictures));
        let mut works = emptied(std::mem::take(&mut self.works));
        maps.extend(tray.frames.iter().map(map));
        pictures.extend(maps.iter().zip(&tray.frames).map(picture));
        let rooms = tray.answers.iter_mut().zip(&tray.frames).zip(&pictures);
        for ((answer, frame), picture) in rooms {
            add(&mut works, answer, &frame.job, picture.as_ref());
        }
        let most = floor.largest_batch().min(self.network.max_batch());
        let stages = detect(&mut *self.network, &mut works, most);
        self.works = emptied(works);
        self.pictures = emptied(pictures);
        self.maps = emptied(maps);
        stages
    }
}

/// Thresholds that nothing passes.
fn none() -> Thresholds {
    Thresholds {
        confidence: 1.0,
        iou: 1.0,
        ..Thresholds::default()
    }
}

fn map(frame: &Frame<Pending>) -> Mapped<'_> {
    let job = &frame.job.job;
    VideoFrameRef::from_buffer_ref_readable(&job.buffer, &job.info).ok()
}

fn picture<'a>((map, frame): (&'a Mapped<'a>, &Frame<Pending>)) -> Option<Picture<'a>> {
    let info = &frame.job.job.info;
    let size = Size::new(info.width(), info.height());
    map.as_ref().and_then(|map| Picture::of(map, size))
}

/// The work that a frame is, region by region; what is no picture has failed.
fn add<'a>(
    works: &mut Vec<Work<'a>>,
    answer: &'a mut Answer,
    pending: &'a Pending,
    picture: Option<&'a Picture<'a>>,
) {
    let job = &pending.job;
    let found = answer.findings_mut().found_mut();
    let Some(picture) = picture else {
        for found in found {
            found.failure = Some("the buffer is no frame of its caps".to_owned());
        }
        return;
    };
    let regions = job.regions.iter().map(|region| Some(*region));
    let whole = job.regions.is_empty().then_some(None);
    let parts = regions.chain(whole).zip(found);
    works.extend(parts.map(|(region, found)| Work {
        picture,
        region,
        thresholds: &job.thresholds,
        found,
    }));
}

/// As many runs as it takes, each of `most` pictures at most.
fn detect(
    network: &mut dyn Network,
    works: &mut [Work<'_>],
    most: usize,
) -> Result<Stages, String> {
    let mut all = Stages::default();
    for works in works.chunks_mut(most.max(1)) {
        let stages = network.detect(works)?;
        all.preprocess += stages.preprocess;
        all.inference += stages.inference;
        all.postprocess += stages.postprocess;
    }
    Ok(all)
}

/// The memory of `things`, for things of another lifetime: the standard library collects in place.
fn emptied<A, B>(mut things: Vec<A>) -> Vec<B> {
    things.clear();
    let none = things.into_iter().map(|_| unreachable!("it is empty"));
    none.collect()
}

/// The frames that a worker has in its hands. Whatever happens, each of them gets an answer.
#[derive(Default)]
struct Tray {
    frames: Vec<Frame<Pending>>,
    answers: Vec<Answer>,
}

impl Tray {
    fn lay_out(&mut self, floor: &Floor) {
        let pictures = self.frames.iter().map(|frame| frame.weight);
        let answers = pictures.map(|pictures| Answer::of(&floor.answers, pictures));
        self.answers.extend(answers);
    }

    fn answer(
        &mut self,
        floor: &Floor,
        (batch, stages): (Batch, Stages),
        start: MediaTime,
        now: MediaTime,
    ) {
        let mut statistics = lock(&floor.statistics);
        statistics.on_batch(&batch, stages);
        for frame in &self.frames {
            let waited = start.since(frame.submitted);
            statistics.on_frame(waited, now.since(frame.submitted));
        }
        drop(statistics);
        for (mut frame, mut answer) in self.frames.drain(..).zip(self.answers.drain(..)) {
            let findings = answer.findings_mut();
            findings.regions = std::mem::take(&mut frame.job.job.regions);
            findings.stages = stages;
            findings.queue_wait = start.since(frame.submitted);
            findings.batch_size = batch.weight;
            findings.finished = now;
            deliver(frame, Outcome::Found(answer));
        }
    }

    fn fail(&mut self, floor: &Floor, why: &str) {
        self.answers.clear();
        for frame in self.frames.drain(..) {
            lock(&floor.statistics).on_failure();
            deliver(frame, Outcome::Failed(why.to_owned()));
        }
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        for frame in self.frames.drain(..) {
            deliver(frame, Outcome::Failed(DIED.to_owned()));
        }
    }
}

/// Lets go of the buffer, leaves the outcome, and calls the stream.
fn deliver(frame: Frame<Pending>, outcome: Outcome) {
    let Pending { mailbox, job } = frame.job;
    drop(job);
    if mailbox.put(frame.ticket, outcome) {
        mailbox.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_batch_serves_the_next() {
        let mut things: Vec<&'static str> = Vec::with_capacity(9);
        things.push("a frame");
        let place = things.as_ptr();
        let others: Vec<&str> = emptied(things);
        assert_eq!((others.len(), others.capacity()), (0, 9));
        assert_eq!(others.as_ptr(), place);
    }
}
