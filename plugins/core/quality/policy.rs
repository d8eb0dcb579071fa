//! Which step the load and the network allow: down as soon as it is sure, up after a wait that grows with each attempt
//! that failed.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::Bitrate;

use super::backoff::{Backoff, MachineLoad};
use super::config::{Config, ConfigError};
use super::cost::CostModel;
use super::load::{Load, LoadMeter, LoadState};
use super::pace::{Pace, PaceStep};
use super::sensor::Sensor;

/// How many steps are gone at once where a sensor reads a critical load that says nothing of other steps.
const SKIPPED: usize = 2;

/// The sensors of the whole machine that say whether it is worth while to try again what failed.
const MACHINE: [Sensor; 2] = [Sensor::Throttling, Sensor::Pressure];

/// How far back the mean of those reaches, in seconds.
const MACHINE_MEMORY: f64 = 2.0;

/// The part of the time from which on a machine is short of processors: that from which on PSI counts as elevated.
const BUSY_MACHINE: f64 = 0.3;

/// A new step's load is taken this long after it has settled: the mean of the chain's load reaches back half of that.
const MEASURED_AFTER: Duration = Duration::from_millis(500);

/// One step as the policy sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    /// The bit rate below which the next one looks better.
    pub(super) need: Bitrate,
    /// Pixels a second.
    pub(super) speed: f64,
    /// Between two frames.
    pub(super) interval: Duration,
}

/// What the policy would do, and by which sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wish {
    /// To go down to that step.
    Fall(usize, Load),
    /// To go up by one.
    Climb(Sensor),
}

/// Chooses among steps, 0 for the best.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    config: Config,
    steps: Vec<Step>,
    at: usize,
    meter: LoadMeter,
    costs: CostModel,
    /// The wait before a step up to each of the steps.
    waits: Vec<Backoff>,
    pace: Option<Pace>,
    paced: Option<PaceStep>,
    target: Option<Bitrate>,
    settled: MediaTime,
    room: Option<Room>,
    /// What the sensors of the machine read in the mean, and when they last did.
    machine: MachineLoad,
    machine_at: [MediaTime; MACHINE.len()],
    /// The step before the last switch and the chain's load on it, until that on the new one is known.
    left: Option<(usize, f64)>,
}

/// There is room for the next step up.
#[derive(Clone, Copy, Debug)]
struct Room {
    since: MediaTime,
    seen: MediaTime,
    /// The load projected for it, the mean of about a quarter of the shortest wait; zero where that is not known.
    projected: f64,
}

impl Policy {
    /// A policy without steps.
    pub(super) fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            meter: LoadMeter::new(config.sensors, config.busy_high, config.up_projected_max),
            waits: Vec::new(),
            pace: config.pace.map(Pace::new),
            config,
            steps: Vec::new(),
            at: 0,
            costs: CostModel::default(),
            paced: None,
            target: None,
            settled: MediaTime::ZERO,
            room: None,
            machine: [0.0; MACHINE.len()],
            machine_at: [MediaTime::ZERO; MACHINE.len()],
            left: None,
        })
    }

    /// Other settings from now on; what was learned stays.
    pub(super) fn set_config(&mut self, config: Config) -> Result<(), ConfigError> {
        let fresh = Self::new(config)?;
        self.meter
            .set_bounds(config.sensors, config.busy_high, config.up_projected_max);
        if config.pace != self.config.pace {
            self.pace = fresh.pace;
        }
        self.config = config;
        self.waits = vec![self.shortest_wait(); self.steps.len()];
        Ok(())
    }

    /// From now on these are the steps, the best first, and `at` is the one that holds.
    pub(super) fn on_steps(&mut self, steps: Vec<Step>, at: usize, now: MediaTime) {
        if self.steps != steps {
            self.costs = CostModel::new(steps.iter().map(|step| step.speed).collect());
            self.waits = vec![self.shortest_wait(); steps.len()];
            self.steps = steps;
        }
        self.left = None;
        self.at = at;
        self.start_over(now);
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The wait before the next step up.
    pub(super) fn wait(&self) -> Duration {
        let above = self.at.checked_sub(1);
        let wait = above.and_then(|above| self.waits.get(above));
        wait.map_or(self.config.up_hold, Backoff::wait)
    }

    pub(super) fn meter(&self) -> &LoadMeter {
        &self.meter
    }

    pub(super) fn on_frame(&mut self, stage: usize, pushed: MediaTime, returned: MediaTime) {
        self.meter.on_frame(stage, pushed, returned);
        if stage == 0
            && self.meter.hears(Sensor::Chain)
            && let Some(pace) = &mut self.pace
        {
            self.paced = pace.on_frame(returned.since(pushed)).or(self.paced);
        }
    }

    pub(super) fn on_reading(&mut self, sensor: Sensor, value: f64, now: MediaTime) {
        self.meter.on_reading(sensor, value, now);
        if let Some(place) = MACHINE.iter().position(|machine| *machine == sensor)
            && self.meter.hears(sensor)
        {
            let passed = now.since(self.machine_at[place]).as_secs_f64();
            let part = passed / (passed + MACHINE_MEMORY);
            self.machine[place] += (value - self.machine[place]) * part;
            self.machine_at[place] = now;
            for wait in &mut self.waits {
                wait.on_machine(self.machine, now);
            }
        }
    }

    /// The machine's processors are busy for that part of the time.
    pub(super) fn on_processors(&mut self, part: f64, now: MediaTime) {
        self.meter.on_processors(part, now);
    }

    /// The network carries `target`.
    pub(super) fn on_target(&mut self, target: Bitrate, now: MediaTime) {
        self.target = Some(target);
        self.read_network(now);
    }

    /// What to do now. It is for the caller to [`go`](Self::go).
    pub(super) fn wish(&mut self, now: MediaTime) -> Option<Wish> {
        for wait in &mut self.waits {
            wait.on_time(now);
        }
        if let Some(to) = self.carried_below() {
            let load = self.meter.load_of(Sensor::Network, now);
            return Some(Wish::Fall(to, load.unwrap_or_default()));
        }
        if self.pace.is_some() {
            return self.pace_wish(now);
        }
        if now < self.settled {
            return None;
        }
        if let Some(left) = self.left
            && now.since(self.settled) >= MEASURED_AFTER
        {
            self.learn(left, now);
        }
        if self.at + 1 < self.steps.len()
            && let Some(load) = self.meter.overload(self.config.down_hold, now)
        {
            return Some(Wish::Fall(self.depth(&load, now), load));
        }
        self.room_wish(now)
    }

    /// Goes to `to`, by the policy's own wish or, `ordered`, by that of another member of the group.
    pub(super) fn go(&mut self, to: usize, ordered: bool, now: MediaTime) {
        if ordered {
            // Nor is it an attempt to have back what was given in vain.
            self.waits[self.at].forgive();
        } else if to < self.at {
            self.waits[to].on_climb(now);
        } else if self.waits[self.at].on_fall(now)
            && self.machine.iter().any(|part| *part > BUSY_MACHINE)
        {
            self.waits[self.at].on_failed_under_load(now);
        }
        if let Some(left) = self.left {
            self.learn(left, now);
        }
        let load = self.meter.reading(Sensor::Chain, now);
        self.left = load.map(|load| (self.at, load));
        self.at = to;
        self.start_over(now);
    }

    /// When [`wish`](Self::wish) may have something new to say.
    pub(super) fn next_wakeup(&self, now: MediaTime) -> Option<MediaTime> {
        let climbs = self.room.map(|room| room.since.after(self.wait()));
        let falls = self.meter.next_wakeup(self.config.down_hold, now);
        let settled = (self.settled > now && self.target.is_some()).then_some(self.settled);
        [climbs, falls, settled].into_iter().flatten().min()
    }

    /// Whether the network alone keeps it where it is.
    pub(super) fn is_held_by_network(&self) -> bool {
        self.at > 0 && !self.is_carried(self.at - 1, self.config.up_margin)
    }

    fn shortest_wait(&self) -> Backoff {
        let config = &self.config;
        Backoff::new(config.up_hold, config.up_hold_max, config.probation)
    }

    fn start_over(&mut self, now: MediaTime) {
        let interval = self.steps.get(self.at).map(|step| step.interval);
        self.settled = now.after(self.config.settle);
        self.meter
            .on_switch(interval.unwrap_or_default(), self.settled);
        self.read_network(now);
        self.room = None;
        self.paced = None;
        if let Some(pace) = &mut self.pace {
            pace.reset();
        }
    }

    fn read_network(&mut self, now: MediaTime) {
        if let (Some(target), Some(step)) = (self.target, self.steps.get(self.at)) {
            let carried = target.as_bps().max(1) as f64;
            let value = step.need.as_bps() as f64 / carried;
            self.meter.on_reading(Sensor::Network, value, now);
        }
    }

    fn is_carried(&self, step: usize, margin: f64) -> bool {
        let target = self.target.filter(|_| self.meter.hears(Sensor::Network));
        let need = self.steps.get(step).map(|step| step.need.scaled(margin));
        target.zip(need).is_none_or(|(target, need)| target >= need)
    }

    /// The best step below that the network carries, or the lowest, where it does not carry this one.
    fn carried_below(&self) -> Option<usize> {
        if self.is_carried(self.at, 1.0) {
            return None;
        }
        let lowest = self
            .steps
            .len()
            .checked_sub(1)
            .filter(|lowest| *lowest > self.at)?;
        let carried = (self.at + 1..lowest).find(|step| self.is_carried(*step, 1.0));
        Some(carried.unwrap_or(lowest))
    }

    /// How far down: one step, or, at a critical load, to the first that is projected to be borne.
    fn depth(&self, load: &Load, now: MediaTime) -> usize {
        let (next, lowest) = (self.at + 1, self.steps.len() - 1);
        if load.state < LoadState::Critical {
            return next;
        }
        if load.sensor != Some(Sensor::Chain) {
            return (self.at + SKIPPED).min(lowest);
        }
        let borne = |step: &usize| {
            self.costs.project(self.at, *step, load.value, now) <= self.config.busy_high
        };
        (next..lowest).find(borne).unwrap_or(lowest)
    }

    /// Wishes for the next step up after there has been room for it for as long as the wait says.
    fn room_wish(&mut self, now: MediaTime) -> Option<Wish> {
        let Some((sensor, projected)) = self.room(now) else {
            self.room = None;
            return None;
        };
        let first = Room {
            since: now,
            seen: now,
            projected,
        };
        let room = self.room.get_or_insert(first);
        let passed = now.since(room.seen).as_secs_f64();
        let memory = self.config.up_hold.as_secs_f64() / 4.0;
        room.projected += (projected - room.projected) * passed / (passed + memory).max(1e-9);
        room.seen = now;
        let (since, mean) = (room.since, room.projected);
        let fits = mean < self.config.up_projected_max;
        (fits && now.since(since) >= self.wait()).then_some(Wish::Climb(sensor))
    }

    /// Whether there may be room for the next step up, which sensor says so, and the load projected for it. No two frames
    /// are alike: what counts is the mean over the wait, and here only what is clearly too much.
    fn room(&self, now: MediaTime) -> Option<(Sensor, f64)> {
        let above = self.at.checked_sub(1)?;
        if !self.is_carried(above, self.config.up_margin) || !self.meter.is_calm(now) {
            return None;
        }
        let Some(busy) = self.meter.reading(Sensor::Chain, now) else {
            // Without a sensor nothing is known: it stays.
            return Some((self.meter.load(now).sensor?, 0.0));
        };
        let projected = self.costs.project(self.at, above, busy, now);
        let most = f64::midpoint(self.config.up_projected_max, self.config.busy_high);
        (projected < most).then_some((Sensor::Chain, projected))
    }

    fn pace_wish(&mut self, now: MediaTime) -> Option<Wish> {
        let lowest = self.steps.len().checked_sub(1)?;
        match self.paced.take()? {
            PaceStep::Down(steps) => {
                let to = (self.at + steps).min(lowest);
                let load = self.meter.load_of(Sensor::Chain, now).unwrap_or_default();
                let sensor = Some(Sensor::Chain);
                (to > self.at).then_some(Wish::Fall(to, Load { sensor, ..load }))
            }
            PaceStep::Up => {
                let carried = self.at > 0 && !self.is_held_by_network();
                carried.then_some(Wish::Climb(Sensor::Chain))
            }
        }
    }

    fn learn(&mut self, (from, before): (usize, f64), now: MediaTime) {
        self.left = None;
        if let Some(after) = self.meter.reading(Sensor::Chain, now) {
            self.costs.on_switch(from, self.at, (before, after), now);
        }
    }
}
