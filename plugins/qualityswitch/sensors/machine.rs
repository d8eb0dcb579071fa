//! What the machine says of itself.

use std::path::Path;

use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::cgroup::Throttling;
use super::gpu::Gpu;
use super::pressure::Pressure;
use super::processors::Processors;

/// Since the last look; nothing where the machine does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct Machine {
    /// Part of the time that the process was refused a processor by its quota.
    pub(in super::super) throttled: Option<Ratio>,
    /// Part of the time that some task waited for a processor or memory.
    pub(in super::super) pressure: Option<Ratio>,
    /// How busy the processors are, all together.
    pub(in super::super) processors: Option<Ratio>,
    /// How busy the busiest GPU is.
    pub(in super::super) gpu: Option<Ratio>,
}

/// The open files and libraries.
#[derive(Debug)]
pub(super) struct Instruments {
    throttling: Throttling,
    pressure: Pressure,
    processors: Processors,
    /// Opened when the first element asks for it: that starts the driver.
    gpu: Option<Gpu>,
}

impl Instruments {
    pub(super) fn new() -> Self {
        let root = Path::new("/");
        Self {
            throttling: Throttling::open(root),
            pressure: Pressure::open(root),
            processors: Processors::open(root),
            gpu: None,
        }
    }

    /// Reads all; the GPU only where somebody asks for it.
    pub(super) fn read(&mut self, with_gpu: bool, now: MediaTime) -> Machine {
        if with_gpu && self.gpu.is_none() {
            self.gpu = Some(Gpu::open());
        }
        Machine {
            throttled: self.throttling.read(now),
            pressure: self.pressure.read(now),
            processors: self.processors.read(),
            gpu: self.gpu.as_ref().filter(|_| with_gpu).and_then(Gpu::read),
        }
    }
}
