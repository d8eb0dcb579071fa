//! What the load is read from, and how far each of these is to be believed.

use std::fmt;

/// Where a reading comes from, the most trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensor {
    /// The part of the time between two frames that the elements behind take for one.
    Chain,
    /// How full the queues behind are.
    Queue,
    /// Measured latency beside the one that is allowed.
    Latency,
    /// What a sink says of frames that came late.
    Qos,
    /// The bit rate that the network carries.
    Network,
    /// The part of the time that the container's limit kept our threads from running.
    Throttling,
    /// The part of the time that some thread of the machine waited for a processor (PSI).
    Pressure,
    /// How busy the GPU is.
    Gpu,
}

/// What a sensor may bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// It sees frames or machines of others too: it is heard when a direct one finds the load raised as well, or when
    /// there is no direct one.
    Corroborates,
    /// It sees the own frames: what it finds is acted upon.
    Direct,
}

impl Sensor {
    /// All of them, the most trusted first.
    pub const ALL: [Self; 8] = [
        Self::Chain,
        Self::Queue,
        Self::Latency,
        Self::Qos,
        Self::Network,
        Self::Throttling,
        Self::Pressure,
        Self::Gpu,
    ];

    /// How far it is believed. Before any load was started, pressure was measured at 0.98 on a machine with unrelated
    /// jobs, and throttling and a GPU at work belong to neighbours as well.
    pub const fn trust(self) -> Trust {
        match self {
            Self::Chain | Self::Queue | Self::Latency | Self::Qos | Self::Network => Trust::Direct,
            Self::Throttling | Self::Pressure | Self::Gpu => Trust::Corroborates,
        }
    }

    /// The word that messages, properties and telemetry carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Queue => "queue",
            Self::Latency => "latency",
            Self::Qos => "qos",
            Self::Network => "network",
            Self::Throttling => "throttling",
            Self::Pressure => "pressure",
            Self::Gpu => "gpu",
        }
    }

    pub(super) const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensors(u8);

impl Sensors {
    /// Every one.
    pub const ALL: Self = Self(u8::MAX);
    /// None.
    pub const NONE: Self = Self(0);

    /// These and `sensor`.
    #[must_use]
    pub const fn with(self, sensor: Sensor) -> Self {
        Self(self.0 | 1 << sensor.place())
    }

    /// These without `sensor`.
    #[must_use]
    pub const fn without(self, sensor: Sensor) -> Self {
        Self(self.0 & !(1 << sensor.place()))
    }

    /// Whether `sensor` is among them.
    pub const fn contains(self, sensor: Sensor) -> bool {
        self.0 & 1 << sensor.place() != 0
    }
}

impl FromIterator<Sensor> for Sensors {
    fn from_iter<I: IntoIterator<Item = Sensor>>(sensors: I) -> Self {
        sensors.into_iter().fold(Self::NONE, Self::with)
    }
}

/// From where on a reading counts, in the unit of its sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// From here on the load is [`Elevated`](super::LoadState::Elevated): no step up.
    pub elevated: f64,
    /// From here on it is [`High`](super::LoadState::High): a step down once it has been so for the hold.
    pub high: f64,
    /// From here on it is [`Critical`](super::LoadState::Critical): rungs may be skipped.
    pub critical: f64,
}

impl Thresholds {
    /// Those of `sensor`. Of the chain, in parts of the frame interval: where it is projected to be under after a step
    /// up, `busy_high`, and the 1.2 from which on the measured prototype skipped rungs.
    pub(super) const fn of(sensor: Sensor, busy_high: f64, up_projected_max: f64) -> Self {
        let (elevated, high, critical) = match sensor {
            Sensor::Chain => (up_projected_max, busy_high, 1.2),
            // A queue is there to be filled for moments; one that stays nearly full waits for its reader.
            Sensor::Queue => (0.5, 0.85, 2.0),
            // Latency over the one allowed. 0.6: the prototype's bound for a step up.
            Sensor::Latency => (0.6, 1.0, 2.0),
            // GstQOS proportion: from 1 on frames are made more slowly than they are shown. Critical as for the chain.
            Sensor::Qos => (0.95, 1.0, 1.2),
            // Need over what is carried; 1 / 1.15 is the margin for a step up.
            Sensor::Network => (1.0 / 1.15, 1.0, 2.0),
            // kubernetes-mixin warns of CPUThrottlingHigh from 25 % on.
            Sensor::Throttling => (0.1, 0.25, 0.5),
            // systemd-oomd's default limit of pressure is 60 %.
            Sensor::Pressure => (0.3, 0.6, 0.9),
            Sensor::Gpu => (up_projected_max, 0.95, 2.0),
        };
        Self {
            elevated,
            high,
            critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_in_the_order_of_trust() {
        assert!(Sensor::ALL.is_sorted());
        let trust = Sensor::ALL.map(Sensor::trust);
        assert!(trust.is_sorted_by(|a, b| a >= b));
        for (place, sensor) in Sensor::ALL.into_iter().enumerate() {
            assert_eq!(sensor.place(), place);
        }
    }

    #[test]
    fn each_can_be_taken_out_alone() {
        for sensor in Sensor::ALL {
            let rest = Sensors::ALL.without(sensor);
            assert!(!rest.contains(sensor));
            assert_eq!(rest.with(sensor), Sensors::ALL);
            assert_eq!(Sensors::from_iter([sensor]), Sensors::NONE.with(sensor));
        }
    }

    #[test]
    fn every_threshold_lies_above_the_one_before() {
        for sensor in Sensor::ALL {
            let Thresholds {
                elevated,
                high,
                critical,
            } = Thresholds::of(sensor, 0.85, 0.7);
            assert!(elevated < high && high < critical, "{sensor}");
        }
    }
}
