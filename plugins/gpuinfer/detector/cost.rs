//! What a frame takes from the heap around the network: nothing, once the first ones are through, but for what
//! fast_image_resize takes to scale it.

#[path = "../../../tests/it/support/allocations.rs"]
mod allocations;

use livetune_core::infer::Size;
use yuv::{YuvRange, YuvStandardMatrix};

use super::*;
use crate::gpuinfer::picture::{Colours, Pixels, Plane};
use allocations::Tally;

const FRAMES: usize = 20;
const WARM: usize = 3;

/// A YOLOX that always sees the same.
struct Still {
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    numbers: Vec<f32>,
}

const OUTPUT: [usize; 3] = [1, 3549, 85];

fn still() -> Still {
    let info = |name: &str, shape: &[usize]| TensorInfo {
        name: name.to_owned(),
        shape: shape.iter().map(|size| Some(*size)).collect(),
        is_float: true,
    };
    let mut numbers = vec![0.0; OUTPUT.iter().product()];
    for row in numbers.chunks_exact_mut(85).step_by(40) {
        row[..7].copy_from_slice(&[0.5, 0.5, 0.0, 0.0, 0.9, 0.2, 0.8]);
    }
    Still {
        inputs: vec![info("images", &[1, 3, 416, 416])],
        outputs: vec![info("output", &OUTPUT)],
        numbers,
    }
}

impl Engine for Still {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, _: TensorRef<'_>) -> Result<(), EngineError> {
        Ok(())
    }

    fn output(&self, _: usize) -> Option<TensorRef<'_>> {
        let (shape, data) = (&OUTPUT[..], &self.numbers[..]);
        Some(TensorRef { shape, data })
    }
}

const FRAME: Size = Size::new(416, 234);

/// Planes of such a frame: packed colours, chroma, luma.
fn planes(data: &[u8]) -> [Plane<'_>; 3] {
    let plane = |size: Size, stride| Plane { data, stride, size };
    let half = Size::new(208, 117);
    [plane(FRAME, 416 * 4), plane(half, 416), plane(FRAME, 416)]
}

/// What looking at frames of these `pixels` takes, at a size that needs no scaling.
fn allocations(pixels: Pixels<'_>) -> u64 {
    let mut detector = Detector::new(Box::new(still()), &ModelOptions::default()).expect("YOLOX");
    let picture = Picture {
        size: FRAME,
        pixels,
        colours: Colours {
            range: YuvRange::Limited,
            matrix: YuvStandardMatrix::Bt709,
        },
    };
    let (thresholds, mut found) = (Thresholds::default(), Found::default());
    let tally = Tally::new();
    for number in 0..FRAMES {
        if number == WARM {
            tally.join();
        }
        let work = Work {
            picture: &picture,
            region: None,
            thresholds: &thresholds,
            found: &mut found,
        };
        detector.detect(&mut [work]).expect("works");
    }
    Tally::leave();
    assert_eq!(found.failure, None);
    assert!(found.objects.len() > 50, "{}", found.objects.len());
    tally.allocations()
}

#[test]
fn a_frame_takes_nothing_from_the_heap() {
    gst::init().expect("GStreamer starts");
    let data = vec![90; 416 * 234 * 4];
    let [packed, chroma, luma] = planes(&data);
    let all = [
        Pixels::SemiPlanar { luma, chroma },
        Pixels::Planar {
            luma,
            blue: chroma,
            red: chroma,
        },
        Pixels::Yuyv(Plane {
            stride: 416 * 2,
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
        assert_eq!(allocations(pixels), 0, "case {number}");
    }
}
