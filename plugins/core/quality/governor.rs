//! Which rung holds: chosen by hand, or by load and network, and what the input leaves of either.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, Ratio};

use super::arbiter::{Arbiter, MemberId, Standing};
use super::config::{Config, ConfigError};
use super::fit::{Fitted, InputVideo, usable};
use super::ladder::Ladder;
use super::load::Load;
use super::policy::{Policy, Step, Wish};
use super::sensor::Sensor;

/// A sink that is not late has no more to say than that it keeps up.
const ON_TIME: f64 = 0.9;

/// Why the rung changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// This sensor found too much load, or room for more.
    Sensor(Sensor),
    /// Another member of the group has too much load, by this sensor of its own, and keeps its rung.
    Group(Sensor),
    /// Somebody set the level.
    Manual,
    /// Another input came, or downstream does not take the size.
    Input,
}

impl Reason {
    /// The word that messages carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sensor(sensor) => sensor.as_str(),
            Self::Group(_) => "group",
            Self::Manual => "manual",
            Self::Input => "input",
        }
    }

    /// The sensor behind it.
    pub const fn sensor(self) -> Option<Sensor> {
        match self {
            Self::Sensor(sensor) | Self::Group(sensor) => Some(sensor),
            Self::Manual | Self::Input => None,
        }
    }
}

/// A change from one rung to another; rungs are places in the ladder, 0 for the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The rung until now, or `None` at the start.
    pub from: Option<usize>,
    /// The rung from now on.
    pub to: usize,
    /// Why.
    pub reason: Reason,
}

/// Keeps the rung.
#[derive(Clone, Debug)]
pub struct Governor {
    ladder: Ladder,
    auto: bool,
    rung: Option<usize>,
    /// Every rung as it comes out for the input; empty before there is one.
    fitted: Vec<Fitted>,
    /// Rungs whose size downstream does not take.
    refused: Vec<usize>,
    /// The rungs that the policy steps on, and their pixels a second.
    steps: Vec<usize>,
    speeds: Vec<f64>,
    policy: Policy,
}

impl Governor {
    /// Starts on the rung `start`, or, without one, on the best that the input leaves.
    pub fn new(
        ladder: Ladder,
        start: Option<usize>,
        auto: bool,
        config: Config,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            ladder,
            auto,
            rung: start,
            fitted: Vec::new(),
            refused: Vec::new(),
            steps: Vec::new(),
            speeds: Vec::new(),
            policy: Policy::new(config)?,
        })
    }

    /// The ladder as it was given.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Whether load and network choose.
    pub fn auto(&self) -> bool {
        self.auto
    }

    /// The rung that holds, or `None` where that waits for the input.
    pub fn rung(&self) -> Option<usize> {
        self.rung
    }

    /// What rung `place` comes to for the input that is there.
    pub fn fitted(&self, place: usize) -> Option<Fitted> {
        self.fitted.get(place).copied()
    }

    /// The load as the sensor sees it that sees most of it.
    pub fn load(&self, now: MediaTime) -> Load {
        self.policy.meter().load(now)
    }

    /// What `sensor` reads, if it has read anything lately.
    pub fn reading(&self, sensor: Sensor, now: MediaTime) -> Option<f64> {
        self.policy.meter().reading(sensor, now)
    }

    /// Whether the machine has more to do than it can; `None` where neither its pressure nor its processors are read.
    pub fn is_crowded(&self, now: MediaTime) -> Option<bool> {
        self.policy.meter().is_crowded(now)
    }

    /// Whether a sensor reads anything; where none does, the rung stays.
    pub fn is_sensing(&self, now: MediaTime) -> bool {
        self.policy.meter().is_sensing(now)
    }

    /// The wait before the next step up.
    pub fn wait(&self) -> Duration {
        self.policy.wait()
    }

    /// Other settings from now on.
    pub fn set_config(&mut self, config: Config) -> Result<(), ConfigError> {
        self.policy.set_config(config)
    }

    /// The video that comes in is `input` from now on.
    pub fn on_input(&mut self, input: &InputVideo, now: MediaTime) -> Option<Switch> {
        self.fitted = self.ladder.fit(input);
        self.refused.clear();
        self.settle(Reason::Input, now)
            .or_else(|| self.on_time(now))
    }

    /// The renditions of rung `place` need that bit rate, whatever its size says.
    pub fn on_need(&mut self, place: usize, need: Bitrate, now: MediaTime) {
        if let Some(fitted) = self.fitted.get_mut(place)
            && fitted.need != need
        {
            fitted.need = need;
            self.settle(Reason::Input, now);
        }
    }

    /// Somebody chose the rung `place`. It is taken when nobody else chooses: not with [`auto`](Self::auto).
    pub fn on_level(&mut self, place: usize, now: MediaTime) -> Option<Switch> {
        if self.auto || place >= self.ladder.rungs().len() {
            return None;
        }
        self.refused.retain(|refused| *refused != place);
        self.go(place, Reason::Manual, now)
    }

    /// Load and network choose from now on, or do no longer; the rung stays until they do, or until a level is set.
    pub fn on_auto(&mut self, auto: bool, now: MediaTime) -> Option<Switch> {
        self.auto = auto;
        self.settle(Reason::Input, now)
    }

    /// A frame left at `pushed` and the elements behind, in the same thread, gave us back the control at `returned`.
    /// Only where the source is live: else they wait for the time to show it.
    pub fn on_frame(&mut self, pushed: MediaTime, returned: MediaTime) {
        self.policy.on_frame(0, pushed, returned);
    }

    /// The same of a frame that a queue behind pushed from its own thread; `stage` from 1 to 15 says which queue.
    pub fn on_stage_frame(&mut self, stage: usize, pushed: MediaTime, returned: MediaTime) {
        self.policy.on_frame(stage, pushed, returned);
    }

    /// The fullest queue behind is full to `fill`, before a frame of ours is put in.
    pub fn on_queue(&mut self, fill: Ratio, now: MediaTime) {
        self.policy.on_reading(Sensor::Queue, fill.as_f64(), now);
    }

    /// Frames take `latency` somewhere, and may take `target`.
    pub fn on_latency(&mut self, latency: Duration, target: Duration, now: MediaTime) {
        if !target.is_zero() {
            let value = latency.as_secs_f64() / target.as_secs_f64();
            self.policy.on_reading(Sensor::Latency, value, now);
        }
    }

    /// A sink shows frames at `proportion` of the time that making one takes (above 1: too slowly), and the last was
    /// `jitter` ns late, or early below zero.
    pub fn on_qos(&mut self, proportion: f64, jitter: i64, now: MediaTime) {
        let late = jitter > 0;
        let value = if late {
            proportion
        } else {
            proportion.min(ON_TIME)
        };
        self.policy.on_reading(Sensor::Qos, value, now);
    }

    /// The container's limit kept our threads from running for that part of the time.
    pub fn on_throttled(&mut self, part: Ratio, now: MediaTime) {
        self.policy
            .on_reading(Sensor::Throttling, part.as_f64(), now);
    }

    /// Some thread of the machine waited for a processor for that part of the time.
    pub fn on_pressure(&mut self, part: Ratio, now: MediaTime) {
        self.policy.on_reading(Sensor::Pressure, part.as_f64(), now);
    }

    /// The machine's processors were busy for that part of the time, all together. Moves nothing by itself: it says
    /// whether a load is the machine's or our own.
    pub fn on_processors(&mut self, part: Ratio, now: MediaTime) {
        self.policy.on_processors(part.as_f64(), now);
    }

    /// The GPU was busy for that part of the time.
    pub fn on_gpu(&mut self, part: Ratio, now: MediaTime) {
        self.policy.on_reading(Sensor::Gpu, part.as_f64(), now);
    }

    /// The network carries `target`. Answers a step down, which is due at once.
    pub fn on_target(&mut self, target: Bitrate, now: MediaTime) -> Option<Switch> {
        self.policy.on_target(target, now);
        self.on_time(now)
    }

    /// The same in a group.
    pub fn on_target_in(
        &mut self,
        (arbiter, id): (&mut Arbiter, MemberId),
        target: Bitrate,
        now: MediaTime,
    ) -> Option<Switch> {
        self.policy.on_target(target, now);
        self.on_time_in((arbiter, id), now)
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: MediaTime) -> Option<Switch> {
        let (to, sensor) = match self.policy.wish(now)? {
            Wish::Fall(to, load) => (to, load.sensor),
            Wish::Climb(sensor) => (self.policy.at().checked_sub(1)?, Some(sensor)),
        };
        let sensor = sensor.unwrap_or(Sensor::Network);
        self.step(to, Reason::Sensor(sensor), now)
    }

    /// Time has passed for the member `id` of a group: what its load asks for is done by whom the group's arbiter says.
    pub fn on_time_in(
        &mut self,
        (arbiter, id): (&mut Arbiter, MemberId),
        now: MediaTime,
    ) -> Option<Switch> {
        let standing = Standing {
            speeds: &self.speeds,
            at: self.policy.at(),
            load: self.policy.meter().load_here(now),
            crowded: self.is_crowded(now),
            busy: self.reading(Sensor::Chain, now),
            held: self.policy.is_held_by_network(),
        };
        if let Some(order) = arbiter.on_member(id, standing, now) {
            arbiter.on_moved(id, order.to, now);
            return self.step(order.to, Reason::Group(order.sensor), now);
        }
        let (to, sensor) = match self.policy.wish(now)? {
            // The network is its own: nobody else can give way for it.
            Wish::Fall(to, load) if load.sensor == Some(Sensor::Network) => (to, load.sensor),
            Wish::Fall(to, load) => (arbiter.on_overload(id, &load, to, now)?, load.sensor),
            Wish::Climb(sensor) if arbiter.on_room(id, now) => {
                (self.policy.at().checked_sub(1)?, Some(sensor))
            }
            Wish::Climb(_) => return None,
        };
        arbiter.on_moved(id, to, now);
        let sensor = sensor.unwrap_or(Sensor::Network);
        self.step(to, Reason::Sensor(sensor), now)
    }

    /// When [`on_time`](Self::on_time) has something to do.
    pub fn next_wakeup(&self, now: MediaTime) -> Option<MediaTime> {
        self.policy.next_wakeup(now)
    }

    /// Downstream does not take the size of the rung that holds; `before` is the one that it came from. Goes to the
    /// next one below that is not refused, else above; where somebody chose the level, back to `before`.
    pub fn on_refused(&mut self, before: Option<usize>, now: MediaTime) -> Option<Switch> {
        let refused = self.rung?;
        self.refused.push(refused);
        if let Some(before) = before.filter(|_| !self.auto) {
            return self.go(before, Reason::Input, now);
        }
        let below = refused + 1..self.fitted.len();
        let next = below
            .chain((0..refused).rev())
            .find(|place| !self.refused.contains(place))?;
        self.go(next, Reason::Input, now)
    }

    /// Tells the policy on what it steps, after the rung moved there if it stood elsewhere.
    fn settle(&mut self, reason: Reason, now: MediaTime) -> Option<Switch> {
        let from = self.rung;
        let mut at = 0;
        self.steps = usable(&self.fitted);
        self.steps.retain(|place| !self.refused.contains(place));
        if !self.auto {
            self.rung = self.rung.or((!self.fitted.is_empty()).then_some(0));
            // One step: the load is seen, nothing is done about it.
            self.steps = self.rung.into_iter().collect();
        } else if !self.steps.is_empty() {
            let wanted = self.rung.unwrap_or(0);
            let place = self.steps.iter().position(|place| *place >= wanted);
            at = place.unwrap_or(self.steps.len() - 1);
            self.rung = Some(self.steps[at]);
        }
        let fitted = self
            .steps
            .iter()
            .filter_map(|place| self.fitted.get(*place));
        let steps: Vec<Step> = fitted.map(Fitted::step).collect();
        self.speeds = steps.iter().map(|step| step.speed).collect();
        self.policy.on_steps(steps, at, now);
        let to = self.rung.filter(|to| from != Some(*to))?;
        Some(Switch { from, to, reason })
    }

    fn step(&mut self, step: usize, reason: Reason, now: MediaTime) -> Option<Switch> {
        let to = *self.steps.get(step)?;
        let ordered = matches!(reason, Reason::Group(_));
        self.policy.go(step, ordered, now);
        let from = self.rung.replace(to);
        (from != Some(to)).then_some(Switch { from, to, reason })
    }

    fn go(&mut self, to: usize, reason: Reason, now: MediaTime) -> Option<Switch> {
        let from = self.rung.replace(to);
        self.settle(reason, now);
        let to = self.rung.filter(|to| from != Some(*to))?;
        Some(Switch { from, to, reason })
    }
}

impl Fitted {
    /// What the policy has to know of it.
    fn step(&self) -> Step {
        let rate = self.rate.as_f64();
        Step {
            need: self.need,
            speed: f64::from(self.width) * f64::from(self.height) * rate,
            interval: Duration::from_secs_f64(1.0 / rate),
        }
    }
}

#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod tests;
