//! Says when a limit on the latency is broken and when it holds again.
//!
//! The limit is on a percentile over a window that slides by time. That the 95th percentile is over the limit means that
//! more than 5 % of the values are: so values over the limit are counted, exactly, and every frame can be judged for the
//! price of a comparison. The histograms only tell what the percentile is, where somebody asks.

use std::time::Duration;

use super::histogram::{Histogram, quantiles};
use crate::time::{MediaTime, nanos};
use crate::units::Ratio;

mod config;
#[cfg(test)]
mod tests;

pub use config::{SlaConfig, SlaConfigError};

/// The window moves on by a quarter of itself: it holds the last 75 to 100 % of its length.
const SLOTS: usize = 4;

/// The limit holds again where the percentile is at or under the limit less this part of it: a latency that trembles
/// around the limit must not report all the time.
const RESTORED_BELOW: u64 = 10;

/// Whether the limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlaState {
    /// The value went over the limit.
    Violated,
    /// The value came back to 90 % of the limit or less.
    Restored,
}

/// The limit broke or holds again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlaChange {
    /// What happened.
    pub state: SlaState,
    /// The percentile over the window that made it happen.
    pub value: Duration,
    /// The limit.
    pub limit: Duration,
}

/// How many values there were, and how many of them were long.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    values: u64,
    /// Over the limit.
    over: u64,
    /// Over what restores it.
    near: u64,
}

impl Counts {
    fn take_in(&mut self, value: u64, limit: u64) {
        self.values += 1;
        self.over += u64::from(value > limit);
        self.near += u64::from(value > restoring(limit));
    }

    fn remove(&mut self, other: Self) {
        self.values -= other.values;
        self.over -= other.over;
        self.near -= other.near;
    }
}

/// The values of a quarter of the window.
#[derive(Clone, Debug, Default)]
struct Slot {
    histogram: Histogram<u16>,
    counts: Counts,
}

/// The values of the last while.
#[derive(Clone, Debug)]
struct Window {
    slots: [Slot; SLOTS],
    at: usize,
    /// When the slot at `at` began, and how long it lasts.
    began: MediaTime,
    slot: Duration,
    counts: Counts,
    /// When the first value came after there had been none.
    first: MediaTime,
}

impl Window {
    fn new(length: Duration) -> Self {
        Self {
            slots: Default::default(),
            at: 0,
            began: MediaTime::ZERO,
            slot: length / SLOTS as u32,
            counts: Counts::default(),
            first: MediaTime::ZERO,
        }
    }

    #[inline]
    fn on_value(&mut self, value: Duration, limit: u64, now: MediaTime) {
        self.slide(now);
        if self.counts.values == 0 {
            (self.began, self.first) = (now, now);
        }
        let slot = &mut self.slots[self.at];
        slot.histogram.record(value);
        slot.counts.take_in(nanos(value), limit);
        self.counts.take_in(nanos(value), limit);
    }

    #[inline]
    fn slide(&mut self, now: MediaTime) {
        let passed = now.as_nanos().wrapping_sub(self.began.as_nanos());
        // A time before the slot wraps around to a very long one: both are rare.
        if passed >= nanos(self.slot) && self.counts.values > 0 {
            self.move_on(now);
        }
    }

    #[cold]
    fn move_on(&mut self, now: MediaTime) {
        let passed = nanos(now.since(self.began)) / nanos(self.slot);
        let back = self.began.since(now);
        if back >= self.slot || passed >= SLOTS as u64 {
            self.clear();
            return;
        }
        for _ in 0..passed {
            self.at = (self.at + 1) % SLOTS;
            self.empty(self.at);
            self.began = self.began.after(self.slot);
        }
    }

    fn clear(&mut self) {
        (0..SLOTS).for_each(|slot| self.empty(slot));
    }

    fn empty(&mut self, slot: usize) {
        let slot = &mut self.slots[slot];
        if slot.counts.values > 0 {
            self.counts.remove(slot.counts);
            slot.counts = Counts::default();
            slot.histogram.clear();
        }
    }

    /// Counts anew for another limit, as exactly as histograms can.
    fn recount(&mut self, limit: u64) {
        self.counts = Counts::default();
        for slot in &mut self.slots {
            let mut counts = Counts::default();
            for (value, times) in slot.histogram.iter() {
                let mut one = Counts::default();
                one.take_in(nanos(value), limit);
                counts.values += times;
                counts.over += one.over * times;
                counts.near += one.near * times;
            }
            slot.counts = counts;
            self.counts.values += counts.values;
            self.counts.over += counts.over;
            self.counts.near += counts.near;
        }
    }

    fn percentile(&self, percentile: f64) -> Duration {
        let filled = self.slots.each_ref().map(|slot| &slot.histogram);
        // An empty histogram knows no extremes, which would widen those of the others.
        let filled: Vec<_> = filled.into_iter().filter(|h| h.count() > 0).collect();
        quantiles(&filled, [percentile / 100.0])[0]
    }
}

/// Watches one limit.
#[derive(Clone, Debug)]
pub struct SlaMonitor {
    config: SlaConfig,
    /// Only where there is a limit.
    window: Option<Box<Window>>,
    violated: bool,
    /// When it was last said that the limit broke.
    broke: MediaTime,
    total: Counts,
}

impl SlaMonitor {
    /// A monitor that has seen nothing.
    ///
    /// # Errors
    /// Where the configuration cannot work.
    pub fn new(config: SlaConfig) -> Result<Self, SlaConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            window: window(&config),
            violated: false,
            broke: MediaTime::ZERO,
            total: Counts::default(),
        })
    }

    /// Goes on with another configuration. A limit that was broken stays so until values say otherwise, except that no
    /// limit cannot be broken. A window of another length begins anew.
    ///
    /// # Errors
    /// Where the configuration cannot work; the one before stays.
    pub fn set_config(&mut self, config: SlaConfig) -> Result<(), SlaConfigError> {
        config.validate()?;
        let before = std::mem::replace(&mut self.config, config);
        if config.limit.is_zero() {
            (self.window, self.violated) = (None, false);
        } else if before.window != config.window {
            self.window = window(&config);
        } else if before.limit != config.limit {
            let window = self.window.get_or_insert_with(|| boxed(&config));
            window.recount(nanos(config.limit));
        }
        Ok(())
    }

    /// What the monitor does.
    pub const fn config(&self) -> &SlaConfig {
        &self.config
    }

    /// Whether one value is over the limit.
    pub fn is_over(&self, value: Duration) -> bool {
        !self.config.limit.is_zero() && value > self.config.limit
    }

    /// Takes in the latency of a frame.
    #[inline]
    pub fn on_value(&mut self, value: Duration, now: MediaTime) {
        if let Some(window) = &mut self.window {
            let limit = nanos(self.config.limit);
            window.on_value(value, limit, now);
            self.total.take_in(nanos(value), limit);
        }
    }

    /// Judges the window; answers where that changes the state. Costs a comparison: may be called with every frame.
    #[inline]
    pub fn on_timer(&mut self, now: MediaTime) -> Option<SlaChange> {
        let window = self.window.as_deref_mut()?;
        window.slide(now);
        let state = self.changed()?;
        (self.is_enough(now) && self.may_tell(state, now)).then(|| self.change(state, now))
    }

    /// Judges a last time, on however little there is, and begins a new window: the time to the next stream belongs to
    /// none. Whether the limit is broken is kept, for the next stream to say that it holds.
    pub fn on_end(&mut self, now: MediaTime) -> Option<SlaChange> {
        self.window.as_deref_mut()?.slide(now);
        let change = self.changed().map(|state| self.change(state, now));
        if let Some(window) = &mut self.window {
            window.clear();
        }
        change
    }

    /// Whether the limit holds, as told last; `None` where the window has no values to tell from (as of the last call).
    pub fn state(&self) -> Option<SlaState> {
        let known = self.counts().values > 0;
        known.then_some(if self.violated {
            SlaState::Violated
        } else {
            SlaState::Restored
        })
    }

    /// The percentile over the window; zero where it is empty.
    pub fn value(&self) -> Duration {
        let percentile = self.config.percentile;
        let window = self.window.as_deref();
        window.map_or(Duration::ZERO, |window| window.percentile(percentile))
    }

    /// Values over the limit since the start.
    pub const fn violations(&self) -> u64 {
        self.total.over
    }

    /// The part of the values over the limit in the window.
    pub fn window_ratio(&self) -> Ratio {
        let counts = self.counts();
        Ratio::of(counts.over, counts.values)
    }

    /// The part of the values over the limit since the start.
    pub fn total_ratio(&self) -> Ratio {
        Ratio::of(self.total.over, self.total.values)
    }

    fn counts(&self) -> Counts {
        let window = self.window.as_deref();
        window.map_or(Counts::default(), |window| window.counts)
    }

    fn changed(&self) -> Option<SlaState> {
        let counts = self.counts();
        let allowed = self.config.allowed_ppm() * counts.values;
        if counts.values == 0 {
            None
        } else if self.violated {
            (counts.near * 1_000_000 <= allowed).then_some(SlaState::Restored)
        } else {
            (counts.over * 1_000_000 > allowed).then_some(SlaState::Violated)
        }
    }

    /// Whether there are values enough to judge: as many as make the percentile another than the longest of them, or
    /// what a whole window brought.
    fn is_enough(&self, now: MediaTime) -> bool {
        self.window.as_deref().is_some_and(|window| {
            window.counts.values * self.config.allowed_ppm() >= 1_000_000
                || now.since(window.first) >= self.config.window
        })
    }

    /// A violation is told at once and stays for a cooldown at least: while a window fills with what broke the limit, the
    /// percentile crosses it back and forth. So two changes of one kind are never closer than that.
    fn may_tell(&self, state: SlaState, now: MediaTime) -> bool {
        // A clock that was set back must not silence the monitor until it is there again.
        let cold = now < self.broke || now.since(self.broke) >= self.config.cooldown;
        state == SlaState::Violated || cold
    }

    #[cold]
    fn change(&mut self, state: SlaState, now: MediaTime) -> SlaChange {
        self.violated = state == SlaState::Violated;
        if self.violated {
            self.broke = now;
        }
        let limit = nanos(self.config.limit);
        // What was decided by counting must not look otherwise for the width of a histogram's bucket.
        let value = match state {
            SlaState::Violated => nanos(self.value()).max(limit + 1),
            SlaState::Restored => nanos(self.value()).min(restoring(limit)),
        };
        SlaChange {
            state,
            value: Duration::from_nanos(value),
            limit: self.config.limit,
        }
    }
}

fn restoring(limit: u64) -> u64 {
    limit - limit / RESTORED_BELOW
}

fn window(config: &SlaConfig) -> Option<Box<Window>> {
    (!config.limit.is_zero()).then(|| boxed(config))
}

fn boxed(config: &SlaConfig) -> Box<Window> {
    Box::new(Window::new(config.window))
}
