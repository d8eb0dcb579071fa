//! How loaded the way behind is, by every sensor there is.

mod chain;

use std::time::Duration;

use crate::time::MediaTime;

use super::sensor::{Sensor, Sensors, Thresholds, Trust};
use chain::{Chain, SEVERAL};

/// A reading that nothing followed for so long says nothing any more: three of the reports that come each second.
const FRESH: Duration = Duration::from_secs(3);

/// How far back the mean of readings reaches, in seconds; that of the chain.
const MEMORY: f64 = 0.25;

/// Threads of one chain that are told apart.
const STAGES: usize = 16;

/// A direct sensor this far from the elevated to the high threshold is enough where another one finds too much load.
const NEARLY: f64 = 0.75;

/// From this part of the time on the machine's processors have no room: bursts of a few milliseconds wait for one.
const FULL: f64 = 0.9;

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoadState {
    /// There is room.
    #[default]
    Optimal,
    /// Enough as it is, not for more.
    Elevated,
    /// More than can be borne for long.
    High,
    /// Far more.
    Critical,
}

impl LoadState {
    /// The word that messages and stats carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optimal => "optimal",
            Self::Elevated => "elevated",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// The load as the sensor sees it that sees most of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// How bad it is.
    pub state: LoadState,
    /// What the sensor reads, in its own unit; 1 is about what can be borne.
    pub value: f64,
    /// The sensor, or `None` where none has anything to say.
    pub sensor: Option<Sensor>,
}

/// What one sensor reads.
#[derive(Clone, Copy, Debug)]
struct Reading {
    value: f64,
    at: MediaTime,
    /// Since when it is over the high threshold, and with how many readings.
    over: Option<(MediaTime, u32)>,
    /// Since when it is nearly over that.
    raised: Option<MediaTime>,
}

/// Keeps what each sensor reads: smoothed, with the time since it is too much.
#[derive(Clone, Debug)]
pub struct LoadMeter {
    sensors: Sensors,
    thresholds: [Thresholds; Sensor::ALL.len()],
    readings: [Option<Reading>; Sensor::ALL.len()],
    chains: [Chain; STAGES],
    /// The part of the time that the machine's processors are busy, and when that was read.
    processors: Option<(f64, MediaTime)>,
    /// Between two frames of this rung.
    interval: Duration,
    /// Until then nothing is read but the network: the last switch is not over.
    quiet: MediaTime,
}

impl LoadMeter {
    /// A meter for `sensors`; the chain is too busy over `busy_high` and has no room for more over `up_projected_max`.
    pub fn new(sensors: Sensors, busy_high: f64, up_projected_max: f64) -> Self {
        Self {
            sensors,
            thresholds: Sensor::ALL
                .map(|sensor| Thresholds::of(sensor, busy_high, up_projected_max)),
            readings: [None; Sensor::ALL.len()],
            chains: [Chain::default(); STAGES],
            processors: None,
            interval: Duration::ZERO,
            quiet: MediaTime::ZERO,
        }
    }

    /// Only `sensors` are heard from now on, and these are the bounds of the chain.
    pub fn set_bounds(&mut self, sensors: Sensors, busy_high: f64, up_projected_max: f64) {
        self.sensors = sensors;
        self.thresholds =
            Sensor::ALL.map(|sensor| Thresholds::of(sensor, busy_high, up_projected_max));
        for sensor in Sensor::ALL {
            if !sensors.contains(sensor) {
                self.readings[sensor.place()] = None;
            }
        }
    }

    /// Whether `sensor` is heard.
    pub fn hears(&self, sensor: Sensor) -> bool {
        self.sensors.contains(sensor)
    }

    /// Frames are `interval` apart from now on, and what was read of them until `until` says nothing of that.
    pub fn on_switch(&mut self, interval: Duration, until: MediaTime) {
        self.interval = interval;
        self.quiet = until;
        for sensor in Sensor::ALL {
            let reading = &mut self.readings[sensor.place()];
            *reading = reading.filter(|_| lasts(sensor)).map(|reading| Reading {
                over: None,
                raised: None,
                ..reading
            });
        }
        self.chains = [Chain::default(); STAGES];
    }

    /// A frame was pushed by the thread `stage` of the chain (0 for our own) and came back.
    pub fn on_frame(&mut self, stage: usize, pushed: MediaTime, returned: MediaTime) {
        if !self.hears(Sensor::Chain) || returned < self.quiet || self.interval.is_zero() {
            return;
        }
        let Some(chain) = self.chains.get_mut(stage) else {
            return;
        };
        let high = self.thresholds[Sensor::Chain.place()].high;
        let slow = chain.on_frame(pushed, returned, (self.interval, high));
        let value = self.busiest(returned);
        // Frames that took too long have been too much since the first of them left.
        let begun = slow.map_or((pushed, 1), |slow| (slow.since, slow.frames));
        self.note(Sensor::Chain, value, begun, returned);
    }

    /// `sensor` reads `value`, in parts of what can be borne.
    pub fn on_reading(&mut self, sensor: Sensor, value: f64, now: MediaTime) {
        if !self.hears(sensor) || value.is_nan() {
            return;
        }
        if sensor == Sensor::Network {
            self.note(sensor, value, (now, 1), now);
        } else if now >= self.quiet || lasts(sensor) {
            let before = self.readings[sensor.place()];
            let value = mean(before.map(|before| (before.value, before.at)), value, now);
            self.note(sensor, value, (now, 1), now);
        }
    }

    /// The machine's processors are busy for that part of the time.
    pub fn on_processors(&mut self, part: f64, now: MediaTime) {
        self.processors = Some((mean(self.processors, part, now), now));
    }

    /// Whether the machine has more to do than it can; `None` where neither pressure nor processors are read.
    pub fn is_crowded(&self, now: MediaTime) -> Option<bool> {
        let shared = Sensor::ALL
            .into_iter()
            .filter(|sensor| sensor.trust() == Trust::Corroborates);
        let raised = shared
            .filter_map(|sensor| self.load_of(sensor, now))
            .any(|load| load.state > LoadState::Optimal);
        let fresh = |(_, at): &(f64, MediaTime)| now.since(*at) < FRESH;
        let processors = self.processors.filter(fresh);
        let full = processors.is_some_and(|(part, _)| part > FULL);
        let known = processors.is_some() || self.fresh(Sensor::Pressure, now).is_some();
        (raised || full || known).then_some(raised || full)
    }

    /// What `sensor` reads now, if it has read anything lately.
    pub fn reading(&self, sensor: Sensor, now: MediaTime) -> Option<f64> {
        self.fresh(sensor, now).map(|reading| reading.value)
    }

    /// Whether a sensor reads anything.
    pub fn is_sensing(&self, now: MediaTime) -> bool {
        Sensor::ALL
            .iter()
            .any(|sensor| self.fresh(*sensor, now).is_some())
    }

    /// The load as the sensor sees it that sees most of it, the most trusted of several.
    pub fn load(&self, now: MediaTime) -> Load {
        self.worst(|_| true, now)
    }

    /// The same by those that see the own frames on this machine, and nothing else.
    pub fn load_here(&self, now: MediaTime) -> Load {
        self.worst(|sensor| DIRECT.contains(&sensor), now)
    }

    fn worst(&self, asked: impl Fn(Sensor) -> bool, now: MediaTime) -> Load {
        let seen = Sensor::ALL
            .iter()
            .filter(|sensor| asked(**sensor) && self.counts(**sensor, Duration::ZERO, now));
        let loads = seen.filter_map(|sensor| self.load_of(*sensor, now));
        let worst = |most: Load, load: Load| match load.state > most.state || most.sensor.is_none()
        {
            true => load,
            false => most,
        };
        loads.fold(Load::default(), worst)
    }

    /// The load where it has been too much for `hold`; of several sensors the most trusted is named. Not that of the
    /// network, which is too much at once.
    pub fn overload(&self, hold: Duration, now: MediaTime) -> Option<Load> {
        let over = self.over(now).find(|(sensor, since, count)| {
            let enough = *sensor != Sensor::Chain || *count >= SEVERAL;
            enough && now.since(*since) >= hold && self.counts(*sensor, hold, now)
        });
        let load = over.and_then(|(sensor, ..)| self.load_of(sensor, now))?;
        // How far it is too much for our frames the others do not know.
        let state = match load.sensor.map(Sensor::trust) {
            Some(Trust::Corroborates) => LoadState::High,
            _ => load.state,
        };
        Some(Load { state, ..load })
    }

    /// When the load will have been too much for `hold`, if it goes on.
    pub fn next_wakeup(&self, hold: Duration, now: MediaTime) -> Option<MediaTime> {
        let ends = self.over(now).map(|(_, since, _)| since.after(hold));
        ends.filter(|end| *end > now).min()
    }

    /// Whether no sensor but those of projected values, chain and network, is against more load. Pressure, which is that
    /// of the whole machine, is only asked where no direct one reads anything.
    pub fn is_calm(&self, now: MediaTime) -> bool {
        let alone = self.direct(now).is_none();
        let asked = Sensor::ALL.into_iter().filter(|sensor| match sensor {
            Sensor::Chain | Sensor::Network => false,
            Sensor::Pressure => alone,
            _ => true,
        });
        asked
            .filter_map(|sensor| self.load_of(sensor, now))
            .all(|load| load.state == LoadState::Optimal)
    }

    fn busiest(&self, now: MediaTime) -> f64 {
        let loads = self
            .chains
            .iter()
            .filter_map(|chain| chain.load(FRESH, now));
        loads.fold(0.0, f64::max)
    }

    fn note(&mut self, sensor: Sensor, value: f64, begun: (MediaTime, u32), at: MediaTime) {
        let Thresholds { elevated, high, .. } = self.thresholds[sensor.place()];
        let reading = &mut self.readings[sensor.place()];
        let before = reading.and_then(|reading| reading.over);
        let (since, count) = match before {
            Some((since, count)) => (since, count.saturating_add(1)),
            None => (begun.0.max(self.quiet), begun.1),
        };
        let over = (value > high).then_some((since, count));
        let since = reading
            .and_then(|reading| reading.raised)
            .unwrap_or(begun.0);
        let raised = (value > elevated + NEARLY * (high - elevated)).then_some(since);
        *reading = Some(Reading {
            value,
            at,
            over,
            raised,
        });
    }

    fn over(&self, now: MediaTime) -> impl Iterator<Item = (Sensor, MediaTime, u32)> {
        let sensors = Sensor::ALL.into_iter().filter(|s| *s != Sensor::Network);
        sensors.filter_map(move |sensor| {
            let (since, count) = self.fresh(sensor, now)?.over?;
            Some((sensor, since, count))
        })
    }

    fn fresh(&self, sensor: Sensor, now: MediaTime) -> Option<Reading> {
        let reading = self.readings[sensor.place()]?;
        // What the network carries holds until it is said otherwise.
        (sensor == Sensor::Network || now.since(reading.at) < FRESH).then_some(reading)
    }

    /// The load as `sensor` sees it, if it has read anything lately.
    pub fn load_of(&self, sensor: Sensor, now: MediaTime) -> Option<Load> {
        let value = self.fresh(sensor, now)?.value;
        let thresholds = self.thresholds[sensor.place()];
        let state = if value > thresholds.critical {
            LoadState::Critical
        } else if value > thresholds.high {
            LoadState::High
        } else if value > thresholds.elevated {
            LoadState::Elevated
        } else {
            LoadState::Optimal
        };
        Some(Load {
            state,
            value,
            sensor: Some(sensor),
        })
    }

    /// Whether what `sensor` reads is acted upon: it is direct, or a direct one has read something raised for `hold`, or
    /// no direct one reads anything of the machine.
    fn counts(&self, sensor: Sensor, hold: Duration, now: MediaTime) -> bool {
        if sensor.trust() == Trust::Direct || self.direct(now).is_none() {
            return true;
        }
        let raised = DIRECT
            .iter()
            .filter_map(|direct| self.fresh(*direct, now)?.raised);
        raised.min().is_some_and(|since| now.since(since) >= hold)
    }

    /// The worst that a direct sensor reads of the machine, if one does.
    fn direct(&self, now: MediaTime) -> Option<LoadState> {
        let loads = DIRECT
            .iter()
            .filter_map(|sensor| self.load_of(*sensor, now));
        loads.map(|load| load.state).max()
    }
}

/// Those that see the own frames on this machine.
const DIRECT: [Sensor; 4] = [Sensor::Chain, Sensor::Queue, Sensor::Latency, Sensor::Qos];

/// The mean of `value` and what was `before`, with the past fading.
fn mean(before: Option<(f64, MediaTime)>, value: f64, now: MediaTime) -> f64 {
    before.map_or(value, |(mean, at)| {
        let passed = now.since(at).as_secs_f64();
        mean + (value - mean) * passed / (MEMORY + passed)
    })
}

/// Whether what `sensor` reads is not of the rung.
const fn lasts(sensor: Sensor) -> bool {
    matches!(
        sensor,
        Sensor::Network | Sensor::Throttling | Sensor::Pressure
    )
}

#[cfg(test)]
mod tests;
