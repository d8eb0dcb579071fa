//! What tells how loaded the machine and the pipeline are, and what of it may be listened to.

mod around;
mod cgroup;
mod gpu;
mod machine;
mod meter;
mod pressure;
mod processors;
mod queues;
mod stages;
mod watch;

use gst::glib;
use livetune_core::quality::{self, Sensor};

pub(super) use self::around::{Around, Found};
pub(super) use self::machine::Machine;
pub(super) use self::stages::{Hear, Push};
pub(super) use self::watch::{Look, Wants, Watch, watch};

/// What may move the level.
#[glib::flags(name = "GstLiveTuneQualitySwitchSensors")]
pub enum Sensors {
    /// Time that downstream takes for a frame, of the time between two.
    #[flags_value(
        name = "Time that the elements behind take for each frame, of the time between two",
        nick = "chain"
    )]
    CHAIN = 1,
    /// How full queues are.
    #[flags_value(name = "How full the queues behind are", nick = "queue")]
    QUEUE = 1 << 1,
    /// Latency as told.
    #[flags_value(
        name = "Latency that latencytracer and gpuinfer tell, against its target",
        nick = "latency"
    )]
    LATENCY = 1 << 2,
    /// Frames late at the sink.
    #[flags_value(name = "Frames that are late at the sink (QoS events)", nick = "qos")]
    QOS = 1 << 3,
    /// Bit rate as told.
    #[flags_value(
        name = "Bit rate that the network carries, as adaptivebitrate tells",
        nick = "network"
    )]
    NETWORK = 1 << 4,
    /// Processor time withheld.
    #[flags_value(
        name = "Processor time that the control group of the process is refused",
        nick = "throttling"
    )]
    THROTTLING = 1 << 5,
    /// Pressure stall information.
    #[flags_value(
        name = "Time that tasks of the machine wait for a processor or for memory (PSI)",
        nick = "pressure"
    )]
    PRESSURE = 1 << 6,
    /// How busy the GPU is.
    #[flags_value(
        name = "How busy the NVIDIA GPU is, where elements behind use one",
        nick = "gpu"
    )]
    GPU = 1 << 7,
}

impl Sensors {
    /// As the core names them.
    pub(super) fn to_core(self) -> quality::Sensors {
        let all = [
            (Self::CHAIN, Sensor::Chain),
            (Self::QUEUE, Sensor::Queue),
            (Self::LATENCY, Sensor::Latency),
            (Self::QOS, Sensor::Qos),
            (Self::NETWORK, Sensor::Network),
            (Self::THROTTLING, Sensor::Throttling),
            (Self::PRESSURE, Sensor::Pressure),
            (Self::GPU, Sensor::Gpu),
        ];
        let heard = all.into_iter().filter(|(own, _)| self.contains(*own));
        heard.map(|(_, sensor)| sensor).collect()
    }
}
