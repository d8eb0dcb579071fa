//! The detector with an engine that answers, or panics, as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use livetune_core::infer::Size;
use yuv::{YuvRange, YuvStandardMatrix};

use super::*;
use crate::gpuinfer::picture::{Colours, Pixels, Plane};

const SIDE: usize = 64;
/// Cells of strides 8, 16 and 32 in 64 by 64.
const ANCHORS: usize = 84;

/// Answers what it is told to and panics when it is told to.
struct Fake {
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    shape: Vec<usize>,
    numbers: Vec<f32>,
    panics: Arc<AtomicBool>,
}

fn info(name: &str, shape: &[usize]) -> TensorInfo {
    TensorInfo {
        name: name.to_owned(),
        shape: shape.iter().map(|size| Some(*size)).collect(),
        is_float: true,
    }
}

fn fake(input: &[usize], output: &[usize]) -> Fake {
    Fake {
        inputs: vec![info("images", input)],
        outputs: vec![info("output0", output)],
        shape: output.to_vec(),
        numbers: vec![0.0; output.iter().product()],
        panics: Arc::default(),
    }
}

impl Engine for Fake {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, _: TensorRef<'_>) -> Result<(), EngineError> {
        assert!(!self.panics.load(Ordering::Relaxed), "on purpose");
        Ok(())
    }

    fn output(&self, index: usize) -> Option<TensorRef<'_>> {
        let (shape, data) = (&self.shape[..], &self.numbers[..]);
        (index == 0).then_some(TensorRef { shape, data })
    }
}

fn refusal(engine: Fake) -> String {
    gst::init().expect("GStreamer starts");
    Detector::new(Box::new(engine)).err().expect("refused")
}

fn gray(data: &[u8], size: Size) -> Picture<'_> {
    let stride = size.width as usize;
    Picture {
        size,
        pixels: Pixels::Gray(Plane { data, stride, size }),
        colours: Colours {
            range: YuvRange::Full,
            matrix: YuvStandardMatrix::Bt601,
        },
    }
}

#[test]
fn a_panic_in_the_engine_is_an_error_and_the_next_frame_works() {
    gst::init().expect("GStreamer starts");
    let mut engine = fake(&[1, 3, SIDE, SIDE], &[1, 6, ANCHORS]);
    for (row, number) in [32.0, 32.0, 20.0, 20.0, 0.9].into_iter().enumerate() {
        engine.numbers[row * ANCHORS] = number;
    }
    let panics = engine.panics.clone();
    let mut detector = Detector::new(Box::new(engine)).expect("understood");
    let size = Size::new(128, 128);
    let pixels = vec![9; 128 * 128];
    let thresholds = Thresholds {
        confidence: 0.5,
        iou: 0.5,
    };
    panics.store(true, Ordering::Relaxed);
    let failure = detector.detect(&gray(&pixels, size), thresholds).err();
    assert_eq!(failure.as_deref(), Some("the engine panicked"));
    panics.store(false, Ordering::Relaxed);
    let (found, _) = detector
        .detect(&gray(&pixels, size), thresholds)
        .expect("works");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].area.to_pixels(size), (44, 44, 40, 40));
}

#[test]
fn an_output_that_changes_its_length_is_an_error() {
    gst::init().expect("GStreamer starts");
    let mut engine = fake(&[1, 3, SIDE, SIDE], &[1, 6, ANCHORS]);
    engine.numbers.pop();
    let mut detector = Detector::new(Box::new(engine)).expect("understood");
    let pixels = vec![9; SIDE * SIDE];
    let picture = gray(&pixels, Size::new(SIDE as u32, SIDE as u32));
    let thresholds = Thresholds {
        confidence: 0.5,
        iou: 0.5,
    };
    let failure = detector.detect(&picture, thresholds).err();
    assert_eq!(
        failure.as_deref(),
        Some("the output has 503 numbers instead of 504")
    );
}

#[test]
fn a_refusal_names_the_shapes_and_what_is_supported() {
    let text = refusal(fake(&[1, 3, SIDE, SIDE], &[1, 1000]));
    for part in ["images [1,3,64,64]", "output0 [1,1000]", "YOLOX", "YOLOv8"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn inputs_that_are_no_picture_are_refused() {
    let output = [1, 6, ANCHORS];
    let text = refusal(fake(&[1, 3 * SIDE * SIDE], &output));
    assert!(text.contains("four dimensions"), "{text}");
    let text = refusal(fake(&[1, SIDE, SIDE, 3], &output));
    assert!(text.contains("[1,3,height,width]"), "{text}");
    let text = refusal(fake(&[8, 3, SIDE, SIDE], &output));
    assert!(text.contains("[1,3,height,width]"), "{text}");
    let text = refusal(fake(&[1, 3, 1_000_000, SIDE], &output));
    assert!(text.contains("1 to 4096"), "{text}");
    let mut whole_numbers = fake(&[1, 3, SIDE, SIDE], &output);
    whole_numbers.inputs[0].is_float = false;
    assert!(refusal(whole_numbers).contains("of float"));
}

#[test]
fn a_second_input_is_refused_with_its_name() {
    let mut engine = fake(&[1, 3, SIDE, SIDE], &[1, 6, ANCHORS]);
    engine.inputs.push(info("scale", &[1, 2]));
    let text = refusal(engine);
    assert!(text.contains("exactly one input"), "{text}");
    assert!(text.contains("scale [1,2]"), "{text}");
}

#[test]
fn an_input_of_free_size_gets_the_usual_one() {
    gst::init().expect("GStreamer starts");
    let mut engine = fake(&[1, 3, 1, 1], &[1, 5, 8400]);
    engine.inputs[0].shape = vec![None, Some(3), None, None];
    let detector = Detector::new(Box::new(engine)).expect("understood");
    assert_eq!(detector.classes(), 1);
}
