//! Every kind of answer, and that none of them can stop a stream.

use proptest::prelude::*;

use super::*;

fn sizing(min_buffers: u32, max_buffers: u32) -> Sizing {
    let config = Config {
        min_buffers,
        max_buffers,
        ..Config::default()
    };
    Sizing::new(config).expect("a config that works")
}

fn limits(size: u32, min: u32, max: u32) -> Limits {
    Limits { size, min, max }
}

fn video(downstream: Downstream) -> Request {
    Request {
        wants_pool: true,
        frame_size: Some(100),
        largest_size: None,
        downstream,
    }
}

#[test]
fn where_downstream_is_silent_the_pool_is_ours() {
    let decision = sizing(3, 5).answer(&video(Downstream::Nothing));
    assert_eq!(decision.answer, Answer::OwnPool(limits(100, 3, 5)));
    assert_eq!(decision.reason, Reason::NoPoolDownstream);
}

#[test]
fn advice_without_a_pool_sizes_ours() {
    let advice = Downstream::Advice(limits(120, 7, 9));
    let decision = sizing(3, 0).answer(&video(advice));
    assert_eq!(decision.answer, Answer::OwnPool(limits(120, 7, 0)));
}

#[test]
fn a_maximum_below_what_downstream_holds_would_stop_the_stream() {
    let advice = Downstream::Advice(limits(100, 40, 0));
    let decision = sizing(0, 4).answer(&video(advice));
    assert_eq!(decision.answer, Answer::OwnPool(limits(100, 40, 40)));
    assert_eq!(decision.reason, Reason::MaxRaisedForDownstream);
}

#[test]
fn a_pool_downstream_is_kept_and_only_its_minimum_rises() {
    let pool = |min, max| video(Downstream::Pool(limits(50, min, max)));
    let sizing = sizing(6, 8);
    let raised = sizing.answer(&pool(2, 0));
    assert_eq!(raised.answer, Answer::Raise(limits(50, 6, 0)));
    assert_eq!(raised.reason, Reason::MinRaised);
    let kept = sizing.answer(&pool(6, 0));
    assert_eq!(
        (kept.answer, kept.reason),
        (Answer::Leave, Reason::PoolDownstream)
    );
    let capped = sizing.answer(&pool(2, 4));
    assert_eq!(capped.answer, Answer::Raise(limits(50, 4, 4)));
    assert_eq!(capped.reason, Reason::MinCappedByDownstream);
}

#[test]
fn a_plain_pool_downstream_gives_way_to_ours_with_its_numbers() {
    let plain = |min, max| video(Downstream::PlainPool(limits(120, min, max)));
    let sizing = sizing(6, 8);
    let replaced = sizing.answer(&plain(2, 0));
    assert_eq!(replaced.answer, Answer::OwnPool(limits(120, 6, 0)));
    assert_eq!(replaced.reason, Reason::PlainPoolDownstream);
    let larger = sizing.answer(&plain(9, 12));
    assert_eq!(larger.answer, Answer::OwnPool(limits(120, 9, 12)));
    let capped = sizing.answer(&plain(2, 4));
    assert_eq!(capped.answer, Answer::OwnPool(limits(120, 4, 4)));
    assert_eq!(capped.reason, Reason::MinCappedByDownstream);
}

#[test]
fn a_plain_pool_is_kept_where_upstream_wants_none_or_it_holds_something_else() {
    let plain = video(Downstream::PlainPool(limits(50, 2, 0)));
    let unwanted = Request {
        wants_pool: false,
        ..plain
    };
    let no_video = Request {
        frame_size: None,
        ..plain
    };
    for request in [unwanted, no_video] {
        let kept = sizing(6, 0).answer(&request);
        assert_eq!(kept.answer, Answer::Raise(limits(50, 6, 0)));
    }
}

#[test]
fn what_cannot_be_pooled_gets_at_most_better_advice() {
    let request = |downstream| Request {
        frame_size: None,
        ..video(downstream)
    };
    let silent = sizing(6, 0).answer(&request(Downstream::Nothing));
    assert_eq!(
        (silent.answer, silent.reason),
        (Answer::Leave, Reason::NotRawVideo)
    );
    let advised = sizing(6, 0).answer(&request(Downstream::Advice(limits(9, 1, 0))));
    assert_eq!(advised.answer, Answer::Raise(limits(9, 6, 0)));
}

#[test]
fn who_wants_no_pool_gets_none() {
    let request = Request {
        wants_pool: false,
        ..video(Downstream::Nothing)
    };
    let decision = sizing(2, 0).answer(&request);
    assert_eq!(
        (decision.answer, decision.reason),
        (Answer::Leave, Reason::PoolNotWanted)
    );
}

#[test]
fn settings_that_cannot_work_say_both_numbers_and_the_remedy() {
    let config = |min_buffers, max_buffers, alignment| Config {
        min_buffers,
        max_buffers,
        alignment,
        ..Config::default()
    };
    let text = |config| {
        Sizing::new(config)
            .expect_err("a config that cannot work")
            .to_string()
    };
    let crossed = text(config(8, 4, 0));
    assert!(
        crossed.contains("max-buffers 4 is below min-buffers 8"),
        "{crossed}"
    );
    let crooked = text(config(0, 0, 48));
    assert!(
        crooked.contains("alignment 48") && crooked.contains("32 or 64"),
        "{crooked}"
    );
    assert!(text(config(0, 0, u32::MAX)).contains("4294967296"));
    assert!(Sizing::new(config(8, 0, 4096)).is_ok());
    assert!(Sizing::new(config(8, 8, 1)).is_ok());
}

#[test]
fn strides_are_never_aligned_to_pages() {
    let masks = |alignment| {
        let config = Config {
            alignment,
            ..Config::default()
        };
        let sizing = Sizing::new(config).expect("a power of two");
        (sizing.address_mask(), sizing.stride_mask())
    };
    assert_eq!(masks(0), (0, 0));
    assert_eq!(masks(1), (0, 0));
    assert_eq!(masks(64), (63, 63));
    assert_eq!(masks(256), (255, 255));
    assert_eq!(masks(4096), (4095, 255));
}

fn with_extra(min_buffers: u32, max_buffers: u32, extra_buffers: u32) -> Sizing {
    let config = Config {
        min_buffers,
        max_buffers,
        extra_buffers,
        ..Config::default()
    };
    Sizing::new(config).expect("a config that works")
}

#[test]
fn extra_buffers_come_on_top_of_what_downstream_asks_for() {
    let pool = |min, max| video(Downstream::Pool(limits(50, min, max)));
    let raised = with_extra(0, 0, 5).answer(&pool(2, 0));
    assert_eq!(raised.answer, Answer::Raise(limits(50, 7, 0)));
    let advised = video(Downstream::Advice(limits(100, 3, 0)));
    let own = with_extra(1, 0, 5).answer(&advised);
    assert_eq!(own.answer, Answer::OwnPool(limits(100, 8, 0)));
    let silent = with_extra(4, 0, 5).answer(&video(Downstream::Nothing));
    assert_eq!(silent.answer, Answer::OwnPool(limits(100, 9, 0)));
}

#[test]
fn extra_buffers_never_raise_a_maximum() {
    let capped = with_extra(0, 0, 5).answer(&video(Downstream::Pool(limits(50, 2, 4))));
    assert_eq!(capped.answer, Answer::Raise(limits(50, 4, 4)));
    assert_eq!(capped.reason, Reason::MinCappedByDownstream);
    let own = with_extra(2, 4, 5).answer(&video(Downstream::Nothing));
    assert_eq!(own.answer, Answer::OwnPool(limits(100, 4, 4)));
    assert_eq!(own.reason, Reason::NoPoolDownstream);
}

#[test]
fn without_a_pool_of_ours_upstream_still_hears_how_many_buffers_are_needed() {
    let config = Config {
        extra_buffers: 5,
        offers_pool: false,
        ..Config::default()
    };
    let sizing = Sizing::new(config).expect("a config that works");
    let silent = sizing.answer(&video(Downstream::Nothing));
    assert_eq!(silent.answer, Answer::Raise(limits(100, 5, 0)));
    assert_eq!(silent.reason, Reason::PoolNotProposed);
    let plain = sizing.answer(&video(Downstream::PlainPool(limits(100, 2, 0))));
    assert_eq!(plain.answer, Answer::Raise(limits(100, 7, 0)));
    let nothing_wanted = Config {
        extra_buffers: 0,
        ..config
    };
    let silent = Sizing::new(nothing_wanted)
        .expect("a config that works")
        .answer(&video(Downstream::Nothing));
    assert_eq!(silent.answer, Answer::Leave);
}

#[test]
fn what_cannot_be_pooled_is_advised_on_where_its_size_is_known() {
    let request = |largest_size| Request {
        frame_size: None,
        largest_size,
        ..video(Downstream::Nothing)
    };
    let camera = with_extra(0, 0, 5).answer(&request(Some(600)));
    assert_eq!(camera.answer, Answer::Raise(limits(600, 5, 0)));
    let unknown = with_extra(0, 0, 5).answer(&request(None));
    assert_eq!(
        (unknown.answer, unknown.reason),
        (Answer::Leave, Reason::NotRawVideo)
    );
    let config = Config {
        min_buffers: 32,
        buffer_size: 65_536,
        ..Config::default()
    };
    let packets = Sizing::new(config).expect("a config that works");
    let advised = packets.answer(&request(None));
    assert_eq!(advised.answer, Answer::Raise(limits(65_536, 32, 0)));
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (1..10_000_u32, 0..64_u32, 0..64_u32).prop_map(|(size, min, extra)| Limits {
        size,
        min,
        max: if extra == 0 { 0 } else { min + extra },
    })
}

fn any_downstream() -> impl Strategy<Value = Downstream> {
    prop_oneof![
        Just(Downstream::Nothing),
        any_limits().prop_map(Downstream::Advice),
        any_limits().prop_map(Downstream::PlainPool),
        any_limits().prop_map(Downstream::Pool),
    ]
}

proptest! {
    #[test]
    fn no_answer_can_stop_the_stream(
        min in 0..64_u32,
        extra in 0..64_u32,
        extra_buffers in 0..64_u32,
        wants_pool in any::<bool>(),
        frame_size in prop::option::of(1..10_000_u32),
        downstream in any_downstream(),
    ) {
        let max = if extra == 0 { 0 } else { min + extra };
        let sizing = Sizing::new(Config { extra_buffers, ..sizing(min, max).0 }).expect("a config that works");
        let request = Request { wants_pool, frame_size, largest_size: None, downstream };
        let asked = match downstream {
            Downstream::Nothing => Limits::default(),
            Downstream::Advice(limits) | Downstream::PlainPool(limits) | Downstream::Pool(limits) => limits,
        };
        match sizing.answer(&request).answer {
            Answer::OwnPool(own) => {
                prop_assert!(own.max == 0 || own.max >= own.min);
                prop_assert!(own.min >= asked.min);
                if matches!(downstream, Downstream::PlainPool(_)) {
                    prop_assert_eq!(own.max, asked.max);
                    prop_assert!(own.min >= min || own.min == own.max);
                } else {
                    prop_assert!(own.min >= min);
                    prop_assert_eq!(own.max, if max == 0 { 0 } else { max.max(min).max(asked.min) });
                }
                prop_assert!(own.size >= asked.size.max(frame_size.unwrap_or(0)));
                prop_assert!(!matches!(downstream, Downstream::Pool(_)));
            }
            Answer::Raise(raised) => {
                prop_assert_eq!((raised.size, raised.max), (asked.size, asked.max));
                prop_assert!(raised.min > asked.min);
                prop_assert!(raised.max == 0 || raised.min <= raised.max);
            }
            Answer::Leave => {}
        }
    }
}
