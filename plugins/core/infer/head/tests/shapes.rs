//! Which shapes speak for whom, and for nobody.

use super::*;

/// Shapes, size of the input, and whose they are with how many classes.
type Case<S> = (S, Size, Family, Option<usize>);

fn family(shapes: &[&[usize]], input: Size) -> Option<(Family, Option<usize>)> {
    let made: Vec<Made> = shapes.iter().map(|shape| Made::new("", shape)).collect();
    let head = Head::recognise(None, &outputs(&made), input, &Hints::default())?;
    Some((head.family(), head.classes()))
}

#[test]
fn the_shape_tells_the_family() {
    use Family::{
        Classification, NanoDet, RtDetr, Ssd, UltraFace, YoloV5, YoloV8, YoloV8Nms, YoloX,
    };
    let (small, usual, large) = (
        Size::new(320, 320),
        Size::new(416, 416),
        Size::new(640, 640),
    );
    let one: [Case<&[usize]>; 12] = [
        (&[3549, 85], usual, YoloX, Some(80)),
        (&[8400, 85], large, YoloX, Some(80)),
        (&[25200, 85], large, YoloV5, Some(80)),
        (&[102_000, 85], Size::new(1280, 1280), YoloV5, Some(80)),
        (&[84, 8400], large, YoloV8, Some(80)),
        (&[5, 8400], large, YoloV8, Some(1)),
        (&[7, 2000], small, YoloV8, Some(3)),
        (&[300, 6], large, YoloV8Nms, None),
        (&[3598, 112], usual, NanoDet, Some(80)),
        (&[2125, 33], small, NanoDet, Some(1)),
        (&[300, 84], large, RtDetr, Some(80)),
        (&[1000], Size::new(224, 224), Classification, Some(1000)),
    ];
    for (shape, input, expected, classes) in one {
        assert_eq!(
            family(&[shape], input),
            Some((expected, classes)),
            "{shape:?}"
        );
    }
    let two: [Case<[&[usize]; 2]>; 4] = [
        ([&[300, 80], &[300, 4]], large, RtDetr, Some(80)),
        (
            [&[3000, 21], &[3000, 4]],
            Size::new(300, 300),
            Ssd,
            Some(20),
        ),
        (
            [&[1917, 4], &[1917, 91]],
            Size::new(300, 300),
            Ssd,
            Some(90),
        ),
        (
            [&[17_640, 2], &[17_640, 4]],
            Size::new(640, 480),
            UltraFace,
            Some(1),
        ),
    ];
    for (shapes, input, expected, classes) in two {
        assert_eq!(
            family(&shapes, input),
            Some((expected, classes)),
            "{shapes:?}"
        );
    }
}

#[test]
fn other_shapes_are_refused() {
    let real = Size::new(416, 416);
    for shape in [
        &[3549, 5][..],
        &[4, 3549],
        &[4420, 2],
        &[2, 3549, 85],
        &[1, 4, 4, 4],
        &[1],
        &[],
    ] {
        assert_eq!(family(&[shape], real), None, "{shape:?}");
    }
    assert_eq!(family(&[], real), None);
}

#[test]
fn an_input_without_a_single_cell_has_no_head() {
    for shape in [[0, 85], [84, 0]] {
        assert_eq!(family(&[&shape], Size::new(7, 7)), None, "{shape:?}");
    }
}

#[test]
fn a_family_that_cannot_be_is_refused() {
    let made = [Made::new("", &[1000])];
    for (family, name) in Family::NAMES {
        let head = recognise(Some(family), &made, &Hints::default());
        let may_be = matches!(family, Family::Classification | Family::Raw);
        assert_eq!(head.is_some(), may_be, "{name}");
    }
}

#[test]
fn more_classes_than_there_is_room_for_are_refused() {
    let hints = Hints {
        classes: Some(5),
        ..Hints::default()
    };
    let made = [Made::new("", &[CELLS, 8])];
    assert!(recognise(None, &made, &hints).is_none());
}

#[test]
fn names_lead_to_families() {
    for (family, name) in Family::NAMES {
        assert_eq!(Family::named(name), Some(family));
    }
    assert_eq!(Family::named("auto"), None);
}

#[test]
fn an_output_of_another_length_is_an_error() {
    let made = [Made::new("", &[CELLS, 7])];
    let head = recognise(None, &made, &Hints::default()).expect("YOLOX");
    let short = Output {
        data: &[0.0; 5],
        ..Output::default()
    };
    let thresholds = Thresholds::default();
    let (mut scratch, mut found) = (Scratch::default(), Found::default());
    let wrong = head.read(&[short], &thresholds, &mut scratch, &mut found);
    let expected = CELLS * 7;
    let actual = 5;
    assert_eq!(wrong, Err(WrongLength { expected, actual }));
    let nothing = head.read(&[], &thresholds, &mut scratch, &mut found);
    let actual = 0;
    assert_eq!(nothing, Err(WrongLength { expected, actual }));
}
