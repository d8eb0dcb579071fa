//! The second stage with metas that tests attach and answers that tests give.

use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::Class;

use super::*;

const FRAME: Size = Size::new(200, 100);

fn at(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// An object: label, id, track and rectangle.
type There<'a> = (&'a str, i32, Option<i32>, (u32, u32, u32, u32));

/// A frame with objects.
fn buffer(objects: &[There<'_>]) -> gst::Buffer {
    gst::init().expect("GStreamer starts");
    let mut buffer = gst::Buffer::new();
    for (label, id, track, rect) in objects {
        let buffer = buffer.make_mut();
        let mut meta = VideoRegionOfInterestMeta::add(buffer, label, *rect);
        meta.set_id(*id);
        if let Some(track) = track {
            let track = gst::Structure::builder("object_id").field("id", track);
            meta.add_param(track.build());
        }
    }
    buffer
}

fn classes(class: usize) -> Found {
    let confidence = 0.8;
    let mut found = Found::default();
    found.classes.push(Class { class, confidence });
    found
}

#[test]
fn only_objects_of_the_wanted_classes_are_looked_into() {
    let mut stage = SecondStage::new(Some("person, car"), Duration::ZERO);
    let frame = buffer(&[
        ("person", 3, None, (10, 20, 30, 40)),
        ("dog", 4, None, (0, 0, 10, 10)),
        ("car", 5, None, (150, 50, 100, 100)),
        ("car", 6, None, (200, 50, 10, 10)),
    ]);
    let visit = stage.visit(&frame, FRAME, at(0));
    let sizes: Vec<_> = visit.regions().iter().map(Region::size).collect();
    let cut = Size::new(50, 50);
    assert_eq!(
        sizes,
        [Size::new(30, 40), cut],
        "cut at the edge of the frame"
    );
    let mut told = Told::default();
    stage.apply(visit, &[classes(1), classes(2)], (FRAME, at(0)), &mut told);
    let seen: Vec<_> = told
        .objects
        .iter()
        .map(|one| (one.parent, one.class))
        .collect();
    assert_eq!(seen, [(Some(3), 1), (Some(5), 2)]);
    assert!(told.objects.iter().all(|one| one.what == What::Classified));
}

#[test]
fn a_tracked_object_is_looked_into_once_and_keeps_its_class() {
    let mut stage = SecondStage::new(None, Duration::ZERO);
    let mut looks = 0;
    for frame in 0..50 {
        let now = at(frame * 40);
        let there = buffer(&[("person", 1, Some(9), (10, 20, 30, 40))]);
        let visit = stage.visit(&there, FRAME, now);
        looks += visit.regions().len();
        let found: Vec<_> = visit.regions().iter().map(|_| classes(7)).collect();
        let mut told = Told::default();
        stage.apply(visit, &found, (FRAME, now), &mut told);
        let [object] = &told.objects[..] else {
            unreachable!("one object, but {told:?}");
        };
        assert_eq!((object.class, object.parent), (7, Some(1)));
        assert_eq!(object.age(), Duration::from_millis(frame * 40));
    }
    assert_eq!(looks, 1);
}

#[test]
fn what_was_found_inside_moves_with_the_object() {
    let mut stage = SecondStage::new(None, Duration::ZERO);
    let there = buffer(&[("person", 1, Some(9), (10, 20, 40, 40))]);
    let visit = stage.visit(&there, FRAME, at(0));
    let face = Detection {
        area: Area::around(30.0, 30.0, 20.0, 10.0),
        class: 0,
        confidence: 0.9,
    };
    let mut found = Found::default();
    found.objects.push(face);
    let mut told = Told::default();
    stage.apply(visit, &[found], (FRAME, at(0)), &mut told);
    assert_eq!(told.objects[0].rect, (20, 25, 20, 10));
    let moved = buffer(&[("person", 8, Some(9), (110, 20, 44, 40))]);
    let visit = stage.visit(&moved, FRAME, at(40));
    assert!(visit.regions().is_empty());
    let mut told = Told::default();
    stage.apply(visit, &[], (FRAME, at(40)), &mut told);
    assert_eq!(told.objects[0].rect, (121, 25, 22, 10));
    assert_eq!(told.objects[0].parent, Some(8));
    assert_eq!(told.objects[0].what, What::Detected);
}

#[test]
fn an_answer_from_before_the_stream_began_anew_is_told_and_not_remembered() {
    let mut stage = SecondStage::new(None, Duration::ZERO);
    let there = buffer(&[("person", 1, Some(9), (10, 20, 40, 40))]);
    let before = stage.visit(&there, FRAME, at(0));
    stage.reset();
    // Another object, of the same number.
    let after = stage.visit(&there, FRAME, at(40));
    assert_eq!(after.regions().len(), 1);
    let mut told = Told::default();
    stage.apply(before, &[classes(7)], (FRAME, at(0)), &mut told);
    assert_eq!(told.objects[0].class, 7);
    let mut told = Told::default();
    stage.apply(after, &[], (FRAME, at(40)), &mut told);
    assert!(told.objects.is_empty(), "{told:?}");
}

#[test]
fn what_is_of_a_frame_that_was_dropped_is_looked_at_on_the_next() {
    let mut stage = SecondStage::new(None, Duration::ZERO);
    let there = buffer(&[("person", 1, Some(9), (10, 20, 40, 40))]);
    let dropped = stage.visit(&there, FRAME, at(0));
    stage.abandon(dropped);
    assert_eq!(stage.visit(&there, FRAME, at(40)).regions().len(), 1);
}

#[test]
fn without_an_answer_it_is_looked_into_again() {
    let mut stage = SecondStage::new(None, Duration::ZERO);
    let there = buffer(&[("person", 1, Some(9), (10, 20, 40, 40))]);
    for frame in 0..3 {
        let now = at(frame * 40);
        let visit = stage.visit(&there, FRAME, now);
        assert_eq!(visit.regions().len(), 1);
        let mut told = Told::default();
        stage.apply(visit, &[], (FRAME, now), &mut told);
        assert!(told.objects.is_empty());
    }
    let visit = stage.visit(&there, FRAME, at(200));
    let mut failed = Found::default();
    failed.failure = Some("on purpose".to_owned());
    let mut told = Told::default();
    stage.apply(visit, &[failed], (FRAME, at(200)), &mut told);
    assert!(told.objects.is_empty());
    assert_eq!(stage.visit(&there, FRAME, at(240)).regions().len(), 1);
}

#[test]
fn objects_without_a_track_are_looked_into_on_every_frame() {
    let mut stage = SecondStage::new(None, Duration::ZERO);
    let there = buffer(&[("person", 1, None, (10, 20, 40, 40))]);
    for frame in 0..3 {
        let visit = stage.visit(&there, FRAME, at(frame * 40));
        assert_eq!(visit.regions().len(), 1);
        stage.apply(
            visit,
            &[classes(1)],
            (FRAME, at(frame * 40)),
            &mut Told::default(),
        );
    }
}
