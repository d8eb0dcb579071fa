//! The heads of face detectors.

use super::*;

/// Boxes of UltraFace in 64 x 64: 64 cells of 3, 16 and 4 of 2, 1 of 3.
const ULTRAFACE: usize = 64 * 3 + 16 * 2 + 4 * 2 + 3;

#[test]
fn an_ultraface_box_is_corners_of_the_second_class() {
    let made = [
        Made::full("scores", &[ULTRAFACE, 2], 0.0).row(100, &[0.1, 0.9]),
        Made::new("boxes", &[ULTRAFACE, 4]).row(100, &[0.25, 0.5, 0.5, 0.75]),
    ];
    let head = recognise(None, &made, &Hints::default()).expect("known");
    assert_eq!(head.family(), Family::UltraFace);
    assert_eq!((head.classes(), head.has_background()), (Some(1), true));
    let found = read(&head, &made, 0.5).objects;
    assert_eq!(found.len(), 1);
    assert_is(&found[0], 0, 0.9, [16.0, 32.0, 32.0, 48.0]);
}

#[test]
fn the_real_ultraface_has_4420_places() {
    let made = [
        Made::new("scores", &[4420, 2]),
        Made::new("boxes", &[4420, 4]),
    ];
    let size = Size::new(320, 240);
    let head = Head::recognise(None, &outputs(&made), size, &Hints::default());
    assert_eq!(head.map(|head| head.family()), Some(Family::UltraFace));
}

fn yunet(stride: usize) -> [Made; 4] {
    let cells = (64 / stride) * (64 / stride);
    [1, 1, 4, 10].map(|columns| Made::new("", &[cells, columns]))
}

#[test]
fn a_yunet_box_is_relative_to_its_cell_and_its_score_a_mean() {
    // Column 3, row 1 of the grid with stride 16: the middle is at (3 + 0.25) x 16 = 52 and (1 + 0.5) x 16 = 24, the
    // size 16 x 2 by 16 x 0.5; the score is the geometric mean of 0.9 and 0.4.
    let mut made = [yunet(8), yunet(16), yunet(32)].concat();
    made[4].data[7] = 0.9;
    made[5].data[7] = 0.4;
    made[6] = made[6]
        .clone()
        .row(7, &[0.25, 0.5, 2.0_f32.ln(), 0.5_f32.ln()]);
    let (family, found) = find(&made, 0.5);
    assert_eq!((family, found.len()), (Family::YuNet, 1));
    assert_is(&found[0], 0, 0.6, [36.0, 20.0, 68.0, 28.0]);
    assert!(find(&made, 0.61).1.is_empty());
}

#[test]
fn the_outputs_of_yunet_come_in_any_order() {
    // As OpenCV's file has them: all classes, then all of objectness, of boxes, of landmarks.
    let levels = [yunet(8), yunet(16), yunet(32)];
    let mut made: Vec<Made> = (0..4)
        .flat_map(|kind| levels.iter().map(move |level| level[kind].clone()))
        .collect();
    // The first cell of stride 32: class, objectness and box.
    made[2].data[0] = 1.0;
    made[5].data[0] = 0.64;
    made[8] = made[8].clone().row(0, &[0.5, 0.5, 0.0, 0.0]);
    let (family, found) = find(&made, 0.5);
    assert_eq!((family, found.len()), (Family::YuNet, 1));
    assert_is(&found[0], 0, 0.8, [0.0, 0.0, 32.0, 32.0]);
}
