//! The heads on tensors made by hand.

use super::*;

const INPUT: Size = Size::new(64, 64);
/// 8 x 8 + 4 x 4 + 2 x 2 cells.
const ANCHORS: usize = 84;

fn head(shape: &[usize]) -> Head {
    Head::from_output_shape(shape, INPUT).expect("known shape")
}

fn read(head: &Head, output: &[f32], confidence: f32) -> Vec<Detection> {
    let mut found = Vec::new();
    head.read(output, confidence, &mut Scratch::default(), &mut found)
        .expect("right length");
    found
}

#[test]
fn the_shape_tells_the_family() {
    let real = Size::new(416, 416);
    let yolox = Head::from_output_shape(&[1, 3549, 85], real).expect("YOLOX-nano");
    assert_eq!((yolox.family(), yolox.classes()), (Family::YoloX, 80));
    let size = Size::new(640, 640);
    let yolov8 = Head::from_output_shape(&[1, 84, 8400], size).expect("YOLOv8");
    assert_eq!((yolov8.family(), yolov8.classes()), (Family::YoloV8, 80));
    let size = Size::new(320, 320);
    let small = Head::from_output_shape(&[1, 7, 2000], size).expect("strides 8 and 16");
    assert_eq!((small.family(), small.classes()), (Family::YoloV8, 3));
}

#[test]
fn other_shapes_are_refused() {
    let real = Size::new(416, 416);
    for shape in [
        &[1, 3549, 5][..],
        &[1, 4, 3549],
        &[1, 4420, 2],
        &[1, 3 * 3549, 85],
        &[2, 3549, 85],
        &[1, 1000],
        &[],
    ] {
        assert!(Head::from_output_shape(shape, real).is_none(), "{shape:?}");
    }
}

#[test]
fn a_yolox_box_is_relative_to_its_cell() {
    let head = head(&[1, ANCHORS, 7]);
    let mut output = vec![0.0; ANCHORS * 7];
    // Second row, third column of the grid with stride 16.
    let at = (64 + 4 + 2) * 7;
    output[at..at + 7].copy_from_slice(&[0.5, 0.25, 0.0, 2.0_f32.ln(), 0.9, 0.1, 0.8]);
    let found = read(&head, &output, 0.5);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].class, 1);
    assert!((found[0].confidence - 0.72).abs() < 1e-6);
    let area = found[0].area;
    assert!((area.left - 32.0).abs() < 1e-4 && (area.right - 48.0).abs() < 1e-4);
    assert!((area.top - 4.0).abs() < 1e-4 && (area.bottom - 36.0).abs() < 1e-4);
}

#[test]
fn a_yolov8_box_is_in_pixels_and_column_wise() {
    let head = head(&[1, 7, ANCHORS]);
    let mut output = vec![0.0; ANCHORS * 7];
    for (row, number) in [32.0, 20.0, 10.0, 8.0, 0.2, 0.6, 0.7]
        .into_iter()
        .enumerate()
    {
        output[row * ANCHORS + 33] = number;
    }
    let found = read(&head, &output, 0.65);
    let area = Area::around(32.0, 20.0, 10.0, 8.0);
    let expected = Detection {
        area,
        class: 2,
        confidence: 0.7,
    };
    assert_eq!(found, [expected]);
    assert!(read(&head, &output, 0.75).is_empty());
}

#[test]
fn what_is_no_number_is_no_object() {
    for shape in [[1, ANCHORS, 7], [1, 7, ANCHORS]] {
        let head = head(&shape);
        for nonsense in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(read(&head, &vec![nonsense; ANCHORS * 7], 0.0).is_empty());
        }
    }
}

#[test]
fn a_confidence_is_a_number_and_at_most_one() {
    let yolox = |score| [0.0, 0.0, 2.0, 2.0, score, 1.0, 0.0];
    let yolov8 = |score| [32.0, 32.0, 10.0, 10.0, 0.0, score, 0.0];
    for (score, confidences) in [(7.5, vec![1.0]), (f32::INFINITY, vec![])] {
        let mut rows = vec![0.0; ANCHORS * 7];
        rows[..7].copy_from_slice(&yolox(score));
        let mut columns = vec![0.0; ANCHORS * 7];
        for (row, number) in yolov8(score).into_iter().enumerate() {
            columns[row * ANCHORS] = number;
        }
        for (shape, output) in [([1, ANCHORS, 7], rows), ([1, 7, ANCHORS], columns)] {
            let found = read(&head(&shape), &output, 0.5);
            let seen: Vec<f32> = found.iter().map(|object| object.confidence).collect();
            assert_eq!(seen, confidences, "{score} by {shape:?}");
        }
    }
}

#[test]
fn an_input_without_a_single_cell_has_no_head() {
    for shape in [[1, 0, 85], [1, 84, 0]] {
        assert!(Head::from_output_shape(&shape, Size::new(7, 7)).is_none());
    }
}

#[test]
fn an_output_of_another_length_is_an_error() {
    let head = head(&[1, ANCHORS, 7]);
    let wrong = head.read(&[0.0; 5], 0.5, &mut Scratch::default(), &mut Vec::new());
    let expected = ANCHORS * 7;
    assert_eq!(
        wrong,
        Err(WrongLength {
            expected,
            actual: 5
        })
    );
}
