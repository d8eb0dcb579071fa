//! What a frame takes from the heap around the network: nothing, once the first ones are through.

#[path = "../../../tests/it/support/allocations.rs"]
mod allocations;

use livetune_core::infer::Size;
use yuv::{YuvRange, YuvStandardMatrix};

use super::*;
use crate::gpuinfer::picture::{Colours, Pixels, Plane};
use allocations::Tally;

const ROUNDS: usize = 20;
const WARM: usize = 3;

/// A YOLOX that always sees the same, in however many pictures.
struct Still {
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    numbers: Vec<f32>,
    shape: [usize; 3],
}

const OUTPUT: [usize; 3] = [1, 3549, 85];
/// Pictures of a batch.
const MOST: usize = 4;

fn still() -> Still {
    let info = |name: &str, shape: &[usize]| TensorInfo {
        name: name.to_owned(),
        shape: [None]
            .into_iter()
            .chain(shape.iter().map(|size| Some(*size)))
            .collect(),
        is_float: true,
    };
    let mut numbers = vec![0.0; MOST * OUTPUT.iter().product::<usize>()];
    for row in numbers.chunks_exact_mut(85).step_by(40) {
        row[..7].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.9, 0.2, 0.8]);
    }
    Still {
        inputs: vec![info("images", &[3, 416, 416])],
        outputs: vec![info("output", &OUTPUT[1..])],
        numbers,
        shape: OUTPUT,
    }
}

impl Engine for Still {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError> {
        self.shape[0] = tensor.shape[0];
        Ok(())
    }

    fn output(&self, _: usize) -> Option<TensorRef<'_>> {
        let (shape, length) = (&self.shape[..], self.shape.iter().product());
        let data = &self.numbers[..length];
        Some(TensorRef { shape, data })
    }
}

/// One that fits as it is, and one that has to be scaled.
const FRAMES: [Size; 2] = [Size::new(416, 234), Size::new(1920, 1080)];

/// Planes of a frame of this `size`: packed colours, chroma, luma.
fn planes(data: &[u8], size: Size) -> [Plane<'_>; 3] {
    let plane = |size: Size, stride| Plane { data, stride, size };
    let half = Size::new(size.width / 2, size.height / 2);
    let width = size.width as usize;
    [
        plane(size, width * 4),
        plane(half, width),
        plane(size, width),
    ]
}

/// What looking at frames of these `pixels` takes, all of them or a region, so many `pictures` at once.
fn allocations(size: Size, pixels: Pixels<'_>, region: Option<Region>, pictures: usize) -> u64 {
    let mut detector = Detector::new(Box::new(still()), &ModelOptions::default()).expect("YOLOX");
    let picture = Picture {
        size,
        pixels,
        colours: Colours {
            range: YuvRange::Limited,
            matrix: YuvStandardMatrix::Bt709,
        },
    };
    let thresholds = Thresholds::default();
    let mut all = vec![Found::default(); pictures];
    let tally = Tally::new();
    for number in 0..ROUNDS {
        // The crew, which other tests have too, works on several only.
        if number == WARM && pictures > 1 {
            crew::work(|| rayon::broadcast(|_| tally.join()));
        }
        let works = all.iter_mut().map(|found| Work {
            picture: &picture,
            region,
            thresholds: &thresholds,
            found,
        });
        let mut works: Vec<Work<'_>> = works.collect();
        if number >= WARM {
            tally.join();
        }
        detector.detect(&mut works).expect("works");
        Tally::leave();
    }
    if pictures > 1 {
        crew::work(|| rayon::broadcast(|_| Tally::leave()));
    }
    let [found, ..] = &all[..] else {
        return 0;
    };
    assert_eq!(found.failure, None);
    assert!(found.objects.len() > 30, "{}", found.objects.len());
    tally.allocations()
}

#[test]
fn a_frame_takes_nothing_from_the_heap() {
    gst::init().expect("GStreamer starts");
    let data = vec![90; 1920 * 1080 * 4];
    let part = Region {
        left: 33,
        top: 21,
        width: 301,
        height: 133,
    };
    for size in FRAMES {
        let [packed, chroma, luma] = planes(&data, size);
        let all = [
            Pixels::SemiPlanar { luma, chroma },
            Pixels::Planar {
                luma,
                blue: chroma,
                red: chroma,
            },
            Pixels::Yuyv(Plane {
                stride: size.width as usize * 2,
                ..luma
            }),
            Pixels::Gray(luma),
            Pixels::Packed {
                plane: packed,
                bytes: 4,
                offsets: [2, 1, 0],
            },
        ];
        for (number, pixels) in all.into_iter().enumerate() {
            for region in [None, Some(part)] {
                let taken = allocations(size, pixels, region, 1);
                assert_eq!(taken, 0, "{size:?}, case {number}, {region:?}");
            }
        }
    }
}

/// Of several at once the crew's queue takes a block of memory for every sixty tasks.
#[test]
fn a_batch_takes_next_to_nothing_from_the_heap() {
    gst::init().expect("GStreamer starts");
    let data = vec![90; 1920 * 1080 * 4];
    let part = Region {
        left: 33,
        top: 21,
        width: 301,
        height: 133,
    };
    for size in FRAMES {
        let [_, chroma, luma] = planes(&data, size);
        for region in [None, Some(part)] {
            let pixels = Pixels::SemiPlanar { luma, chroma };
            let taken = allocations(size, pixels, region, MOST);
            assert!(
                taken <= 2,
                "{size:?}, {region:?}: {taken} in {ROUNDS} batches"
            );
        }
    }
}
