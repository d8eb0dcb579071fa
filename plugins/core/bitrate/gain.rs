//! What an encoder makes of what it is told: how many times as much it sends, and whether it listens at all.

mod output;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

use self::output::{Frame, Measured, Output};

/// An encoder has followed by then (measured: x264enc takes up to 26 frames), and one that starts over has paid for its
/// key frame (measured: x265enc).
const SETTLE: Duration = Duration::from_secs(1);
const RESTARTED: Duration = Duration::from_secs(3);
/// The factor stays within half and double.
const LEAST: f64 = 0.5;
const MOST: f64 = 2.0;
/// More than the target by this much is corrected, less than that much looked into. In between is what rate controls
/// differ by from second to second.
const TOO_MUCH: f64 = 1.08;
const TOO_LITTLE: f64 = 0.92;
/// In a second a rate control may send this much and save it in the next.
const TOO_MUCH_AT_ONCE: f64 = 1.15;
/// A target that falls by more than this is a new one.
const FALL: f64 = 0.95;
/// What is told changed, so that a change of the output can be expected.
const JUMP: f64 = 1.15;
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
const TRIAL: f64 = 1.2;
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
    settle: Duration,
    settled: MediaTime,
    /// What was asked when measuring began.
    anchor: f64,
    output: Output,
    /// The windows before, short and long.
    short: Option<[Measured; 2]>,
    long: Option<Measured>,
    /// The rate of the last two short windows without what may be key frames.
    plain: f64,
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
    /// Without what may be key frames.
    plain: f64,
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

impl Gain {
    /// An encoder of which nothing is known yet.
    pub fn new() -> Self {
        Self {
            factor: 1.0,
            told: None,
            before: None,
            steady: None,
            settle: SETTLE,
            settled: MediaTime::ZERO,
            anchor: 0.0,
            output: Output::default(),
            short: None,
            long: None,
            plain: 0.0,
            trial: None,
            next_trial: MediaTime::ZERO,
            wait: FIRST_WAIT,
            ignores: false,
        }
    }

    /// One that starts over with a key frame at each change.
    pub fn of_one_that_restarts() -> Self {
        Self {
            settle: RESTARTED,
            ..Self::new()
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

    /// The encoder is going to be told `target`. What it fell short of before is no reason to ask more of it when the
    /// rate is to fall.
    pub fn on_target(&mut self, target: Bitrate) {
        let falls = |told: Told| (target.as_bps() as f64) < FALL * told.target;
        if self.told.is_some_and(falls) {
            self.factor = self.factor.min(1.0);
        }
    }

    /// The encoder was told `factor` times `target`.
    pub fn on_told(&mut self, target: Bitrate, factor: f64, at: MediaTime) {
        let told = Told {
            target: target.as_bps() as f64,
            factor: factor.clamp(LEAST, MOST),
        };
        let Some(last) = self.told.replace(told) else {
            self.unsettle(at);
            return;
        };
        if !is_about(last.target, told.target, JUMP) {
            self.trial = None;
        }
        if told.factor != last.factor || !is_about(self.anchor, told.asked(), JUMP) {
            self.before = self.steady.take().or(self.before);
            self.unsettle(at);
        }
    }

    /// Something else changed what comes out, for instance the frame rate: measures anew.
    pub fn unsettle(&mut self, at: MediaTime) {
        self.settled = at.after(self.settle);
        self.anchor = self.told.map_or(0.0, Told::asked);
        self.output.forget();
        self.short = None;
        self.long = None;
    }

    /// The encoder sent `bytes`, of a `key` frame or not, and is to send `target`.
    pub fn on_output(&mut self, bytes: ByteCount, key: bool, target: Bitrate, at: MediaTime) {
        let Some(told) = self.told else {
            return;
        };
        if at < self.settled {
            return;
        }
        let target = if self.ignores {
            // It listens again when it sends what it was told, or what it may send now.
            told.asked().max(target.as_bps() as f64)
        } else {
            told.target
        };
        let ended = self.output.on_frame(Frame { bytes, key, target }, at);
        if let Some(short) = ended.short
            && let Some(before) = self.short.replace(short)
        {
            self.glance(before, short, at);
        }
        if let Some((long, keys)) = ended.long {
            let before = self.long.replace(long);
            self.judge(before, long, keys, at);
        }
    }

    /// Two short windows in a row: what is at most and at least in each.
    fn glance(&mut self, before: [Measured; 2], now: [Measured; 2], at: MediaTime) {
        self.plain = (before[1].rate + now[1].rate) / 2.0;
        let [high, low] = [0, 1].map(|bound: usize| [before[bound].rate, now[bound].rate]);
        let (high, low) = (high[0].max(high[1]), low[0].min(low[1]));
        let target = (before[0].target + now[0].target) / 2.0;
        let Some(told) = self.told.filter(|_| target > 0.0) else {
            return;
        };
        let steady = self.steady_at(told, low, high);
        if self.ignores {
            if high <= AGAIN * target {
                self.ignores = false;
                self.before = None;
            }
        } else if low > self.most_at_once() * target {
            self.steady = Some(steady);
            self.on_excess(low, target);
        } else if high < TOO_LITTLE * target {
            self.steady = Some(steady);
            self.on_shortage(steady, target, at);
        }
    }

    fn steady_at(&self, told: Told, low: f64, high: f64) -> Steady {
        let plain = self.plain;
        Steady {
            told,
            low,
            high,
            plain,
        }
    }

    fn most_at_once(&self) -> f64 {
        // It is told more than its share, which it has grown out of.
        let raised = self.factor > 1.0;
        if raised { TOO_MUCH } else { TOO_MUCH_AT_ONCE }
    }

    /// A long window and the one before. One with key frames never shows too much, so that it speaks for itself.
    fn judge(&mut self, before: Option<Measured>, now: Measured, keys: bool, at: MediaTime) {
        let (Some(told), false) = (self.told, self.ignores || now.target <= 0.0) else {
            return;
        };
        let (low, high) = match before {
            _ if keys => (now.rate, now.rate),
            Some(before) => (before.rate.min(now.rate), before.rate.max(now.rate)),
            None => return,
        };
        let steady = self.steady_at(told, low, high);
        if low > TOO_MUCH * now.target {
            self.on_excess(low, now.target);
        } else if high < TOO_LITTLE * now.target {
            self.on_shortage(steady, now.target, at);
        } else {
            self.trial = None;
        }
        self.steady = Some(steady);
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
        if now.plain / trial.plain - 1.0 >= (step - 1.0) / 2.0 {
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
