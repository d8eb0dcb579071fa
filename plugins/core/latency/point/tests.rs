//! A point over minutes of virtual time.

use super::*;
use crate::units::Bitrate;

const FRAME: ByteCount = ByteCount::new(1_000);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn sample(sequence: u64, age: u64) -> Sample {
    Sample {
        frame: Capture {
            origin: 1,
            sequence,
            entry: at(0),
            captured: at(0),
        },
        pts: Some(at(sequence)),
        age: ms(age),
        negative: false,
        source: Source::Capture,
        size: FRAME,
    }
}

/// Feeds a frame every `gap` from `from` until before `to` and collects the reports.
fn feed(point: &mut Point, age: u64, span: [u64; 2], gap: u64) -> Vec<Figures> {
    let times = (span[0]..span[1]).step_by(gap as usize);
    let mut reports = Vec::new();
    for now in times {
        point.on_buffer(&sample(now / gap, age), || Some(at(now - 2)), at(now));
        reports.extend(point.on_timer(at(now)));
    }
    reports
}

#[test]
fn closes_after_the_interval_and_starts_over() {
    let mut point = Point::new(ms(1_000));
    let reports = feed(&mut point, 30, [5_000, 7_001], 40);
    let counts: Vec<u64> = reports.iter().map(|r| r.age.count).collect();
    assert_eq!(
        counts,
        [26, 25],
        "the first buffer opens the first interval"
    );
    for report in &reports {
        assert_eq!(report.fps, 25.0);
        assert_eq!(report.bitrate, Bitrate::from_kbps(200));
        assert_eq!((report.age.p50, report.transit.p50), (ms(30), ms(2)));
        assert_eq!(report.jitter, ms(0));
    }
    assert_eq!(point.total().age.count, 51);
    assert_eq!(point.total().fps, 25.0);
    assert_eq!(point.gaps().p50, ms(40));
}

#[test]
fn without_an_interval_only_the_end_reports() {
    let mut point = Point::new(ms(0));
    assert_eq!(feed(&mut point, 3, [10, 10_010], 100), []);
    let report = point.on_end(at(9_910)).expect("a report");
    assert_eq!((report.age.count, report.fps), (100, 10.0));
    assert_eq!(point.on_end(at(9_910)), None, "nothing new");
}

#[test]
fn the_time_between_two_streams_belongs_to_none() {
    let mut point = Point::new(ms(1_000));
    feed(&mut point, 3, [50, 500], 50);
    point.on_end(at(450));
    let reports = feed(&mut point, 3, [60_000, 61_001], 50);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].fps, 20.0);
}

#[test]
fn a_stall_shows_in_the_rate_and_in_the_gaps() {
    let mut point = Point::new(ms(1_000));
    feed(&mut point, 3, [100, 600], 100);
    let reports = feed(&mut point, 3, [5_100, 5_101], 1);
    assert_eq!(reports[0].fps, 1.0, "five frames in five seconds");
    assert_eq!(point.gaps().max, ms(4_600));
}

#[test]
fn a_frame_in_packets_is_measured_once_and_weighed_whole() {
    let mut point = Point::new(ms(1_000));
    for sequence in 1..=30 {
        for packet in 0..5 {
            let now = at(sequence * 33 + packet);
            point.on_buffer(&sample(sequence, 10 + packet), || None, now);
        }
    }
    let total = point.total();
    assert_eq!((total.age.count, total.counts.buffers), (30, 150));
    assert_eq!((total.age.max, total.transit.count), (ms(10), 0));
    let rate = Bitrate::from_bytes_over(ByteCount::new(149_000), ms(29 * 33 + 4));
    assert_eq!(total.bitrate, rate);
}

#[test]
fn every_kind_of_frame_has_its_counter() {
    let mut point = Point::new(ms(1_000));
    point.set_deadline(Some(ms(100)));
    let of = |sequence, source| Sample {
        source,
        ..sample(sequence, 50)
    };
    let mut now = 0;
    let mut push = |sample: Sample| {
        now += 40;
        point.on_buffer(&sample, || None, at(now));
    };
    push(of(1, Source::Capture));
    push(of(2, Source::Unknown));
    push(of(3, Source::Inferred));
    push(of(4, Source::Network));
    push(Sample {
        negative: true,
        age: ms(0),
        ..of(7, Source::Age)
    });
    push(Sample {
        pts: Some(at(8)),
        ..of(7, Source::Age)
    });
    push(sample(8, 120));
    push(sample(9, 121));
    let report = point.on_end(at(now)).expect("a report");
    let expected = Counts {
        buffers: 8,
        lost: 2,
        duplicated: 1,
        late: 1,
        negative: 1,
        unstamped: 1,
        inferred: 1,
        network: 1,
    };
    assert_eq!(report.counts, expected);
    assert_eq!(point.total().counts, expected);
}

#[test]
fn each_interval_has_its_own_counts() {
    let mut point = Point::new(ms(1_000));
    for sequence in [1, 2, 100, 101, 300, 301] {
        point.on_buffer(&sample(sequence, 5), || None, at(sequence));
    }
    let first = point.close_now(at(400)).expect("a report");
    point.on_buffer(&sample(302, 5), || None, at(420));
    let second = point.close_now(at(500)).expect("a report");
    assert_eq!((first.counts.buffers, second.counts.buffers), (6, 1));
    let lost = first.counts.lost + second.counts.lost;
    assert_eq!(lost, point.total().counts.lost);
    assert_eq!(point.close_now(at(600)), None);
}

#[test]
fn jitter_is_that_of_rfc_3550() {
    let mut point = Point::new(ms(0));
    for sequence in 1..=400 {
        point.on_buffer(
            &sample(sequence, 10 + sequence % 2 * 16),
            || None,
            at(sequence),
        );
    }
    let jitter = point.total().jitter;
    assert!(
        jitter.abs_diff(ms(16)) < ms(1),
        "{jitter:?}: the filter is settled"
    );
    let mut point = Point::new(ms(0));
    point.on_buffer(&sample(1, 10), || None, at(1));
    point.on_buffer(&sample(2, 26), || None, at(2));
    assert_eq!(point.total().jitter, ms(1), "a 16th of the first change");
}

#[test]
fn a_stranger_is_counted_and_not_measured() {
    let mut point = Point::new(ms(0));
    point.on_stranger();
    let report = point.on_end(at(5)).expect("a report");
    assert_eq!((report.counts.unstamped, report.age.count), (1, 0));
}

#[test]
fn distributions_have_a_place_for_every_value() {
    let mut point = Point::new(ms(0));
    for (sequence, age) in [0, 1, 4, 990, 1_100].into_iter().enumerate() {
        point.on_buffer(&sample(sequence as u64, age), || None, at(1));
    }
    let counts = point.ages().distribution(&BUCKETS);
    let mut expected = [0; BUCKETS.len() + 1];
    (expected[0], expected[2], expected[12], expected[13]) = (1, 1, 1, 1);
    let one = counts[0] + counts[1] - 1;
    assert_eq!(one, 1, "1 ms lies at a bound: in either bucket");
    assert_eq!(counts[2..], expected[2..]);
}

#[test]
fn two_marks_say_what_came_in_between() {
    let mut point = Point::default();
    feed(&mut point, 80, [1_000, 5_000], 40);
    let earlier = point.mark(at(5_000));
    feed(&mut point, 30, [5_020, 7_001], 20);
    let later = point.mark(at(7_000));
    let between = later.since(&earlier).figures();
    assert_eq!((between.age.count, between.fps), (100, 50.0));
    assert_eq!(between.bitrate, Bitrate::from_kbps(400));
    assert_eq!(between.counts.buffers, 100);
    assert!(between.age.max < ms(31), "{between:?}");
    assert_eq!(later.figures(), point.total());
    assert_eq!(later.since(&later).figures().age.count, 0);
}

#[test]
fn the_first_mark_has_nothing_before_it() {
    let mut point = Point::default();
    let empty = point.mark(at(0));
    feed(&mut point, 30, [1_000, 2_001], 40);
    let first = point.mark(at(2_001)).since(&empty).figures();
    assert_eq!((first.age.count, first.fps), (26, 25.0));
}

#[test]
fn a_reset_point_counts_from_zero() {
    let mut point = Point::default();
    feed(&mut point, 80, [1_000, 5_000], 40);
    point.on_buffer(&sample(5_000, 80), || None, at(5_000));
    point.on_end(at(5_000));
    assert!(point.total().counts.lost > 0);
    let earlier = point.mark(at(5_000));
    point.reset();
    assert_eq!(point.total(), Figures::default());
    assert_eq!(
        (point.gaps(), point.ages().count()),
        (Summary::default(), 0)
    );
    feed(&mut point, 30, [5_000, 6_000], 40);
    let since = point.mark(at(6_000)).since(&earlier).figures();
    assert_eq!((since.age.count, since.age.max), (25, ms(30)));
}
