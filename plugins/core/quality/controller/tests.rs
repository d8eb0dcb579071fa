//! The controller over minutes of virtual time.

use super::super::ladder::DEFAULT_LADDER;
use super::super::rate::FrameRate;
use super::*;

const HIGH: usize = 1;
const MEDIUM: usize = 2;
const LOW: usize = 3;
const ULTRA_LOW: usize = 4;

fn controller(start: Option<usize>, auto: bool) -> Controller {
    let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
    Controller::new(ladder, start, auto, Config::default()).unwrap()
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
    let mut controller = controller(None, true);
    assert_eq!(controller.rung(), None);
    let switch = controller.on_input(&camera(1920, 1080), seconds(0));
    let expected = Switch {
        from: None,
        to: HIGH,
        reason: Reason::Input,
    };
    assert_eq!(switch, Some(expected));
    assert_eq!(controller.on_input(&camera(1920, 1080), seconds(1)), None);
}

#[test]
fn a_start_rung_above_the_input_means_the_best_of_the_input() {
    let mut controller = controller(Some(0), true);
    controller.on_input(&camera(1280, 720), seconds(0));
    assert_eq!(controller.rung(), Some(HIGH));
    let mut manual = self::controller(Some(0), false);
    manual.on_input(&camera(1280, 720), seconds(0));
    assert_eq!(manual.rung(), Some(0));
    assert_eq!(manual.fitted(0).unwrap().width, 1280);
}

#[test]
fn the_network_moves_it_down_at_once_and_up_after_the_hold() {
    let mut controller = controller(None, true);
    controller.on_input(&camera(1920, 1080), seconds(0));
    let switch = controller.on_target(Bitrate::from_kbps(400), seconds(1));
    let expected = Switch {
        from: Some(HIGH),
        to: LOW,
        reason: Reason::Network,
    };
    assert_eq!(switch, Some(expected));
    assert_eq!(
        controller.on_target(Bitrate::from_kbps(8_000), seconds(2)),
        None
    );
    assert_eq!(controller.next_wakeup(), Some(seconds(6)));
    assert_eq!(controller.on_time(seconds(5)), None);
    let up = controller.on_time(seconds(6)).unwrap();
    assert_eq!((up.to, up.reason), (MEDIUM, Reason::Network));
}

#[test]
fn a_target_that_came_before_the_input_counts() {
    let mut controller = controller(None, true);
    assert_eq!(
        controller.on_target(Bitrate::from_kbps(200), seconds(0)),
        None
    );
    controller.on_input(&camera(1920, 1080), seconds(1));
    controller.on_time(seconds(1));
    assert_eq!(controller.rung(), Some(ULTRA_LOW));
}

#[test]
fn by_hand_the_network_is_heard_but_not_obeyed() {
    let mut controller = controller(None, false);
    controller.on_input(&camera(1920, 1080), seconds(0));
    assert_eq!(controller.rung(), Some(0));
    assert_eq!(controller.on_target(Bitrate::ZERO, seconds(1)), None);
    let switch = controller.on_level(LOW).unwrap();
    assert_eq!((switch.to, switch.reason), (LOW, Reason::Manual));
    assert_eq!(controller.on_level(LOW), None);
    controller.on_auto(true);
    let switch = controller.on_time(seconds(2)).unwrap();
    assert_eq!((switch.to, switch.reason), (ULTRA_LOW, Reason::Network));
    assert_eq!(controller.on_level(HIGH), None);
    assert_eq!(controller.rung(), Some(ULTRA_LOW));
}

#[test]
fn a_smaller_input_moves_the_rung_only_where_it_left_the_ladder() {
    let mut controller = controller(None, true);
    controller.on_input(&camera(3840, 2160), seconds(0));
    assert_eq!(controller.rung(), Some(0));
    let switch = controller
        .on_input(&camera(1920, 1080), seconds(1))
        .unwrap();
    assert_eq!((switch.to, switch.reason), (HIGH, Reason::Input));
    controller.on_target(Bitrate::from_kbps(400), seconds(2));
    assert_eq!(controller.on_input(&camera(1280, 720), seconds(3)), None);
    assert_eq!(controller.rung(), Some(LOW));
}

#[test]
fn a_size_that_downstream_refuses_is_left_out() {
    let mut controller = controller(None, true);
    controller.on_input(&camera(1920, 1080), seconds(0));
    let switch = controller.on_refused(None).unwrap();
    assert_eq!((switch.to, switch.reason), (MEDIUM, Reason::Input));
    controller.on_target(Bitrate::from_kbps(9_000), seconds(1));
    assert_eq!(controller.on_time(seconds(100)), None);
    assert_eq!(controller.rung(), Some(MEDIUM));
}

#[test]
fn where_every_size_is_refused_it_stays() {
    let mut controller = controller(None, true);
    controller.on_input(&camera(1920, 1080), seconds(0));
    let tried = (0..20).take_while(|_| controller.on_refused(None).is_some());
    assert!(tried.count() < 5);
}

#[test]
fn a_level_by_hand_that_is_refused_goes_back() {
    let mut controller = controller(Some(MEDIUM), false);
    controller.on_input(&camera(1920, 1080), seconds(0));
    controller.on_level(LOW);
    let switch = controller.on_refused(Some(MEDIUM)).unwrap();
    assert_eq!(switch.to, MEDIUM);
    assert!(controller.on_level(LOW).is_some());
}
