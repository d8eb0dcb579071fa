//! Heads on anything.

use proptest::prelude::*;

use super::*;
use crate::infer::decoder::Decoder;
use crate::infer::letterbox::Letterbox;
use crate::infer::region::Region;

/// Shapes of the outputs of each head.
fn models() -> Vec<Vec<Vec<usize>>> {
    let yunet = [64, 16, 4].map(|cells| [1, 1, 4, 10].map(|columns| vec![cells, columns]));
    let first_nanodet = [64, 16, 4].map(|cells| [3, 32].map(|columns| vec![cells, columns]));
    vec![
        vec![vec![CELLS, 7]],
        vec![vec![3 * CELLS, 7]],
        vec![vec![7, CELLS]],
        vec![vec![9, CELLS], vec![3, 16, 16]],
        vec![vec![30, 6]],
        vec![vec![85, 34]],
        first_nanodet.concat(),
        yunet.concat(),
        vec![vec![235, 2], vec![235, 4]],
        vec![vec![1500, 4], vec![1500, 3]],
        vec![vec![10, 4], vec![10], vec![10], vec![]],
        vec![vec![100, 5], vec![100, 4]],
        vec![vec![100, 9]],
        vec![vec![20]],
    ]
}

/// Numbers as networks put them out, and as they should not.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => 0.0_f32..1.0,
        4 => -2.0_f32..70.0,
        1 => any::<f32>(),
        1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -0.0]),
    ]
}

fn made(shapes: &[Vec<usize>], numbers: &[f32], turn: usize) -> Vec<Made> {
    let mut endless = numbers.iter().cycle().skip(turn % numbers.len());
    let fill = |shape: &Vec<usize>| {
        let mut made = Made::new("", shape);
        made.data
            .fill_with(|| endless.next().copied().unwrap_or(0.0));
        made
    };
    shapes.iter().map(fill).collect()
}

#[test]
fn every_one_of_the_models_is_known() {
    for shapes in models() {
        let made = made(&shapes, &[0.0], 0);
        assert!(
            recognise(None, &made, &Hints::default()).is_some(),
            "{shapes:?}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_comes_out_objects_are_in_the_frame_and_their_numbers_are_some(
        model in 0..models().len(),
        numbers in prop::collection::vec(number(), 7..400),
        turn in 0_usize..1000,
        confidence in 0.0_f32..0.9,
        (left, top) in (0_u32..500, 0_u32..500),
        (width, height) in (1_u32..700, 1_u32..700),
    ) {
        let shapes = &models()[model];
        let first = made(shapes, &numbers, 0);
        let head = recognise(None, &first, &Hints::default()).expect("known shapes");
        let thresholds = Thresholds { confidence, max_objects: 20, ..Thresholds::default() };
        let region = Region { left, top, width, height };
        let letterbox = Letterbox::of(region, INPUT, head.family().placement());
        let mut decoder = Decoder::new(head);
        let mut found = Found::default();
        let next = made(shapes, &numbers, turn);
        decoder.decode(&outputs(&next), &thresholds, &letterbox, &mut found).expect("right lengths");
        prop_assert!(found.objects.len() <= 20);
        let (right, bottom) = ((left + width) as f32, (top + height) as f32);
        for object in &found.objects {
            let area = object.area;
            prop_assert!(area.is_proper());
            prop_assert!(area.left >= left as f32 && area.right <= right, "{area:?}");
            prop_assert!(area.top >= top as f32 && area.bottom <= bottom, "{area:?}");
            prop_assert!((confidence..=1.0).contains(&object.confidence));
        }
        for class in &found.classes {
            prop_assert!((confidence..=1.0).contains(&class.confidence));
        }
        let surest_first = |pair: &[Detection]| pair[0].confidence >= pair[1].confidence;
        prop_assert!(found.objects.windows(2).all(surest_first));
    }

    #[test]
    fn any_family_reads_any_outputs_without_a_panic(
        family in 0..Family::NAMES.len(),
        shapes in prop::collection::vec(prop::collection::vec(0_usize..90, 0..4), 0..13),
        others in prop::collection::vec(prop::collection::vec(0_usize..90, 0..3), 0..13),
        numbers in prop::collection::vec(number(), 1..50),
        (width, height) in (0_u32..100, 0_u32..100),
    ) {
        let (family, _) = Family::NAMES[family];
        let few = |shapes: Vec<Vec<usize>>| -> Vec<Vec<usize>> {
            shapes.into_iter().filter(|shape| shape.iter().product::<usize>() < 10_000).collect()
        };
        let (shapes, others) = (few(shapes), few(others));
        let first = made(&shapes, &numbers, 0);
        let input = Size::new(width, height);
        for family in [Some(family), None] {
            let head = Head::recognise(family, &outputs(&first), input, &Hints::default());
            let Some(head) = head else { continue };
            let letterbox = Letterbox::new(Size::new(100, 50), input, head.family().placement());
            let mut decoder = Decoder::new(head);
            let mut found = Found::default();
            let next = made(&others, &numbers, 3);
            for outputs in [outputs(&first), outputs(&next)] {
                // What does not fit is an error or finds nothing; either way nothing breaks.
                let _ = decoder.decode(&outputs, &Thresholds::default(), &letterbox, &mut found);
            }
        }
    }
}

#[test]
fn what_is_no_number_is_no_object() {
    for shapes in models() {
        for nonsense in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let made = made(&shapes, &[nonsense], 0);
            let head = recognise(None, &made, &Hints::default()).expect("known shapes");
            let found = read(&head, &made, 0.0);
            assert_eq!(found.objects, [], "{nonsense} from {shapes:?}");
            let sure: Vec<f32> = found.classes.iter().map(|class| class.confidence).collect();
            assert!(sure.is_empty(), "{sure:?} from {shapes:?}");
        }
    }
}

#[test]
fn nothing_is_surer_than_sure() {
    let made = [Made::full("", &[7, CELLS], 32.0)];
    let head = recognise(None, &made, &Hints::default()).expect("YOLOv8");
    let found = read(&head, &made, 0.5);
    assert!(found.objects.iter().all(|object| object.confidence == 1.0));
    assert!(!found.objects.is_empty());
}
