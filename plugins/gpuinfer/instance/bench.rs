//! A worker's place: its network, and the memory for the frames on it.

use std::time::Duration;

use gst_video::VideoFrameRef;
use livetune_core::infer::{Found, Frame, Size, Stages, Thresholds};
use yuv::{YuvRange, YuvStandardMatrix};

use super::answer::Answer;
use super::floor::{Floor, Pending};
use super::network::Network;
use super::worker::Tray;
use crate::gpuinfer::cuda;
use crate::gpuinfer::detector::Work;
use crate::gpuinfer::picture::{Colours, Picture, Pixels, Plane};
use crate::gpuinfer::reuse::emptied;
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// Runs of each size before the first frame: the first is not like the others.
const WARM_UP: usize = 2;

/// A network and what it works with.
pub(super) struct Bench {
    network: Box<dyn Network>,
    pub(super) failures: u32,
    maps: Vec<Option<Mapped<'static>>>,
    pictures: Vec<Option<Picture<'static>>>,
    works: Vec<Work<'static>>,
}

/// A frame that can be read.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be memory for each frame"
)]
enum Mapped<'a> {
    Main(VideoFrameRef<&'a gst::BufferRef>),
    /// By a GPU.
    Device(cuda::Mapped<'a>),
}

impl Bench {
    pub(super) const fn new(network: Box<dyn Network>) -> Self {
        Self {
            network,
            failures: 0,
            maps: Vec::new(),
            pictures: Vec::new(),
            works: Vec::new(),
        }
    }

    /// Runs the network on grey pictures; how long each of `sizes` took.
    pub(super) fn warm_up(&mut self, sizes: &[usize]) -> Result<Vec<(usize, Duration)>, String> {
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
        // What it takes on a GPU is made now and not when the first frame comes; why not is told then.
        let _ = self.network.takes_cuda();
        Ok(measured)
    }

    /// Looks at all frames on the tray and writes down what is found, or for each of them why that cannot be.
    pub(super) fn run(&mut self, floor: &Floor, tray: &mut Tray) -> Result<Stages, String> {
        tray.lay_out(floor);
        let takes_cuda = self.takes_cuda(floor, &tray.frames);
        let mut maps = emptied(std::mem::take(&mut self.maps));
        let mut pictures = emptied(std::mem::take(&mut self.pictures));
        let mut works = emptied(std::mem::take(&mut self.works));
        maps.extend(
            tray.frames
                .iter()
                .map(|frame| map(floor, frame, takes_cuda)),
        );
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

    /// Whether frames on a GPU stay there. Where some of `frames` are on one and cannot, that is said.
    fn takes_cuda(&mut self, floor: &Floor, frames: &[Frame<Pending>]) -> bool {
        let is_cuda = |frame: &Frame<Pending>| cuda::is_cuda(&frame.job.job.buffer);
        if !frames.iter().any(is_cuda) {
            return false;
        }
        let taken = self.network.takes_cuda();
        if let Err(why) = &taken {
            tell_of_download(floor, why);
        }
        taken.is_ok()
    }
}

fn tell_of_download(floor: &Floor, why: &str) {
    floor.news.tell(format!(
        "Frames lie in CUDA memory and each is downloaded, which is slow ({why}): run the network on that GPU with \
         device=cuda or tensorrt, or put cudaconvertscale and cudadownload before gpuinfer"
    ));
}

/// Thresholds that nothing passes.
fn none() -> Thresholds {
    Thresholds {
        confidence: 1.0,
        iou: 1.0,
        ..Thresholds::default()
    }
}

fn map<'a>(floor: &Floor, frame: &'a Frame<Pending>, takes_cuda: bool) -> Option<Mapped<'a>> {
    let job = &frame.job.job;
    let is_cuda = cuda::is_cuda(&job.buffer);
    if takes_cuda && is_cuda {
        match cuda::Mapped::of(&job.buffer, &job.info) {
            Ok(mapped) => {
                lock(&floor.statistics).on_device_frame();
                return Some(Mapped::Device(mapped));
            }
            Err(why) => tell_of_download(floor, &why),
        }
    }
    if is_cuda {
        lock(&floor.statistics).on_download();
    }
    let mapped = VideoFrameRef::from_buffer_ref_readable(&job.buffer, &job.info);
    mapped.ok().map(Mapped::Main)
}

fn picture<'a>((map, frame): (&'a Option<Mapped<'a>>, &Frame<Pending>)) -> Option<Picture<'a>> {
    let info = &frame.job.job.info;
    match map.as_ref()? {
        Mapped::Main(frame) => Picture::of(frame, Size::new(info.width(), info.height())),
        Mapped::Device(frame) => Some(Picture::on_device(frame, info)),
    }
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
