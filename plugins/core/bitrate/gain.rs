//! What an encoder makes of what it is told: how many times as much it sends, and whether it listens at all.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

/// An encoder has followed by then (measured: x264enc takes up to 26 frames).
const SETTLE: Duration = Duration::from_secs(1);
/// Output is judged by two such windows in a row, by the one that speaks for the encoder: a key frame falls in one of
/// them, and with `SETTLE` there are two verdicts within 5 s, so that the second can judge what came of the first.
const WINDOW: Duration = Duration::from_millis(600);
/// A longer step is a pause, not a low rate.
const PAUSE: Duration = Duration::from_secs(1);
/// The factor stays within half and double.
const LEAST: f64 = 0.5;
const MOST: f64 = 2.0;
/// More than the target by this much is corrected, less than that much looked into. In between is what rate controls
/// differ by from second to second.
const TOO_MUCH: f64 = 1.08;
const TOO_LITTLE: f64 = 0.92;
/// What is told changed, so that a change of the output can be expected.
const JUMP: f64 = 1.2;
/// The output that stays within this of what it was has not followed.
const SAME: f64 = 0.1;
/// The output follows where it takes at least this part of a step, as a power of the step: a still picture takes none.
const FOLLOWS: f64 = 0.5;
/// Beyond this the encoder is asked whether it follows at all, and beyond the second no factor would help.
const BY_FAR: f64 = 1.4;
const HOPELESS: f64 = 2.5;
/// It came back to what is asked.
const AGAIN: f64 = 1.2;
/// A step up that tries whether more comes out: the factor is still needed, or not yet enough.
const TRIAL: f64 = 1.25;
/// After a trial in vain the next one waits, longer each time: a still picture needs none.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LAST_WAIT: Duration = Duration::from_secs(60);

/// Compares what is asked of an encoder with what comes out, and learns the factor that makes both equal.
///
/// More than was asked always counts against the encoder. Less does so only where the output is seen to follow
/// what is told in proportion: a still picture sends less, whatever it is allowed.
#[derive(Clone, Debug)]
pub struct Gain {
    factor: f64,
    told: Option<Told>,
    /// What came of what was told before.
    before: Option<Steady>,
    steady: Option<Steady>,
    settled: MediaTime,
    window: Option<Window>,
    last: Option<MediaTime>,
    /// The rate in the window before.
    earlier: Option<f64>,
    trial: Option<Steady>,
    next_trial: MediaTime,
    wait: Duration,
    ignores: bool,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    target: f64,
    factor: f64,
}

impl Told {
    fn asked(self) -> f64 {
        self.target * self.factor
    }
}

#[derive(Clone, Copy, Debug)]
struct Steady {
    told: Told,
    low: f64,
    high: f64,
}

impl Steady {
    fn rate(self) -> f64 {
        (self.low + self.high) / 2.0
    }

    /// How much of the step from `before` to this the output has taken, at least; `None` where there was no step.
    fn followed(self, before: Self) -> Option<f64> {
        let step = self.told.asked() / before.told.asked();
        let (step, taken) = if step > 1.0 {
            (step, self.low / before.high)
        } else {
            (1.0 / step, before.low / self.high)
        };
        (step >= JUMP).then(|| taken.ln() / step.ln())
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: MediaTime,
    bytes: u64,
    target: f64,
}

impl Gain {
    /// An encoder of which nothing is known yet.
    pub fn new() -> Self {
        Self {
            factor: 1.0,
            told: None,
            before: None,
            steady: None,
            settled: MediaTime::ZERO,
            window: None,
            last: None,
            earlier: None,
            trial: None,
            next_trial: MediaTime::ZERO,
            wait: FIRST_WAIT,
            ignores: false,
        }
    }

    /// How many times the target the encoder is to be told, for it to send the target.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The encoder sends far more than it is told, and no less for being told less.
    pub fn ignores(&self) -> bool {
        self.ignores
    }

    /// The encoder was told `factor` times `target`.
    pub fn on_told(&mut self, target: Bitrate, factor: f64, at: MediaTime) {
        let told = Told {
            target: target.as_bps() as f64,
            factor,
        };
        let Some(last) = self.told.replace(told) else {
            self.unsettle(at);
            return;
        };
        if !is_about(last.target, told.target, JUMP) {
            self.trial = None;
        }
        let since = self.steady.map_or(last, |steady| steady.told);
        if factor != last.factor || !is_about(since.asked(), told.asked(), JUMP) {
            self.before = self.steady.take().or(self.before);
            self.unsettle(at);
        }
    }

    /// Something else changed what comes out, for instance the frame rate: measures anew.
    pub fn unsettle(&mut self, at: MediaTime) {
        self.settled = at.after(SETTLE);
        self.window = None;
        self.earlier = None;
    }

    /// The encoder sent `bytes`, and is to send `target`.
    pub fn on_output(&mut self, bytes: ByteCount, target: Bitrate, at: MediaTime) {
        let Some(told) = self.told else {
            return;
        };
        let paused = self.last.is_some_and(|last| at.since(last) > PAUSE);
        self.last = Some(at);
        if at < self.settled {
            return;
        }
        let asked = if self.ignores {
            target.as_bps() as f64
        } else {
            told.target
        };
        let fresh = Window {
            start: at,
            bytes: 0,
            target: asked,
        };
        let window = self.window.get_or_insert(fresh);
        if paused {
            *window = fresh;
            self.earlier = None;
        }
        let length = at.since(window.start);
        if length < WINDOW {
            window.bytes = window.bytes.saturating_add(bytes.as_u64());
            return;
        }
        let rate = window.bytes as f64 * 8.0 / length.as_secs_f64();
        let mean = (window.target + asked) / 2.0;
        *window = Window {
            bytes: bytes.as_u64(),
            ..fresh
        };
        if let Some(earlier) = self.earlier.replace(rate) {
            self.judge(earlier.min(rate), earlier.max(rate), mean, at);
        }
    }

    /// Two windows with the rates `low` and `high`, where `target` was to be sent.
    fn judge(&mut self, low: f64, high: f64, target: f64, at: MediaTime) {
        let (Some(told), true) = (self.told, target > 0.0) else {
            return;
        };
        if self.ignores {
            if high <= AGAIN * target {
                self.ignores = false;
                self.before = None;
            }
            return;
        }
        let now = Steady { told, low, high };
        if low > TOO_MUCH * target {
            self.on_excess(low, target);
        } else if high < TOO_LITTLE * target {
            self.on_shortage(now, target, at);
        } else {
            self.trial = None;
        }
        self.steady = Some(now);
    }

    fn on_excess(&mut self, rate: f64, target: f64) {
        self.trial = None;
        let (Some(told), excess) = (self.told, rate / target) else {
            return;
        };
        let stays = self.before.is_some_and(|before| {
            before.told.asked() >= JUMP * told.asked()
                && before.rate() >= JUMP * told.asked()
                && rate >= (1.0 - SAME) * before.rate()
        });
        if excess >= HOPELESS || (excess >= BY_FAR && stays) {
            self.ignores = true;
            self.factor = 1.0;
            return;
        }
        self.factor = (told.factor / excess).max(LEAST);
    }

    fn on_shortage(&mut self, now: Steady, target: f64, at: MediaTime) {
        // An encoder that is spared small changes may not have been told yet.
        let trial = self.trial.take();
        if let Some(trial) = trial.filter(|trial| now.told.factor > trial.told.factor) {
            self.end_trial(trial, now, at);
            return;
        }
        let followed = self.before.and_then(|before| now.followed(before));
        let follows = followed.is_some_and(|part| part >= FOLLOWS);
        if follows || (now.told.factor < 1.0 && at >= self.next_trial) {
            let most = if follows { MOST } else { 1.0 };
            let step = (target / now.rate()).min(TRIAL);
            self.trial = Some(now);
            self.factor = (now.told.factor * step).min(most);
        }
    }

    fn end_trial(&mut self, trial: Steady, now: Steady, at: MediaTime) {
        let step = now.told.factor / trial.told.factor;
        if now.rate() / trial.rate() - 1.0 >= (step - 1.0) / 2.0 {
            self.next_trial = at;
            self.wait = FIRST_WAIT;
        } else {
            self.factor = trial.told.factor;
            self.next_trial = at.after(self.wait);
            self.wait = (self.wait * 2).min(LAST_WAIT);
        }
    }
}

impl Default for Gain {
    fn default() -> Self {
        Self::new()
    }
}

/// `a` and `b` differ by less than `factor`.
fn is_about(a: f64, b: f64, factor: f64) -> bool {
    a < b * factor && b < a * factor
}

#[cfg(test)]
mod tests {
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
                gain.on_output(ByteCount::new(bytes as u64), target, at);
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
        encoder.run(&mut gain, 1_000, 6);
        let sent = encoder.run(&mut gain, 1_000, 3);
        assert!((940.0..1_060.0).contains(&sent), "{sent}");
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
    fn from_the_start_too() {
        for stubborn in [1_600.0, 4_000.0] {
            let (mut gain, mut encoder) = (Gain::new(), encoder(1.0, BUSY));
            (encoder.stubborn, encoder.rate) = (Some(stubborn), stubborn);
            encoder.run(&mut gain, 1_000, 5);
            assert!(gain.ignores(), "{stubborn} kbit/s, told 1000");
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
}
