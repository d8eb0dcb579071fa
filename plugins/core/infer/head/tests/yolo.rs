//! The YOLO heads.

use super::*;

#[test]
fn a_yolox_box_is_relative_to_its_cell() {
    // Second row, third column of the grid with stride 16, which comes behind 64 cells. Its middle is at
    // (2 + 0.5) x 16 = 40 and (1 + 0.25) x 16 = 20; it is e^0 x 16 = 16 wide and 2 x 16 = 32 high.
    let at = 64 + 4 + 2;
    let row = [0.5, 0.25, 0.0, 2.0_f32.ln(), 0.9, 0.1, 0.8];
    let made = Made::new("output", &[CELLS, 7]).row(at, &row);
    let (family, found) = find(&[made], 0.5);
    assert_eq!((family, found.len()), (Family::YoloX, 1));
    assert_is(&found[0], 1, 0.72, [32.0, 4.0, 48.0, 36.0]);
}

#[test]
fn a_yolov5_box_is_in_pixels_and_its_confidence_a_product() {
    let row = [30.0, 20.0, 10.0, 8.0, 0.8, 0.3, 0.9];
    let made = Made::new("output0", &[3 * CELLS, 7]).row(200, &row);
    let (family, found) = find(&[made], 0.5);
    assert_eq!((family, found.len()), (Family::YoloV5, 1));
    assert_is(&found[0], 1, 0.72, [25.0, 16.0, 35.0, 24.0]);
}

#[test]
fn the_first_of_the_outputs_of_an_old_yolov5_is_the_decoded_one() {
    let row = [30.0, 20.0, 10.0, 8.0, 0.8, 0.3, 0.9];
    let made = [
        Made::new("output0", &[3 * CELLS, 7]).row(0, &row),
        Made::new("339", &[3, 8, 8, 7]),
        Made::new("391", &[3, 4, 4, 7]),
    ];
    let (family, found) = find(&made, 0.5);
    assert_eq!((family, found.len()), (Family::YoloV5, 1));
}

#[test]
fn a_yolov8_box_is_a_column() {
    let made =
        Made::new("output0", &[7, CELLS]).column(33, &[32.0, 20.0, 10.0, 8.0, 0.2, 0.6, 0.7]);
    let (family, found) = find(std::slice::from_ref(&made), 0.65);
    assert_eq!((family, found.len()), (Family::YoloV8, 1));
    assert_is(&found[0], 2, 0.7, [27.0, 16.0, 37.0, 24.0]);
    assert!(find(&[made], 0.75).1.is_empty());
}

#[test]
fn a_yolov8_may_lie_on_its_side_where_somebody_says_so() {
    let row = [32.0, 20.0, 10.0, 8.0, 0.2, 0.6];
    let made = [Made::new("output0", &[CELLS, 6]).row(33, &row)];
    let head = recognise(Some(Family::YoloV8), &made, &Hints::default()).expect("YOLOv8");
    let found = read(&head, &made, 0.5).objects;
    assert_eq!((head.classes(), found.len()), (Some(2), 1));
    assert_is(&found[0], 1, 0.6, [27.0, 16.0, 37.0, 24.0]);
}

#[test]
fn coefficients_of_masks_are_no_classes() {
    let column = [32.0, 20.0, 10.0, 8.0, 0.6, 0.2, 9.0, 9.0, 9.0];
    let made = [
        Made::new("output0", &[9, CELLS]).column(7, &column),
        Made::new("output1", &[3, 16, 16]),
    ];
    let head = recognise(None, &made, &Hints::default()).expect("YOLOv8-seg");
    assert_eq!(head.classes(), Some(2));
    let found = read(&head, &made, 0.5).objects;
    assert_eq!(found.len(), 1);
    assert_is(&found[0], 0, 0.6, [27.0, 16.0, 37.0, 24.0]);
}

#[test]
fn landmarks_are_no_classes_where_somebody_counted_them() {
    let hints = Hints {
        classes: Some(1),
        ..Hints::default()
    };
    let column = [32.0, 20.0, 10.0, 8.0, 0.6, 50.0, 60.0, 0.9];
    let made = [Made::new("output0", &[8, CELLS]).column(7, &column)];
    let head = recognise(None, &made, &hints).expect("YOLOv8-pose");
    let found = read(&head, &made, 0.5).objects;
    assert_eq!((head.classes(), found.len()), (Some(1), 1));
    assert_is(&found[0], 0, 0.6, [27.0, 16.0, 37.0, 24.0]);
}

#[test]
fn an_end_to_end_row_is_an_object() {
    let made = Made::new("output0", &[300, 6])
        .row(0, &[10.0, 12.0, 30.0, 44.0, 0.9, 17.0])
        .row(1, &[1.0, 2.0, 3.0, 4.0, 0.6, 0.0]);
    let made = [made];
    let head = recognise(None, &made, &Hints::default()).expect("known");
    assert_eq!(head.family(), Family::YoloV8Nms);
    assert_eq!(head.classes(), None);
    assert!(!head.repeats_itself());
    let found = read(&head, &made, 0.5).objects;
    assert_eq!(found.len(), 2);
    assert_is(&found[0], 17, 0.9, [10.0, 12.0, 30.0, 44.0]);
    assert_is(&found[1], 0, 0.6, [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn the_number_of_end_to_end_rows_may_change() {
    let none = [Made::new("output0", &[0, 6])];
    let head = recognise(None, &none, &Hints::default()).expect("known");
    let two = [Made::full("output0", &[2, 6], 1.0).row(1, &[10.0, 12.0, 30.0, 44.0, 0.9, 3.0])];
    let found = read(&head, &two, 0.5).objects;
    assert_eq!(found.len(), 1, "one of them is empty");
}

#[test]
fn boxes_in_parts_of_the_input_become_pixels() {
    let hints = Hints {
        unit: Some(Unit::Inputs),
        ..Hints::default()
    };
    let column = [0.5, 0.25, 0.125, 0.25, 0.6];
    let made = [Made::new("output0", &[5, CELLS]).column(3, &column)];
    let head = recognise(None, &made, &hints).expect("YOLOv8");
    let found = read(&head, &made, 0.5).objects;
    assert_is(&found[0], 0, 0.6, [28.0, 8.0, 36.0, 24.0]);
}
