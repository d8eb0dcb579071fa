//! The detector with an engine that answers, or panics, as it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use yuv::{YuvRange, YuvStandardMatrix};

use super::*;
use crate::gpuinfer::picture::{Colours, Pixels, Plane};
use crate::runtime::lock::lock;
use livetune_core::infer::Size;

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
    /// The first class of the first anchor is as sure as the middle of the picture is bright.
    shines: bool,
    /// Shape of the last input.
    ran: Arc<Mutex<Vec<usize>>>,
    /// The most pictures it can really take.
    most: usize,
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
        shines: false,
        ran: Arc::default(),
        most: usize::MAX,
    }
}

impl Engine for Fake {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError> {
        assert!(!self.panics.load(Ordering::Relaxed), "on purpose");
        *lock(&self.ran) = tensor.shape.to_vec();
        let pictures = tensor.shape[0];
        if pictures > self.most {
            return Err(EngineError::new("too many"));
        }
        // As many answers as pictures, each as sure as its picture is bright.
        let one = self.numbers.len() / self.shape[0];
        self.numbers.truncate(one);
        self.shape[0] = pictures;
        let brightness = tensor.data.chunks_exact(tensor.data.len() / pictures);
        let first = self.numbers.clone();
        self.numbers.clear();
        for picture in brightness {
            self.numbers.extend_from_slice(&first);
            if self.shines {
                let at = self.numbers.len() - one + 4 * ANCHORS;
                self.numbers[at] = picture[picture.len() / 2];
            }
        }
        Ok(())
    }

    fn output(&self, index: usize) -> Option<TensorRef<'_>> {
        let (shape, data) = (&self.shape[..], &self.numbers[..]);
        (index == 0).then_some(TensorRef { shape, data })
    }
}

fn refusal(engine: Fake) -> String {
    gst::init().expect("GStreamer starts");
    Detector::new(Box::new(engine), &ModelOptions::default())
        .err()
        .expect("refused")
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

/// What `detector` finds in each of `pictures`.
fn detect(detector: &mut Detector, pictures: &[Picture<'_>]) -> Result<Vec<Found>, String> {
    let thresholds = Thresholds::default();
    let mut found = vec![Found::default(); pictures.len()];
    let works = pictures
        .iter()
        .zip(&mut found)
        .map(|(picture, found)| Work {
            picture,
            region: None,
            thresholds: &thresholds,
            found,
        });
    let mut works: Vec<_> = works.collect();
    detector.detect(&mut works)?;
    drop(works);
    Ok(found)
}

#[test]
fn a_panic_in_the_engine_is_an_error_and_the_next_frame_works() {
    gst::init().expect("GStreamer starts");
    let mut engine = fake(&[1, 3, SIDE, SIDE], &[1, 6, ANCHORS]);
    for (row, number) in [32.0, 32.0, 20.0, 20.0, 0.9].into_iter().enumerate() {
        engine.numbers[row * ANCHORS] = number;
    }
    let panics = engine.panics.clone();
    let mut detector =
        Detector::new(Box::new(engine), &ModelOptions::default()).expect("understood");
    let size = Size::new(128, 128);
    let pixels = vec![9; 128 * 128];
    panics.store(true, Ordering::Relaxed);
    let failure = detect(&mut detector, &[gray(&pixels, size)]).err();
    assert_eq!(failure.as_deref(), Some("the engine panicked"));
    panics.store(false, Ordering::Relaxed);
    let found = detect(&mut detector, &[gray(&pixels, size)]).expect("works");
    assert_eq!(found[0].objects.len(), 1);
    assert_eq!(found[0].objects[0].area.to_pixels(size), (44, 44, 40, 40));
}

#[test]
fn an_output_that_changes_its_length_is_an_error() {
    gst::init().expect("GStreamer starts");
    let mut engine = fake(&[1, 3, SIDE, SIDE], &[1, 6, ANCHORS]);
    engine.numbers.pop();
    let mut detector =
        Detector::new(Box::new(engine), &ModelOptions::default()).expect("understood");
    let pixels = vec![9; SIDE * SIDE];
    let picture = gray(&pixels, Size::new(SIDE as u32, SIDE as u32));
    let failure = detect(&mut detector, &[picture]).err();
    assert_eq!(
        failure.as_deref(),
        Some("the output has 503 numbers instead of 504")
    );
}

#[test]
fn a_refusal_names_the_shapes_and_what_is_supported() {
    let text = refusal(fake(&[1, 3, SIDE, SIDE], &[1, 5, 7, 9]));
    for part in ["images [1,3,64,64]", "output0 [1,5,7,9]", "YOLOX", "YOLOv8"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn inputs_that_are_no_picture_are_refused() {
    let output = [1, 6, ANCHORS];
    let text = refusal(fake(&[1, 3 * SIDE * SIDE], &output));
    assert!(text.contains("four dimensions"), "{text}");
    let text = refusal(fake(&[1, SIDE, SIDE, 4], &output));
    assert!(text.contains("[batch,3,height,width]"), "{text}");
    let text = refusal(fake(&[1000, 3, SIDE, SIDE], &output));
    assert!(text.contains("1 to 64 pictures"), "{text}");
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
    let detector = Detector::new(Box::new(engine), &ModelOptions::default()).expect("understood");
    assert_eq!(detector.terms().labels.name(0), "class 0");
    assert_eq!(detector.terms().labels.name(1), "");
}

/// A free batch; one object in the middle, whose confidence is the picture's brightness.
fn shining() -> Fake {
    let mut engine = fake(&[1, 3, SIDE, SIDE], &[1, 6, ANCHORS]);
    for (row, number) in [32.0, 32.0, 20.0, 20.0].into_iter().enumerate() {
        engine.numbers[row * ANCHORS] = number;
    }
    engine.shines = true;
    engine.inputs[0].shape[0] = None;
    engine
}

/// Confidence of what `detector` finds in grey pictures of this brightness.
fn confidences(detector: &mut Detector, brightness: &[u8]) -> Vec<Vec<f32>> {
    let size = Size::new(40, 40);
    let pixels = brightness.iter().map(|value| vec![*value; 1600]);
    let pixels: Vec<_> = pixels.collect();
    let pictures: Vec<_> = pixels.iter().map(|pixels| gray(pixels, size)).collect();
    let found = detect(detector, &pictures).expect("works");
    let mut answers = found.iter().map(|found| found.objects.iter());
    let mut confidences = Vec::new();
    for objects in &mut answers {
        confidences.push(
            objects
                .map(|object| (object.confidence * 1000.0).round() / 1000.0)
                .collect(),
        );
    }
    confidences
}

#[test]
fn each_picture_of_a_batch_gets_its_own_objects() {
    gst::init().expect("GStreamer starts");
    let engine = shining();
    let ran = engine.ran.clone();
    let mut detector =
        Detector::new(Box::new(engine), &ModelOptions::default()).expect("understood");
    assert_eq!(detector.max_batch(), 64);
    for _ in 0..2 {
        let seen = confidences(&mut detector, &[255, 0, 204, 153]);
        assert_eq!(seen, [vec![1.0], vec![], vec![0.8], vec![0.6]]);
        assert_eq!(*lock(&ran), [4, 3, SIDE, SIDE]);
        assert_eq!(confidences(&mut detector, &[153]), [vec![0.6]]);
        assert_eq!(*lock(&ran), [1, 3, SIDE, SIDE]);
    }
}

#[test]
fn a_batch_is_made_as_large_as_the_next_the_engine_was_built_for() {
    gst::init().expect("GStreamer starts");
    let engine = shining();
    let ran = engine.ran.clone();
    let options = ModelOptions {
        batch_sizes: vec![1, 4, 8],
        ..ModelOptions::default()
    };
    let mut detector = Detector::new(Box::new(engine), &options).expect("understood");
    assert_eq!(detector.max_batch(), 8);
    assert_eq!(confidences(&mut detector, &[255, 204]), [[1.0], [0.8]]);
    assert_eq!(*lock(&ran), [4, 3, SIDE, SIDE]);
}

#[test]
fn a_model_for_four_pictures_gets_four() {
    gst::init().expect("GStreamer starts");
    let mut engine = shining();
    engine.inputs[0].shape[0] = Some(4);
    let ran = engine.ran.clone();
    let mut detector =
        Detector::new(Box::new(engine), &ModelOptions::default()).expect("understood");
    assert_eq!(detector.max_batch(), 4);
    assert_eq!(confidences(&mut detector, &[255, 204]), [[1.0], [0.8]]);
    assert_eq!(*lock(&ran), [4, 3, SIDE, SIDE]);
}

#[test]
fn a_model_that_only_says_it_takes_batches_is_found_out() {
    gst::init().expect("GStreamer starts");
    let mut engine = shining();
    engine.most = 1;
    let mut detector =
        Detector::new(Box::new(engine), &ModelOptions::default()).expect("understood");
    assert_eq!(detector.max_batch(), 1);
    assert_eq!(detector.warnings().len(), 1);
    let warning = &detector.warnings()[0];
    assert!(warning.contains("too many"), "{warning}");
    assert_eq!(confidences(&mut detector, &[255]), [[1.0]]);
}

#[test]
fn a_picture_that_cannot_be_prepared_spoils_no_other() {
    gst::init().expect("GStreamer starts");
    let mut detector =
        Detector::new(Box::new(shining()), &ModelOptions::default()).expect("understood");
    let size = Size::new(40, 40);
    let (bright, short) = (vec![255; 1600], vec![255; 16]);
    let pictures = [gray(&short, size), gray(&bright, size)];
    let found = detect(&mut detector, &pictures).expect("works");
    assert!(found[0].failure.is_some() && found[0].objects.is_empty());
    assert!(found[1].failure.is_none() && found[1].objects.len() == 1);
}

#[test]
fn objects_of_a_region_are_where_they_are_in_the_frame() {
    gst::init().expect("GStreamer starts");
    let mut detector =
        Detector::new(Box::new(shining()), &ModelOptions::default()).expect("understood");
    let size = Size::new(200, 100);
    let mut pixels = vec![0; 20_000];
    for row in pixels.chunks_exact_mut(200).skip(40) {
        row[120..180].fill(255);
    }
    let picture = gray(&pixels, size);
    let thresholds = Thresholds::default();
    let mut found = Found::default();
    let region = Region {
        left: 120,
        top: 40,
        width: 60,
        height: 60,
    };
    let work = Work {
        picture: &picture,
        region: Some(region),
        thresholds: &thresholds,
        found: &mut found,
    };
    detector.detect(&mut [work]).expect("works");
    assert_eq!(found.objects.len(), 1, "the bright part was seen");
    assert!(found.objects[0].confidence > 0.9, "{found:?}");
    let rect = found.objects[0].area.to_pixels(size);
    assert_eq!(rect, (141, 61, 18, 18), "20 of 64 pixels around the middle");
}
