//! The governor, as the network and the input move it, and as it is moved by hand.

use super::super::ladder::DEFAULT_LADDER;
use super::super::rate::FrameRate;
use super::*;

const NETWORK: Reason = Reason::Sensor(Sensor::Network);
const HIGH: usize = 1;
const MEDIUM: usize = 2;
const LOW: usize = 3;
const ULTRA_LOW: usize = 4;

fn governor(start: Option<usize>, auto: bool) -> Governor {
    let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
    Governor::new(ladder, start, auto, Config::default()).unwrap()
}

fn camera(width: u32, height: u32) -> InputVideo {
    InputVideo {
        width,
        height,
        pixel_aspect: (1, 1),
        rate: FrameRate::new(30, 1),
        scalable: true,
    }
}

fn seconds(seconds: u64) -> MediaTime {
    MediaTime::from_millis(seconds * 1_000)
}

#[test]
fn starts_on_the_best_rung_that_the_input_leaves() {
    let mut governor = governor(None, true);
    assert_eq!(governor.rung(), None);
    let switch = governor.on_input(&camera(1920, 1080), seconds(0));
    let expected = Switch {
        from: None,
        to: HIGH,
        reason: Reason::Input,
    };
    assert_eq!(switch, Some(expected));
    assert_eq!(governor.on_input(&camera(1920, 1080), seconds(1)), None);
}

#[test]
fn a_start_rung_above_the_input_means_the_best_of_the_input() {
    let mut governor = governor(Some(0), true);
    governor.on_input(&camera(1280, 720), seconds(0));
    assert_eq!(governor.rung(), Some(HIGH));
    let mut manual = self::governor(Some(0), false);
    manual.on_input(&camera(1280, 720), seconds(0));
    assert_eq!(manual.rung(), Some(0));
    assert_eq!(manual.fitted(0).unwrap().width, 1280);
}

#[test]
fn the_network_moves_it_down_at_once_and_up_after_the_hold() {
    let mut governor = governor(None, true);
    governor.on_input(&camera(1920, 1080), seconds(0));
    let switch = governor.on_target(Bitrate::from_kbps(400), seconds(1));
    let expected = Switch {
        from: Some(HIGH),
        to: LOW,
        reason: NETWORK,
    };
    assert_eq!(switch, Some(expected));
    assert_eq!(
        governor.on_target(Bitrate::from_kbps(8_000), seconds(2)),
        None
    );
    assert_eq!(governor.next_wakeup(seconds(2)), Some(seconds(6)));
    assert_eq!(governor.on_time(seconds(5)), None);
    let up = governor.on_time(seconds(6)).unwrap();
    assert_eq!((up.to, up.reason), (MEDIUM, NETWORK));
}

#[test]
fn a_target_that_came_before_the_input_counts() {
    let mut governor = governor(None, true);
    assert_eq!(
        governor.on_target(Bitrate::from_kbps(200), seconds(0)),
        None
    );
    governor.on_input(&camera(1920, 1080), seconds(1));
    governor.on_time(seconds(1));
    assert_eq!(governor.rung(), Some(ULTRA_LOW));
}

#[test]
fn by_hand_the_network_is_heard_but_not_obeyed() {
    let mut governor = governor(None, false);
    governor.on_input(&camera(1920, 1080), seconds(0));
    assert_eq!(governor.rung(), Some(0));
    assert_eq!(governor.on_target(Bitrate::ZERO, seconds(1)), None);
    let switch = governor.on_level(LOW, seconds(1)).unwrap();
    assert_eq!((switch.to, switch.reason), (LOW, Reason::Manual));
    assert_eq!(governor.on_level(LOW, seconds(1)), None);
    governor.on_auto(true, seconds(1));
    let switch = governor.on_time(seconds(2)).unwrap();
    assert_eq!((switch.to, switch.reason), (ULTRA_LOW, NETWORK));
    assert_eq!(governor.on_level(HIGH, seconds(2)), None);
    assert_eq!(governor.rung(), Some(ULTRA_LOW));
}

#[test]
fn a_smaller_input_moves_the_rung_only_where_it_left_the_ladder() {
    let mut governor = governor(None, true);
    governor.on_input(&camera(3840, 2160), seconds(0));
    assert_eq!(governor.rung(), Some(0));
    let switch = governor.on_input(&camera(1920, 1080), seconds(1)).unwrap();
    assert_eq!((switch.to, switch.reason), (HIGH, Reason::Input));
    governor.on_target(Bitrate::from_kbps(400), seconds(2));
    assert_eq!(governor.on_input(&camera(1280, 720), seconds(3)), None);
    assert_eq!(governor.rung(), Some(LOW));
}

#[test]
fn a_size_that_downstream_refuses_is_left_out() {
    let mut governor = governor(None, true);
    governor.on_input(&camera(1920, 1080), seconds(0));
    let switch = governor.on_refused(None, seconds(0)).unwrap();
    assert_eq!((switch.to, switch.reason), (MEDIUM, Reason::Input));
    governor.on_target(Bitrate::from_kbps(9_000), seconds(1));
    assert_eq!(governor.on_time(seconds(100)), None);
    assert_eq!(governor.rung(), Some(MEDIUM));
}

#[test]
fn where_every_size_is_refused_it_stays() {
    let mut governor = governor(None, true);
    governor.on_input(&camera(1920, 1080), seconds(0));
    let tried = (0..20).take_while(|_| governor.on_refused(None, seconds(0)).is_some());
    assert!(tried.count() < 5);
}

#[test]
fn a_level_by_hand_that_is_refused_goes_back() {
    let mut governor = governor(Some(MEDIUM), false);
    governor.on_input(&camera(1920, 1080), seconds(0));
    governor.on_level(LOW, seconds(1));
    let switch = governor.on_refused(Some(MEDIUM), seconds(1)).unwrap();
    assert_eq!(switch.to, MEDIUM);
    assert!(governor.on_level(LOW, seconds(1)).is_some());
}
