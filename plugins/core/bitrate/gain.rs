//! What an encoder makes of what it is told: how many times as much it sends, and whether it listens at all.

#[cfg(test)]
mod tests;

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
    /// What was asked when measuring began.
    anchor: f64,
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
            anchor: 0.0,
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
        if factor != last.factor || !is_about(self.anchor, told.asked(), JUMP) {
            self.before = self.steady.take().or(self.before);
            self.unsettle(at);
        }
    }

    /// Something else changed what comes out, for instance the frame rate: measures anew.
    pub fn unsettle(&mut self, at: MediaTime) {
        self.settled = at.after(SETTLE);
        self.anchor = self.told.map_or(0.0, Told::asked);
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
