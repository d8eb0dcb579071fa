//! What the meter makes of readings.

use super::*;

const HOLD: Duration = Duration::from_millis(500);

fn meter() -> LoadMeter {
    let mut meter = LoadMeter::new(Sensors::ALL, 0.85, 0.7);
    meter.on_switch(Duration::from_millis(40), MediaTime::ZERO);
    meter
}

fn ms(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

/// Frames from `from` ms to `to` ms, 25 a second, each of which takes `took` ms.
fn frames(meter: &mut LoadMeter, from: u64, to: u64, took: u64) {
    for pushed in (from..to).step_by(took.max(40) as usize) {
        meter.on_frame(0, ms(pushed), ms(pushed + took));
    }
}

#[test]
fn without_a_reading_there_is_nothing_to_say() {
    let meter = meter();
    assert_eq!(meter.load(ms(0)), Load::default());
    assert!(!meter.is_sensing(ms(0)) && meter.is_calm(ms(0)));
    assert_eq!(meter.overload(HOLD, ms(0)), None);
}

#[test]
fn the_states_are_those_of_the_bounds() {
    let mut meter = meter();
    let mut states = Vec::new();
    for took in [10, 31, 35, 60] {
        let from = states.len() as u64 * 10_000;
        frames(&mut meter, from, from + 2_000, took);
        states.push(meter.load(ms(from + 2_000)).state);
    }
    let expected = [
        LoadState::Optimal,
        LoadState::Elevated,
        LoadState::High,
        LoadState::Critical,
    ];
    assert_eq!(states, expected);
}

#[test]
fn a_load_that_holds_is_an_overload_and_one_that_passes_is_none() {
    let mut meter = meter();
    frames(&mut meter, 0, 2_000, 16);
    frames(&mut meter, 2_000, 2_400, 80);
    assert_eq!(meter.overload(HOLD, ms(2_400)), None);
    let due = meter.next_wakeup(HOLD, ms(2_400)).unwrap();
    assert!(due <= ms(2_600), "{due}");
    frames(&mut meter, 2_400, 2_700, 80);
    let load = meter.overload(HOLD, ms(2_700)).unwrap();
    assert_eq!(load.sensor, Some(Sensor::Chain));
    frames(&mut meter, 2_720, 4_000, 16);
    assert_eq!(meter.overload(HOLD, ms(4_000)), None);
    assert_eq!(meter.next_wakeup(HOLD, ms(4_000)), None);
}

#[test]
fn one_frame_that_takes_half_a_second_is_no_overload_and_two_are() {
    let mut meter = meter();
    frames(&mut meter, 0, 2_000, 4);
    meter.on_frame(0, ms(2_000), ms(2_600));
    assert_eq!(meter.overload(HOLD, ms(2_600)), None);
    meter.on_frame(0, ms(2_600), ms(3_200));
    let load = meter.overload(HOLD, ms(3_200)).unwrap();
    assert_eq!(load.state, LoadState::Critical);
}

#[test]
fn the_busiest_thread_counts() {
    let mut meter = meter();
    for number in 0..100_u64 {
        let pushed = ms(number * 40);
        meter.on_frame(0, pushed, ms(number * 40 + 1));
        meter.on_frame(3, pushed, ms(number * 40 + 36));
        meter.on_frame(99, pushed, ms(number * 40 + 39));
    }
    let value = meter.reading(Sensor::Chain, ms(4_000)).unwrap();
    assert!((0.85..0.95).contains(&value), "{value}");
}

#[test]
fn after_a_switch_nothing_is_read_of_the_rung_until_it_has_settled() {
    let mut meter = meter();
    frames(&mut meter, 0, 1_000, 60);
    meter.on_reading(Sensor::Network, 0.5, ms(1_000));
    meter.on_switch(Duration::from_millis(40), ms(2_000));
    assert_eq!(meter.reading(Sensor::Chain, ms(1_000)), None);
    assert_eq!(meter.reading(Sensor::Network, ms(1_000)), Some(0.5));
    frames(&mut meter, 1_000, 1_900, 60);
    meter.on_reading(Sensor::Queue, 1.0, ms(1_500));
    assert_eq!(meter.overload(Duration::ZERO, ms(1_999)), None);
    assert_eq!(meter.reading(Sensor::Queue, ms(1_999)), None);
}

#[test]
fn what_nobody_repeats_is_forgotten() {
    let mut meter = meter();
    meter.on_reading(Sensor::Latency, 3.0, ms(0));
    assert_eq!(meter.load(ms(2_000)).state, LoadState::Critical);
    assert_eq!(meter.load(ms(3_000)), Load::default());
    meter.on_reading(Sensor::Network, 3.0, ms(0));
    assert_eq!(meter.load(ms(60_000)).sensor, Some(Sensor::Network));
}

#[test]
fn the_machine_is_heard_where_the_own_frames_suffer_or_nobody_looks_at_them() {
    let mut meter = meter();
    for second in 0..4 {
        meter.on_reading(Sensor::Pressure, 0.98, ms(second * 1_000));
    }
    let alone = meter.overload(HOLD, ms(3_500)).unwrap();
    assert_eq!(alone.sensor, Some(Sensor::Pressure));
    assert!(!meter.is_calm(ms(3_500)));
    frames(&mut meter, 0, 3_500, 8);
    assert_eq!(meter.overload(HOLD, ms(3_500)), None);
    assert!(meter.is_calm(ms(3_500)));
    frames(&mut meter, 3_500, 5_500, 33);
    assert_eq!(meter.load(ms(5_500)).sensor, Some(Sensor::Pressure));
    meter.on_reading(Sensor::Pressure, 0.98, ms(5_400));
    let corroborated = meter.overload(HOLD, ms(5_500)).unwrap();
    assert_eq!(corroborated.sensor, Some(Sensor::Pressure));
}

#[test]
fn a_sensor_that_is_switched_off_reads_nothing() {
    let mut meter = meter();
    meter.on_reading(Sensor::Queue, 1.0, ms(0));
    meter.set_bounds(
        Sensors::ALL.without(Sensor::Queue).without(Sensor::Chain),
        0.85,
        0.7,
    );
    assert_eq!(meter.load(ms(1)), Load::default());
    meter.on_reading(Sensor::Queue, 1.0, ms(2));
    frames(&mut meter, 0, 1_000, 60);
    assert_eq!(meter.load(ms(1_000)), Load::default());
    meter.on_reading(Sensor::Latency, f64::NAN, ms(3));
    assert!(!meter.is_sensing(ms(1_000)));
}
