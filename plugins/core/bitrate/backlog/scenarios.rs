//! Minutes of a slow connection in virtual time, with and without a queue before the sink, over 200 seeds.

use super::super::Config;
use super::pipe::{Outcome, Pipe};
use crate::units::Bitrate;

const SEEDS: u64 = 200;
const LIMITS: Config = Config {
    min: Bitrate::from_kbps(100),
    max: Bitrate::from_kbps(8_000),
};

/// Runs `phases` (seconds, capacity and need of the picture in kbit/s) and hands each one's outcome to `check`.
fn every_seed(start_kbps: u64, phases: &[(u64, u64, u64)], check: impl Fn(&str, usize, &Outcome)) {
    for seed in 1..=SEEDS {
        for queued in [true, false] {
            let start = Bitrate::from_kbps(start_kbps);
            let mut pipe = Pipe::new(LIMITS, start, queued, seed);
            let what = format!("seed {seed}, queue {queued}");
            for (number, (seconds, capacity, content)) in phases.iter().enumerate() {
                let outcome = pipe.run(*seconds, *capacity, *content);
                check(&what, number, &outcome);
            }
        }
    }
}

const ANY: u64 = u64::MAX;

#[test]
fn a_rate_too_high_comes_down_to_what_goes_out() {
    every_seed(3_000, &[(30, 1_000, ANY)], |what, _, out| {
        assert!(out.used_late >= 0.9, "{what}: {out:?}");
        assert!(out.behind_late <= 800.0, "{what}: {out:?}");
        assert!(out.target_late <= 1_200.0, "{what}: {out:?}");
    });
}

#[test]
fn a_rate_too_low_rises_to_what_goes_out() {
    every_seed(600, &[(60, 2_000, ANY)], |what, _, out| {
        assert!(out.used_late >= 0.9, "{what}: {out:?}");
        assert!(out.seconds_to_85 <= 5.0, "{what}: {out:?}");
    });
}

#[test]
fn follows_the_capacity_down_and_up_again() {
    let phases = [(30, 4_000, ANY), (30, 1_000, ANY), (30, 3_000, ANY)];
    every_seed(2_000, &phases, |what, number, out| {
        assert!(out.used_late >= 0.88, "{what}, {number}: {out:?}");
        if number == 2 {
            assert!(out.seconds_to_85 <= 12.0, "{what}: {out:?}");
        }
    });
}

#[test]
fn without_trouble_nothing_ever_falls() {
    every_seed(1_000, &[(60, 20_000, ANY)], |what, _, out| {
        assert_eq!(out.falls, 0, "{what}: {out:?}");
        assert_eq!(out.target_kbps, 8_000, "{what}: {out:?}");
    });
}

#[test]
fn a_still_picture_neither_raises_nor_lowers_the_target() {
    every_seed(1_500, &[(60, 2_000, 300)], |what, _, out| {
        assert_eq!(out.target_kbps, 1_500, "{what}: {out:?}");
    });
}
