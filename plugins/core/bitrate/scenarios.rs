//! Minutes of network in virtual time, over many seeds. The bounds were seen to hold for 200 seeds; twenty run here.

use proptest::prelude::*;

use super::link::{Link, Outcome, Phase};
use super::*;
use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount, Ratio};
use std::time::Duration;

const SEEDS: u64 = 20;
const LIMITS: Config = Config {
    min: Bitrate::from_kbps(100),
    max: Bitrate::from_kbps(8_000),
};
const START: Bitrate = Bitrate::from_kbps(600);

/// Runs `phases` with every seed and hands each phase's outcome to `check`.
fn every_seed(report_ms: u64, phases: &[Phase], check: impl Fn(u64, usize, &Outcome)) {
    for seed in 1..=SEEDS {
        let mut link = Link::new(LIMITS, START, report_ms, seed);
        for (number, phase) in phases.iter().enumerate() {
            let outcome = link.run(*phase);
            check(seed, number, &outcome);
        }
    }
}

#[test]
fn finds_a_constant_capacity_and_stays_there() {
    every_seed(200, &[Phase::of(60, 2_000)], |seed, _, out| {
        assert!(out.used_late >= 0.9, "seed {seed}: {out:?}");
        assert!(out.seconds_to_85 <= 5.0, "seed {seed}: {out:?}");
        assert!(out.queue_p95 <= 200.0, "seed {seed}: {out:?}");
        assert!(out.dropped <= 0.01, "seed {seed}: {out:?}");
    });
}

#[test]
fn follows_the_capacity_down_and_up_again() {
    let phases = [
        Phase::of(30, 4_000),
        Phase::of(30, 1_000),
        Phase::of(30, 3_000),
    ];
    every_seed(200, &phases, |seed, number, out| match number {
        0 => {
            assert!(out.used_late >= 0.9, "seed {seed}: {out:?}");
            assert!(out.seconds_to_85 <= 8.0, "seed {seed}: {out:?}");
        }
        1 => {
            assert!(out.queue_short_after <= 3.0, "seed {seed}: {out:?}");
            assert!(out.used_late >= 0.8, "seed {seed}: {out:?}");
            assert!(out.dropped <= 0.12, "seed {seed}: {out:?}");
        }
        _ => {
            assert!(out.used_late >= 0.9, "seed {seed}: {out:?}");
            assert!(out.seconds_to_85 <= 8.0, "seed {seed}: {out:?}");
        }
    });
}

#[test]
fn random_loss_is_carried() {
    for (loss, least) in [(0.02, 0.9), (0.05, 0.85), (0.10, 0.6)] {
        let phase = Phase {
            random_loss: loss,
            ..Phase::of(60, 4_000)
        };
        every_seed(200, &[phase], |seed, _, out| {
            assert!(out.used_late >= least, "{loss}, seed {seed}: {out:?}");
        });
    }
}

#[test]
fn loss_that_no_rate_survives_goes_down_to_the_minimum() {
    let phase = Phase {
        random_loss: 0.3,
        ..Phase::of(60, 4_000)
    };
    every_seed(200, &[phase], |seed, _, out| {
        assert_eq!(out.target_kbps, 100, "seed {seed}: {out:?}");
    });
}

#[test]
fn a_still_picture_neither_raises_nor_lowers_the_target() {
    let still = Phase {
        content_kbps: 150,
        ..Phase::of(30, 2_000)
    };
    let phases = [Phase::of(30, 2_000), still, Phase::of(30, 2_000)];
    every_seed(200, &phases, |seed, number, out| match number {
        1 => {
            assert!(out.highest_target_kbps <= 2_600, "seed {seed}: {out:?}");
            assert!(out.target_kbps >= 1_400, "seed {seed}: {out:?}");
        }
        2 => {
            assert!(out.seconds_to_85 <= 3.0, "seed {seed}: {out:?}");
            assert!(out.dropped <= 0.01, "seed {seed}: {out:?}");
        }
        _ => {}
    });
}

#[test]
fn silence_of_the_receiver_lowers_the_target_and_reports_raise_it_again() {
    let silent = Phase {
        reports: false,
        ..Phase::of(30, 2_000)
    };
    let phases = [Phase::of(30, 2_000), silent, Phase::of(30, 2_000)];
    every_seed(200, &phases, |seed, number, out| match number {
        1 => assert!(out.target_kbps <= 500, "seed {seed}: {out:?}"),
        2 => assert!(out.used_late >= 0.8, "seed {seed}: {out:?}"),
        _ => {}
    });
}

#[test]
fn regular_rtcp_of_five_seconds_is_enough_to_get_there() {
    every_seed(5_000, &[Phase::of(120, 2_000)], |seed, _, out| {
        assert!(out.used_late >= 0.6, "seed {seed}: {out:?}");
        assert!(out.dropped <= 0.15, "seed {seed}: {out:?}");
    });
}

#[test]
fn a_longer_route_is_not_a_queue_for_ever() {
    let mut controller = Controller::new(LIMITS).unwrap();
    controller.start_at(Bitrate::from_kbps(2_000), MediaTime::ZERO);
    for frame in 0..30 * 60 {
        let now = MediaTime::from_millis(frame * 33);
        let bytes = controller.target().as_bps() * 33 / 8_000;
        controller.on_sent(ByteCount::new(bytes), now);
        if frame % 6 == 5 {
            let rtt = if frame < 300 { 30 } else { 230 };
            let report = IntervalReport {
                rtt: Some(Duration::from_millis(rtt)),
                ..IntervalReport::default()
            };
            controller.on_report(report, now);
        }
    }
    assert_eq!(controller.target(), LIMITS.max);
}

#[test]
fn a_pause_of_the_sender_is_not_silence_of_the_receiver() {
    let mut controller = Controller::new(LIMITS).unwrap();
    controller.start_at(Bitrate::from_kbps(2_000), MediaTime::ZERO);
    let minute = MediaTime::from_millis(60_000);
    for (sent, report) in [(0, true), (200, true), (400, true), (60_000, false)] {
        let now = MediaTime::from_millis(sent);
        controller.on_sent(ByteCount::new(1_000), now);
        if report {
            controller.on_report(IntervalReport::default(), now);
        }
        assert_eq!(controller.on_timer(now), None);
    }
    let silent = minute.after(Duration::from_secs(15));
    controller.on_sent(ByteCount::new(1_000), minute.after(Duration::from_secs(4)));
    for second in 5..=15 {
        let now = minute.after(Duration::from_secs(second));
        controller.on_sent(ByteCount::new(1_000), now);
    }
    let decision = controller.on_timer(silent).unwrap();
    assert_eq!(decision.reason, Reason::FeedbackLost);
}

#[test]
fn limits_that_cross_are_refused_and_new_ones_move_the_target() {
    let crossed = Config {
        min: LIMITS.max,
        max: LIMITS.min,
    };
    assert_eq!(
        Controller::new(crossed).err(),
        Some(ConfigError::MinAboveMax)
    );
    let mut controller = Controller::new(LIMITS).unwrap();
    controller.start_at(Bitrate::from_kbps(5_000), MediaTime::ZERO);
    assert_eq!(
        controller.set_limits(crossed),
        Err(ConfigError::MinAboveMax)
    );
    assert_eq!(controller.config(), LIMITS);
    let lower = Config {
        max: Bitrate::from_kbps(1_000),
        ..LIMITS
    };
    let decision = controller.set_limits(lower).unwrap().unwrap();
    assert_eq!(decision.bitrate, lower.max);
    assert_eq!(decision.previous, Bitrate::from_kbps(5_000));
    assert_eq!(decision.reason, Reason::Limits);
}

#[derive(Clone, Debug)]
enum Step {
    Sent(u64),
    Report(IntervalReport),
    Packets(Vec<PacketResult>),
    Timer,
}

prop_compose! {
    fn any_report()(
        loss in any::<f64>(),
        expected in any::<Option<u32>>(),
        delivered in any::<Option<u64>>(),
        rtt in any::<Option<Duration>>(),
        jitter in any::<Option<Duration>>(),
    ) -> IntervalReport {
        let delivered = delivered.map(Bitrate::from_bps);
        IntervalReport { loss: Ratio::new(loss), expected, delivered, rtt, jitter }
    }
}

prop_compose! {
    fn any_packet()(
        near in 0..3_000_u64,
        far in any::<u64>(),
        is_near in prop::bool::weighted(0.9),
        departed in any_moment(),
        arrived in prop::option::weighted(0.9, any_moment()),
        size in prop_oneof![9 => 0..1_500_u64, 1 => any::<u64>()],
    ) -> PacketResult {
        let sequence = if is_near { near } else { far };
        PacketResult { sequence, departed, arrived, size: ByteCount::new(size) }
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<u64>().prop_map(Step::Sent),
        (0..20_000_u64).prop_map(Step::Sent),
        any_report().prop_map(Step::Report),
        prop::collection::vec(any_packet(), 0..60).prop_map(Step::Packets),
        Just(Step::Timer),
    ]
}

fn any_moment() -> impl Strategy<Value = MediaTime> {
    let far = any::<u64>().prop_map(MediaTime::from_nanos);
    let near = (0..60_000_u64).prop_map(MediaTime::from_millis);
    prop_oneof![1 => far, 4 => near]
}

proptest! {
    #[test]
    fn whatever_comes_in_the_target_stays_between_the_limits(
        min in any::<u64>(),
        more in any::<u64>(),
        start in any::<u64>(),
        steps in prop::collection::vec((any_step(), any_moment()), 0..200),
    ) {
        // An f64 holds whole numbers to 2^53.
        let min = min >> 12;
        let max = (min + (more >> 12)).max(1);
        let config = Config { min: Bitrate::from_bps(min), max: Bitrate::from_bps(max) };
        let mut controller = Controller::new(config).unwrap();
        controller.start_at(Bitrate::from_bps(start), MediaTime::ZERO);
        for (step, now) in steps {
            let decision = match step {
                Step::Sent(bytes) => {
                    controller.on_sent(ByteCount::new(bytes), now);
                    None
                }
                Step::Report(report) => controller.on_report(report, now),
                Step::Packets(results) => controller.on_packets(&results, now),
                Step::Timer => controller.on_timer(now),
            };
            if let Some(decision) = decision {
                prop_assert_ne!(decision.bitrate, decision.previous);
                prop_assert_eq!(decision.bitrate, controller.target());
            }
            prop_assert!(config.min <= controller.target() && controller.target() <= config.max);
        }
    }
}
