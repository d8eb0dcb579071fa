//! The governor, as each sensor moves it.

use super::super::ladder::DEFAULT_LADDER;
use super::super::rate::FrameRate;
use super::super::sensor::Sensors;
use super::*;

const HIGH: usize = 1;
const MEDIUM: usize = 2;
const LOW: usize = 3;
const LEAST: usize = 4;

fn governor(config: Config) -> Governor {
    let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
    let mut governor = Governor::new(ladder, None, true, config).unwrap();
    let input = InputVideo {
        width: 1920,
        height: 1080,
        pixel_aspect: (1, 1),
        rate: FrameRate::new(30, 1),
        scalable: true,
    };
    governor.on_input(&input, MediaTime::ZERO);
    governor
}

fn ms(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// One more frame, 33 ms after the one before, that takes `took` ms. Answers the switch before it.
fn frame(governor: &mut Governor, now: &mut MediaTime, took: u64) -> Option<Switch> {
    let switch = governor.on_time(*now);
    let pushed = *now;
    *now = pushed.after(Duration::from_millis(took.max(33)));
    governor.on_frame(pushed, pushed.after(Duration::from_millis(took)));
    switch
}

/// Frames until `end` ms. Answers every switch, with its time in ms.
fn frames(governor: &mut Governor, now: &mut MediaTime, end: u64, took: u64) -> Vec<(u64, Switch)> {
    let mut switches = Vec::new();
    while *now < ms(end) {
        let at = now.as_nanos() / 1_000_000;
        switches.extend(frame(governor, now, took).map(|switch| (at, switch)));
    }
    switches
}

/// Lets `sensor` read too much.
fn excess(governor: &mut Governor, sensor: Sensor, now: MediaTime) -> Option<Switch> {
    let millis = Duration::from_millis;
    match sensor {
        Sensor::Chain => governor.on_frame(now.before(millis(33)), now),
        Sensor::Queue => governor.on_queue(Ratio::new(1.0), now),
        Sensor::Latency => governor.on_latency(millis(150), millis(100), now),
        Sensor::Qos => governor.on_qos(1.1, 1_000_000, now),
        Sensor::Network => return governor.on_target(Bitrate::from_kbps(2_000), now),
        Sensor::Throttling => governor.on_throttled(Ratio::new(0.4), now),
        Sensor::Pressure => governor.on_pressure(Ratio::new(0.8), now),
        Sensor::Gpu => governor.on_gpu(Ratio::new(0.99), now),
    }
    None
}

/// The first switch in three seconds in which `sensor` reads too much.
fn moved_by(sensor: Sensor, sensors: Sensors) -> Option<Switch> {
    let config = Config {
        sensors,
        ..Config::default()
    };
    let mut governor = governor(config);
    (30..130_u64).find_map(|tick| {
        let now = ms(tick * 33);
        excess(&mut governor, sensor, now).or_else(|| governor.on_time(now))
    })
}

#[test]
fn every_sensor_brings_it_down_and_is_named_and_none_that_is_switched_off() {
    for sensor in Sensor::ALL {
        let expected = Switch {
            from: Some(HIGH),
            to: MEDIUM,
            reason: Reason::Sensor(sensor),
        };
        assert_eq!(moved_by(sensor, Sensors::ALL), Some(expected), "{sensor}");
        assert_eq!(
            moved_by(sensor, Sensors::ALL.without(sensor)),
            None,
            "{sensor}"
        );
    }
}

#[test]
fn a_sensor_that_sees_others_too_needs_one_that_sees_ours() {
    for sensor in [Sensor::Throttling, Sensor::Pressure, Sensor::Gpu] {
        for (took, falls) in [(8, false), (28, true)] {
            let mut governor = governor(Config::default());
            let mut now = MediaTime::ZERO;
            let switch = (0..200).find_map(|_| {
                excess(&mut governor, sensor, now);
                frame(&mut governor, &mut now, took)
            });
            assert_eq!(switch.is_some(), falls, "{sensor}, {took} ms");
            let reason = switch.map(|switch| switch.reason);
            assert!(reason.is_none_or(|reason| reason == Reason::Sensor(sensor)));
        }
    }
}

#[test]
fn without_any_sensor_it_stays() {
    let mut governor = governor(Config::default());
    governor.on_auto(false, ms(0));
    governor.on_level(LOW, ms(0));
    governor.on_auto(true, ms(0));
    for second in 0..600 {
        assert_eq!(governor.on_time(ms(second * 1_000)), None);
    }
    assert!(!governor.is_sensing(ms(600_000)));
    assert_eq!(governor.load(ms(600_000)).sensor, None);
}

#[test]
fn it_goes_down_after_the_hold_and_not_before() {
    let mut governor = governor(Config::default());
    let mut now = MediaTime::ZERO;
    assert_eq!(frames(&mut governor, &mut now, 5_000, 15), []);
    let switches = frames(&mut governor, &mut now, 6_000, 36);
    let (at, switch) = switches[0];
    assert!((5_500..5_750).contains(&at), "{at}");
    assert_eq!((switch.to, switches.len()), (MEDIUM, 1));
}

#[test]
fn a_critical_load_skips_the_rungs_that_would_not_be_enough() {
    let mut governor = governor(Config::default());
    let mut now = MediaTime::ZERO;
    frames(&mut governor, &mut now, 5_000, 15);
    let switches = frames(&mut governor, &mut now, 5_900, 150);
    assert_eq!(switches[0].1.to, LOW);
}

#[test]
fn at_the_lowest_rung_there_is_nothing_more_to_do() {
    let mut governor = governor(Config::default());
    let mut now = MediaTime::ZERO;
    let switches = frames(&mut governor, &mut now, 60_000, 500);
    assert_eq!(switches.last().unwrap().1.to, LEAST);
    assert!(switches.len() <= 3);
    assert_eq!(governor.load(now).state.as_str(), "critical");
}

#[test]
fn it_comes_back_one_rung_at_a_time_and_each_time_after_the_wait() {
    let mut governor = governor(Config::default());
    let mut now = MediaTime::ZERO;
    frames(&mut governor, &mut now, 6_000, 300);
    assert_eq!(governor.rung(), Some(LEAST));
    let start = now;
    let switches = frames(&mut governor, &mut now, 40_000, 1);
    let to: Vec<usize> = switches.iter().map(|(_, switch)| switch.to).collect();
    assert_eq!(to, [LOW, MEDIUM, HIGH], "{switches:?}");
    let mut before = start.as_nanos() / 1_000_000;
    for (at, _) in switches {
        assert!((3_900..6_500).contains(&(at - before)), "{before} to {at}");
        before = at;
    }
}

#[test]
fn an_upgrade_that_fails_makes_only_its_own_rung_wait_longer() {
    let mut governor = governor(Config::default());
    let mut now = MediaTime::ZERO;
    // Nothing of the load is seen below the best rung, as behind a queue.
    let mut tries = Vec::new();
    for _ in 0..8_000 {
        let took = if governor.rung() == Some(HIGH) { 40 } else { 1 };
        if let Some(switch) = frame(&mut governor, &mut now, took)
            && switch.to == HIGH
        {
            tries.push(now.as_nanos() / 1_000_000_000);
        }
    }
    let apart: Vec<u64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        apart
            .iter()
            .zip([8, 16, 32])
            .all(|(apart, least)| *apart >= least),
        "{apart:?}"
    );
    assert!(
        governor.wait() >= Duration::from_secs(64),
        "{:?}",
        governor.wait()
    );
    let end = now.as_nanos() / 1_000_000 + 3_000;
    frames(&mut governor, &mut now, end, 200);
    assert_eq!(governor.rung(), Some(LEAST));
    assert_eq!(governor.wait(), Config::default().up_hold);
}

#[test]
fn a_full_queue_or_a_late_frame_is_no_room() {
    const LATE: Duration = Duration::from_millis(70);
    const ALLOWED: Duration = Duration::from_millis(100);
    let spoilt: [fn(&mut Governor, MediaTime); 4] = [
        |governor, now| governor.on_queue(Ratio::new(0.6), now),
        |governor, now| governor.on_latency(LATE, ALLOWED, now),
        |governor, now| governor.on_throttled(Ratio::new(0.2), now),
        |governor, now| governor.on_gpu(Ratio::new(0.8), now),
    ];
    for (case, spoil) in spoilt.into_iter().enumerate() {
        let mut governor = governor(Config::default());
        let mut now = MediaTime::ZERO;
        frames(&mut governor, &mut now, 6_000, 300);
        let start = governor.rung();
        for _ in 0..600 {
            spoil(&mut governor, now);
            assert_eq!(frame(&mut governor, &mut now, 1), None, "case {case}");
        }
        assert_eq!(governor.rung(), start);
    }
}

#[test]
fn other_settings_hold_from_then_on() {
    let mut governor = governor(Config::default());
    let mut now = MediaTime::ZERO;
    assert_eq!(frames(&mut governor, &mut now, 5_000, 24), []);
    let busy_high = 0.6;
    let up_projected_max = 0.5;
    let stricter = Config {
        busy_high,
        up_projected_max,
        ..Config::default()
    };
    governor.set_config(stricter).unwrap();
    assert_eq!(frames(&mut governor, &mut now, 7_000, 24).len(), 1);
    let nonsense = Config {
        up_margin: 0.0,
        ..stricter
    };
    assert_eq!(governor.set_config(nonsense), Err(ConfigError::Margin));
}

#[test]
fn somebody_elses_load_brings_a_member_of_a_group_down() {
    let mut arbiter = Arbiter::default();
    let (first, second) = (arbiter.join(5), arbiter.join(0));
    let mut governors = [governor(Config::default()), governor(Config::default())];
    let mut switches = Vec::new();
    for frame in 0..90_u64 {
        let now = ms(frame * 33);
        for (governor, id) in governors.iter_mut().zip([first, second]) {
            let switch = governor.on_time_in((&mut arbiter, id), now);
            switches.extend(switch.map(|switch| (id, switch)));
        }
        let shares = governors[1].rung() == Some(HIGH);
        let took = if shares { 33 } else { 22 };
        governors[0].on_frame(now, now.after(Duration::from_millis(took)));
        governors[1].on_frame(now, now.after(Duration::from_millis(2)));
    }
    let (id, switch) = switches[0];
    assert_eq!((id, switch.to), (second, MEDIUM));
    assert_eq!(switch.reason, Reason::Group(Sensor::Chain));
    assert_eq!(
        (switch.reason.as_str(), switch.reason.sensor()),
        ("group", Some(Sensor::Chain))
    );
    assert_eq!(governors[0].rung(), Some(HIGH));
}

#[test]
fn a_machine_that_is_not_full_is_not_to_blame() {
    type Say = fn(&mut Governor, MediaTime);
    let says: [(Say, usize); 4] = [
        (
            |governor, now| governor.on_processors(Ratio::new(0.5), now),
            0,
        ),
        (
            |governor, now| governor.on_pressure(Ratio::new(0.1), now),
            0,
        ),
        (
            |governor, now| governor.on_processors(Ratio::new(0.99), now),
            1,
        ),
        (
            |governor, now| governor.on_pressure(Ratio::new(0.5), now),
            1,
        ),
    ];
    for (case, (say, first)) in says.into_iter().enumerate() {
        let mut arbiter = Arbiter::default();
        let ids = [arbiter.join(5), arbiter.join(0)];
        let mut governors = [governor(Config::default()), governor(Config::default())];
        let mut moved = Vec::new();
        for frame in 0..60_u64 {
            let now = ms(frame * 33);
            for (index, governor) in governors.iter_mut().enumerate() {
                say(governor, now);
                let switch = governor.on_time_in((&mut arbiter, ids[index]), now);
                moved.extend(switch.map(|_| index));
            }
            governors[0].on_frame(now, now.after(Duration::from_millis(33)));
            governors[1].on_frame(now, now.after(Duration::from_millis(2)));
        }
        assert_eq!(moved.first(), Some(&first), "case {case}");
    }
}
