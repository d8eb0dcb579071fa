//! Encoders of all kinds in virtual time.

use proptest::prelude::*;

use super::*;

/// An encoder at 30 frames a second, with a key frame every 5 s.
struct Encoder {
    /// Sends so many times what it is told.
    response: f64,
    /// The most that the picture needs (kbit/s).
    picture: f64,
    /// Whatever it is told, it sends this (kbit/s).
    stubborn: Option<f64>,
    frame: u64,
    rate: f64,
}

fn encoder(response: f64, picture: f64) -> Encoder {
    Encoder {
        response,
        picture,
        stubborn: None,
        frame: 0,
        rate: 0.0,
    }
}

impl Encoder {
    fn now(&self) -> MediaTime {
        MediaTime::from_nanos(self.frame * 1_000_000_000 / 30)
    }

    /// Lets `seconds` pass at the target `kbps`; answers the rate of the last one.
    fn run(&mut self, gain: &mut Gain, kbps: u64, seconds: u64) -> f64 {
        let target = Bitrate::from_kbps(kbps);
        let (mut told, mut last) = (None, 0.0);
        for n in 0..seconds * 30 {
            let at = self.now();
            gain.on_target(target);
            if told != Some(gain.factor()) && !gain.ignores() {
                told = Some(gain.factor());
                gain.on_told(target, gain.factor(), at);
            }
            let asked = kbps as f64 * told.unwrap_or(1.0) * self.response;
            let aim = self.stubborn.unwrap_or(asked.min(self.picture));
            self.rate += (aim - self.rate) * 0.1;
            let key = if self.frame.is_multiple_of(150) {
                5.0
            } else {
                1.0
            };
            let bytes = self.rate * 1000.0 / 8.0 / 30.0 * key;
            gain.on_output(ByteCount::new(bytes as u64), key > 1.0, target, at);
            self.frame += 1;
            if n >= (seconds - 1) * 30 {
                last += bytes * 8.0 / 1000.0 / key;
            }
        }
        last
    }
}

const BUSY: f64 = 1e9;

#[test]
fn an_encoder_that_sends_what_it_is_told_is_left_alone() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, BUSY));
    for kbps in [500, 2_000, 700, 1_500, 1_400, 300] {
        encoder.run(&mut gain, kbps, 8);
        assert_eq!(gain.factor(), 1.0, "at {kbps}");
    }
    assert!(!gain.ignores());
}

#[test]
fn twice_as_much_is_halved_within_five_seconds() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(2.0, BUSY));
    let sent = encoder.run(&mut gain, 500, 5);
    assert!((460.0..540.0).contains(&sent), "{sent}");
    for kbps in [2_000, 300, 900] {
        let sent = encoder.run(&mut gain, kbps, 5);
        assert!(
            (0.9..1.1).contains(&(sent / kbps as f64)),
            "{sent} of {kbps}"
        );
    }
    assert!(!gain.ignores());
}

#[test]
fn too_little_is_raised_where_the_output_follows() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(0.7, BUSY));
    let sent = encoder.run(&mut gain, 500, 5);
    assert!(
        sent < 360.0,
        "nothing shows yet that it is not the picture: {sent}"
    );
    encoder.run(&mut gain, 1_000, 9);
    let sent = encoder.run(&mut gain, 1_000, 3);
    assert!((920.0..1_060.0).contains(&sent), "{sent}");
}

#[test]
fn a_still_picture_says_nothing_about_its_encoder() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, 200.0));
    for kbps in [1_000, 3_000, 500, 250, 4_000] {
        encoder.run(&mut gain, kbps, 8);
        assert!(gain.factor() <= 1.0, "{} at {kbps}", gain.factor());
        assert!(!gain.ignores(), "at {kbps}");
    }
}

#[test]
fn what_was_learnt_on_a_busy_picture_outlives_a_still_one() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(2.0, BUSY));
    encoder.run(&mut gain, 1_000, 8);
    encoder.picture = 150.0;
    encoder.run(&mut gain, 1_000, 120);
    assert!(gain.factor() < 0.65, "{}", gain.factor());
    encoder.picture = BUSY;
    encoder.run(&mut gain, 1_000, 4);
    let sent = encoder.run(&mut gain, 1_000, 2);
    assert!((900.0..1_100.0).contains(&sent), "{sent}");
}

#[test]
fn an_encoder_that_sent_too_much_for_a_while_gets_its_rate_back() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(1.8, BUSY));
    encoder.run(&mut gain, 1_000, 8);
    encoder.response = 1.0;
    encoder.run(&mut gain, 1_000, 15);
    let sent = encoder.run(&mut gain, 1_000, 2);
    assert!((920.0..1_080.0).contains(&sent), "{sent}");
}

#[test]
fn an_encoder_that_does_not_listen_is_noticed_within_five_seconds() {
    for stubborn in [1_500.0, 2_000.0, 5_000.0] {
        let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, BUSY));
        encoder.stubborn = Some(stubborn);
        encoder.run(&mut gain, 6_000, 6);
        assert!(!gain.ignores(), "what it sends is allowed");
        encoder.run(&mut gain, 1_000, 5);
        assert!(gain.ignores(), "{stubborn} kbit/s, told 1000");
        encoder.stubborn = None;
        encoder.run(&mut gain, 1_000, 5);
        assert!(!gain.ignores(), "it listens again");
    }
}

#[test]
fn an_encoder_that_could_not_send_less_is_told_less_when_it_can() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, BUSY));
    encoder.run(&mut gain, 1_000, 6);
    encoder.stubborn = Some(700.0);
    encoder.run(&mut gain, 300, 5);
    assert!(gain.ignores());
    encoder.run(&mut gain, 100, 5);
    assert!(gain.ignores());
    // It stands at what it was told before it was given up.
    encoder.stubborn = Some(300.0);
    encoder.run(&mut gain, 100, 4);
    encoder.stubborn = None;
    let sent = encoder.run(&mut gain, 100, 5);
    assert!(!gain.ignores() && sent < 110.0, "{sent}");
}

#[test]
fn from_the_start_too() {
    for stubborn in [1_600.0, 4_000.0] {
        let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, BUSY));
        (encoder.stubborn, encoder.rate) = (Some(stubborn), stubborn);
        encoder.run(&mut gain, 1_000, 5);
        assert!(gain.ignores(), "{stubborn} kbit/s, told 1000");
    }
}

#[test]
fn frequent_key_frames_are_not_taken_for_a_higher_rate() {
    for (interval, share) in [(15, 0.3), (30, 0.4), (30, 0.7), (60, 0.5), (90, 0.6)] {
        let mut gain = Gain::new();
        let frames = f64::from(interval as u32);
        for frame in 0..3_000_u64 {
            let at = MediaTime::from_nanos(frame * 1_000_000_000 / 30);
            let target = Bitrate::from_kbps(1_000);
            let part = if frame.is_multiple_of(interval) {
                share
            } else {
                (1.0 - share) / (frames - 1.0)
            };
            if frame == 0 {
                gain.on_told(target, 1.0, at);
            }
            let bytes = 1e6 / 8.0 * frames / 30.0 * part;
            let key = frame.is_multiple_of(interval);
            gain.on_output(ByteCount::new(bytes as u64), key, target, at);
            assert_eq!(gain.factor(), 1.0, "every {interval}, {share} of the bits");
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_the_factor_stays_within_half_and_double(
        steps in prop::collection::vec((any::<u64>(), any::<u64>(), 0..2_000_u64, 0.0..4.0_f64), 0..300),
    ) {
        let mut gain = Gain::new();
        let mut at = MediaTime::ZERO;
        for (bytes, target, step, factor) in steps {
            at = at.after(Duration::from_millis(step));
            let target = Bitrate::from_bps(target >> (target % 60));
            if step % 3 == 0 {
                gain.on_told(target, factor, at);
            }
            let bytes = ByteCount::new(bytes >> (bytes % 60));
            gain.on_output(bytes, step % 5 == 0, target, at);
            prop_assert!((0.5..=2.0).contains(&gain.factor()), "{}", gain.factor());
        }
    }
}

#[test]
fn a_rate_that_glides_is_not_held_against_an_encoder_that_lags() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, BUSY));
    encoder.run(&mut gain, 3_000, 8);
    let mut told = 3_000;
    for round in 0..300_u64 {
        told = if round % 100 < 50 {
            told * 96 / 100
        } else {
            told * 104 / 100
        };
        for _ in 0..6 {
            let at = encoder.now();
            gain.on_told(Bitrate::from_kbps(told), gain.factor(), at);
            encoder.rate += (told as f64 * gain.factor() - encoder.rate) * 0.04;
            let bytes = encoder.rate * 1000.0 / 8.0 / 30.0;
            gain.on_output(
                ByteCount::new(bytes as u64),
                false,
                Bitrate::from_kbps(told),
                at,
            );
            encoder.frame += 1;
        }
        assert!((0.95..1.15).contains(&gain.factor()), "{}", gain.factor());
    }
}

#[test]
fn a_pause_is_not_a_low_rate() {
    let (mut gain, mut encoder) = (Gain::new(), encoder(2.0, BUSY));
    encoder.run(&mut gain, 1_000, 8);
    let factor = gain.factor();
    for _ in 0..20 {
        encoder.frame += 90;
        encoder.run(&mut gain, 1_000, 2);
    }
    assert!((gain.factor() - factor).abs() < 0.1, "{}", gain.factor());
}
