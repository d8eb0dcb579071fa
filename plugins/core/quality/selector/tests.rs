//! Renditions that come, lag, lead, stall and go.

use super::*;
use proptest::prelude::*;

const HIGH: Rendition = Rendition(0);
const LOW: Rendition = Rendition(1);

fn selector() -> Selector {
    let mut selector = Selector::new(SelectorConfig::default());
    selector.add(HIGH);
    selector.add(LOW);
    selector.on_wanted(HIGH);
    selector
}

fn ms(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

fn frame(number: u64, key: bool) -> Encoded {
    let time = Some(ms(number * 40));
    Encoded { key, time }
}

#[test]
fn the_old_one_goes_on_until_the_new_ones_key_frame_is_there() {
    let mut selector = selector();
    assert_eq!(
        selector.on_frame(HIGH, frame(0, true), ms(0)),
        Verdict::Pass
    );
    assert_eq!(selector.on_frame(LOW, frame(0, true), ms(1)), Verdict::Drop);
    selector.on_wanted(LOW);
    assert_eq!(selector.on_time(ms(2)), Some(KeyRequest(LOW)));
    assert_eq!(selector.on_time(ms(3)), None);
    for number in 1..5 {
        let now = ms(number * 40);
        assert_eq!(
            selector.on_frame(HIGH, frame(number, false), now),
            Verdict::Pass
        );
        assert_eq!(
            selector.on_frame(LOW, frame(number, false), now),
            Verdict::Drop
        );
    }
    assert_eq!(selector.pending(), Some(LOW));
    assert_eq!(
        selector.on_frame(LOW, frame(5, true), ms(200)),
        Verdict::Pass
    );
    assert_eq!(
        selector.on_frame(HIGH, frame(5, false), ms(201)),
        Verdict::Drop
    );
    assert_eq!((selector.current(), selector.switches()), (Some(LOW), 1));
    assert_eq!((selector.pending(), selector.next_wakeup()), (None, None));
}

#[test]
fn a_key_frame_that_does_not_come_is_asked_for_again() {
    let mut selector = selector();
    selector.on_frame(HIGH, frame(0, true), ms(0));
    selector.on_wanted(LOW);
    let asked = (0..1_000).filter(|now| selector.on_time(ms(*now)).is_some());
    assert_eq!(asked.collect::<Vec<_>>(), [0, 300, 600, 900]);
    selector.on_wanted(HIGH);
    assert_eq!(selector.on_time(ms(5_000)), None);
    assert_eq!(
        selector.on_frame(HIGH, frame(1, false), ms(5_000)),
        Verdict::Pass
    );
}

#[test]
fn a_rendition_that_lags_goes_on_in_order() {
    let mut selector = selector();
    selector.on_frame(HIGH, frame(0, true), ms(0));
    selector.on_frame(HIGH, frame(1, false), ms(40));
    selector.on_frame(HIGH, frame(2, false), ms(80));
    selector.on_wanted(LOW);
    let verdict = selector.on_frame(LOW, frame(1, true), ms(81));
    let earliest = MediaTime::from_nanos(80_000_001);
    assert_eq!(verdict, Verdict::PassFrom(earliest));
    let verdict = selector.on_frame(LOW, frame(2, false), ms(100));
    assert_eq!(
        verdict,
        Verdict::PassFrom(MediaTime::from_nanos(80_000_002))
    );
    assert_eq!(
        selector.on_frame(LOW, frame(3, false), ms(120)),
        Verdict::Pass
    );
}

#[test]
fn a_rendition_that_is_ahead_waits_until_no_frame_is_missing() {
    let mut selector = selector();
    for number in 0..3 {
        selector.on_frame(HIGH, frame(number, number == 0), ms(number * 40));
    }
    selector.on_wanted(LOW);
    let key = frame(5, true);
    assert_eq!(selector.on_frame(LOW, key, ms(81)), Verdict::Wait(ms(181)));
    assert_eq!(
        selector.on_frame(HIGH, frame(3, false), ms(120)),
        Verdict::Pass
    );
    assert_eq!(selector.on_frame(LOW, key, ms(121)), Verdict::Wait(ms(181)));
    assert_eq!(
        selector.on_frame(HIGH, frame(4, false), ms(160)),
        Verdict::Pass
    );
    assert_eq!(selector.on_frame(LOW, key, ms(161)), Verdict::Pass);
}

#[test]
fn one_that_is_ahead_waits_no_longer_than_the_old_one_is_worth() {
    let mut selector = selector();
    selector.on_frame(HIGH, frame(0, true), ms(0));
    selector.on_frame(HIGH, frame(1, false), ms(40));
    selector.on_wanted(LOW);
    let key = frame(9, true);
    assert_eq!(selector.on_frame(LOW, key, ms(41)), Verdict::Wait(ms(141)));
    assert_eq!(selector.on_frame(LOW, key, ms(141)), Verdict::Pass);
}

#[test]
fn where_the_current_one_stalls_or_is_gone_any_key_frame_is_taken() {
    let mut selector = selector();
    selector.on_frame(HIGH, frame(0, true), ms(0));
    assert_eq!(
        selector.on_frame(LOW, frame(1, true), ms(900)),
        Verdict::Drop
    );
    assert_eq!(
        selector.on_frame(LOW, frame(2, true), ms(1_100)),
        Verdict::Pass
    );
    assert_eq!(selector.pending(), Some(HIGH));
    selector.remove(LOW);
    assert_eq!(selector.current(), None);
    assert_eq!(
        selector.on_frame(HIGH, frame(3, false), ms(1_200)),
        Verdict::Drop
    );
    assert_eq!(
        selector.on_frame(HIGH, frame(4, true), ms(1_240)),
        Verdict::Pass
    );
    assert_eq!(
        selector.on_frame(Rendition(7), frame(9, true), ms(1_300)),
        Verdict::Drop
    );
}

#[test]
fn frames_without_a_time_pass_as_they_are() {
    let mut selector = selector();
    let untimed = |key| Encoded { key, time: None };
    assert_eq!(selector.on_frame(HIGH, untimed(true), ms(0)), Verdict::Pass);
    selector.on_wanted(LOW);
    assert_eq!(selector.on_frame(LOW, untimed(false), ms(1)), Verdict::Drop);
    assert_eq!(selector.on_frame(LOW, untimed(true), ms(2)), Verdict::Pass);
}

proptest! {
    #[test]
    fn times_rise_and_every_rendition_begins_with_a_key_frame(
        frames in prop::collection::vec((0..3_u32, any::<bool>(), 0..50_u64, 0..4_u32), 1..300),
    ) {
        let mut selector = Selector::new(SelectorConfig::default());
        (0..3).for_each(|number| selector.add(Rendition(number)));
        let mut last: Option<MediaTime> = None;
        let mut current = None;
        for (tick, (number, key, skew, wanted)) in frames.into_iter().enumerate() {
            let now = ms(tick as u64 * 20 + 1_000);
            if wanted < 3 {
                selector.on_wanted(Rendition(wanted));
            }
            let time = now.before(Duration::from_millis(skew * 4));
            let rendition = Rendition(number);
            let frame = Encoded { key, time: Some(time) };
            let passed = match selector.on_frame(rendition, frame, now) {
                Verdict::Pass => time,
                Verdict::PassFrom(earliest) => time.max(earliest),
                Verdict::Drop | Verdict::Wait(_) => continue,
            };
            prop_assert!(last.is_none_or(|last| passed > last));
            prop_assert!(current == Some(rendition) || key);
            last = Some(passed);
            current = Some(rendition);
        }
    }
}
