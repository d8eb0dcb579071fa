//! SSD, NanoDet, DETR, classifiers, raw outputs.

use super::*;

#[test]
fn an_ssd_has_corners_and_a_class_for_nothing() {
    let made = [
        Made::new("scores", &[3000, 4]).row(5, &[0.1, 0.2, 0.6, 0.1]),
        Made::new("boxes", &[3000, 4]).row(5, &[0.25, 0.5, 0.5, 0.75]),
    ];
    let head = recognise(None, &made, &Hints::default()).expect("known");
    assert_eq!(head.family(), Family::Ssd);
    assert_eq!((head.classes(), head.has_background()), (Some(3), true));
    let found = read(&head, &made, 0.5).objects;
    assert_eq!(found.len(), 1);
    assert_is(&found[0], 1, 0.6, [16.0, 32.0, 32.0, 48.0]);
}

#[test]
fn logits_of_an_ssd_go_through_softmax() {
    // e^3 / (e^3 + e^0 + e^1) = 20.0855 / (20.0855 + 1 + 2.7183) = 0.8438.
    let logits = [0.0, 3.0, 1.0];
    let made = [
        Made::full("boxes", &[3000, 4], 0.5).row(0, &[0.0, 0.0, 1.0, 1.0]),
        Made::full("scores", &[3000, 3], -9.0).row(0, &logits),
    ];
    let (family, found) = find(&made, 0.5);
    assert_eq!((family, found.len()), (Family::Ssd, 1));
    assert_is(&found[0], 0, 0.8438, [0.0, 0.0, 64.0, 64.0]);
}

fn tensorflow() -> [Made; 4] {
    [
        Made::new("detection_boxes", &[10, 4])
            .row(0, &[0.5, 0.25, 0.75, 0.5])
            .row(1, &[0.0, 0.0, 0.5, 0.5])
            .row(2, &[0.0, 0.0, 1.0, 1.0]),
        Made::new("detection_classes", &[10]).row(0, &[18.0, 1.0, 3.0]),
        Made::new("detection_scores", &[10]).row(0, &[0.9, 0.6, 0.8]),
        Made::full("num_detections", &[], 2.0),
    ]
}

#[test]
fn tensorflow_counts_classes_from_one_and_rows_first() {
    let made = tensorflow();
    let head = recognise(None, &made, &Hints::default()).expect("known");
    assert_eq!(head.family(), Family::Ssd);
    assert!(!head.repeats_itself());
    let found = read(&head, &made, 0.5).objects;
    assert_eq!(found.len(), 2, "the third is beyond their number");
    assert_is(&found[0], 17, 0.9, [16.0, 32.0, 32.0, 48.0]);
    assert_is(&found[1], 0, 0.6, [0.0, 0.0, 32.0, 32.0]);
}

#[test]
fn tensorflows_outputs_are_known_by_name_among_others() {
    let [boxes, classes, scores, count] = tensorflow();
    let made = [
        Made::new("detection_anchor_indices", &[10]),
        boxes,
        classes,
        Made::new("detection_multiclass_scores", &[10, 91]),
        scores,
        count,
        Made::new("raw_detection_boxes", &[1917, 4]),
        Made::new("raw_detection_scores", &[1917, 91]),
    ];
    let hints = Hints::default();
    let head = recognise(Some(Family::Ssd), &made, &hints).expect("known");
    let found = read(&head, &made, 0.5).objects;
    assert_is(&found[0], 17, 0.9, [16.0, 32.0, 32.0, 48.0]);
}

/// A distribution of all but certainty over the distance of `strides`.
fn bins(strides: usize) -> [f32; 8] {
    let mut bins = [-50.0; 8];
    bins[strides] = 50.0;
    bins
}

#[test]
fn a_nanodet_edge_is_the_mean_of_a_distribution() {
    // 85 cells: 8 x 8, 4 x 4, 2 x 2, 1. Cell 64 + 5 is column 1, row 1 of stride 16: its point is 16, 16.
    let mut uneven = [-50.0; 8];
    // Three quarters of it at 2, one at 3: 2.25 strides.
    uneven[2] = 3.0_f32.ln();
    uneven[3] = 0.0;
    let distances = [bins(0), bins(1), uneven, bins(1)].concat();
    let row = [&[0.1, 0.7][..], &distances].concat();
    let made = Made::new("output", &[85, 34]).row(69, &row);
    let (family, found) = find(&[made], 0.5);
    assert_eq!((family, found.len()), (Family::NanoDet, 1));
    assert_is(&found[0], 1, 0.7, [16.0, 0.0, 52.0, 32.0]);
}

#[test]
fn the_first_nanodet_has_two_outputs_for_each_stride_and_points_in_the_middle() {
    let levels = [(64, "8"), (16, "16"), (4, "32")];
    let mut made: Vec<Made> = levels
        .into_iter()
        .flat_map(|(cells, name)| [Made::new(name, &[cells, 3]), Made::new(name, &[cells, 32])])
        .collect();
    let distances = [bins(0), bins(0), bins(1), bins(1)].concat();
    // The second cell of stride 32: its point is 48, 16.
    made[4] = made[4].clone().row(1, &[0.0, 0.0, 0.8]);
    made[5] = made[5].clone().row(1, &distances);
    let (family, found) = find(&made, 0.5);
    assert_eq!((family, found.len()), (Family::NanoDet, 1));
    assert_is(&found[0], 2, 0.8, [48.0, 16.0, 80.0, 48.0]);
}

#[test]
fn the_grids_of_nanodet_reach_out_of_the_input() {
    let made = Made::new("output", &[3598, 112]);
    let size = Size::new(416, 416);
    let head = Head::recognise(None, &outputs(&[made]), size, &Hints::default());
    let head = head.expect("NanoDet-Plus-m");
    assert_eq!((head.family(), head.classes()), (Family::NanoDet, Some(80)));
}

#[test]
fn an_rt_detr_of_ultralytics_is_one_output_in_parts_of_the_input() {
    let made = Made::new("output0", &[300, 7]).row(9, &[0.5, 0.25, 0.25, 0.125, 0.1, 0.2, 0.9]);
    let (family, found) = find(&[made], 0.5);
    assert_eq!((family, found.len()), (Family::RtDetr, 1));
    assert_is(&found[0], 2, 0.9, [24.0, 12.0, 40.0, 20.0]);
}

#[test]
fn logits_of_an_rt_detr_go_through_the_logistic_function() {
    // 1 / (1 + e^-2) = 0.8808.
    let made = [
        Made::full("logits", &[300, 3], -6.0).row(4, &[-1.0, 2.0, 0.0]),
        Made::new("pred_boxes", &[300, 4]).row(4, &[0.5, 0.5, 0.5, 1.0]),
    ];
    let (family, found) = find(&made, 0.5);
    assert_eq!((family, found.len()), (Family::RtDetr, 1));
    assert_is(&found[0], 1, 0.8808, [16.0, 0.0, 48.0, 64.0]);
}

#[test]
fn a_detr_of_four_classes_is_told_by_the_name_of_its_boxes() {
    let made = [
        Made::full("logits", &[100, 4], -6.0).row(0, &[3.0, 0.0, 0.0, 0.0]),
        Made::new("pred_boxes", &[100, 4]).row(0, &[0.5, 0.5, 0.5, 0.5]),
    ];
    let (_, found) = find(&made, 0.5);
    assert_is(&found[0], 0, 0.9526, [16.0, 16.0, 48.0, 48.0]);
}

#[test]
fn a_classifier_names_the_surest_classes() {
    // Logits 1, 3, 2, 0: e^3 = 20.086 of 31.193 in all.
    let made = [Made::new("logits", &[4]).row(0, &[1.0, 3.0, 2.0, 0.0])];
    let head = recognise(None, &made, &Hints::default()).expect("known");
    assert_eq!(head.family(), Family::Classification);
    let found = read(&head, &made, 0.05);
    let classes: Vec<usize> = found.classes.iter().map(|class| class.class).collect();
    assert_eq!(classes, [1, 2, 0]);
    for (class, expected) in found.classes.iter().zip([0.6439, 0.2369, 0.0871]) {
        assert!((class.confidence - expected).abs() < 1e-4, "{found:?}");
    }
}

#[test]
fn probabilities_of_a_classifier_stay_and_no_more_than_wanted_are_named() {
    let hints = Hints {
        top: Some(2),
        ..Hints::default()
    };
    let made = [Made::new("probs", &[4, 1, 1]).column(0, &[0.1, 0.2, 0.3, 0.4])];
    let head = recognise(None, &made, &hints).expect("known");
    let found = read(&head, &made, 0.0);
    let seen: Vec<_> = found
        .classes
        .iter()
        .map(|one| (one.class, one.confidence))
        .collect();
    assert_eq!(seen, [(3, 0.4), (2, 0.3)]);
}

#[test]
fn raw_outputs_are_handed_on() {
    let made = [
        Made::full("a", &[2, 3], 1.5),
        Made::full("b", &[1], f32::NAN),
    ];
    assert!(recognise(None, &made, &Hints::default()).is_none());
    let head = recognise(Some(Family::Raw), &made, &Hints::default()).expect("raw");
    let found = read(&head, &made, 0.5);
    assert_eq!(found.tensors().len(), 2);
    assert_eq!(found.tensors()[0].name, "a");
    assert_eq!(found.tensors()[0].shape, [2, 3]);
    assert_eq!(found.tensors()[0].data, [1.5; 6]);
}
