//! How busy the NVIDIA GPUs are, by NVML, which is opened where it is installed.

use std::ffi::OsStr;

use livetune_core::units::Ratio;
use nvml_wrapper::Nvml;

/// What the driver installs; the name without a version is only there for those who build.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// An open library, or none.
#[derive(Debug)]
pub(super) struct Gpu(Option<Nvml>);

impl Gpu {
    /// Opens the library. Without it, or without a GPU, nothing is ever said.
    pub(super) fn open() -> Self {
        Self::open_at(OsStr::new(LIBRARY))
    }

    fn open_at(library: &OsStr) -> Self {
        Self(Nvml::builder().lib_path(library).init().ok())
    }

    /// How busy the busiest part of the busiest GPU was over the driver's last period (1/6 s to 1 s): the shaders, or the
    /// encoder.
    pub(super) fn read(&self) -> Option<Ratio> {
        let nvml = self.0.as_ref()?;
        let devices = 0..nvml.device_count().ok()?;
        let busiest = devices.filter_map(|index| {
            let device = nvml.device_by_index(index).ok()?;
            let shaders = device.utilization_rates().map(|rates| rates.gpu).ok();
            let encoder = device
                .encoder_utilization()
                .map(|info| info.utilization)
                .ok();
            shaders.max(encoder)
        });
        busiest.max().map(|percent| Ratio::of(percent.into(), 100))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    /// A library that says what NVML would on a machine with two GPUs; `None` without a C compiler.
    fn fake() -> Option<PathBuf> {
        const SOURCE: &str = "
            int nvmlInit_v2(void) { return 0; }
            int nvmlShutdown(void) { return 0; }
            int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
            static int devices[2];
            int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = &devices[index]; return 0; }
            int nvmlDeviceGetUtilizationRates(void *device, unsigned *rates) {
                rates[0] = device == &devices[0] ? 31 : 12;
                rates[1] = 5;
                return 0;
            }
            int nvmlDeviceGetEncoderUtilization(void *device, unsigned *busy, unsigned *period) {
                *busy = device == &devices[1] ? 64 : 0;
                *period = 100000;
                return 0;
            }";
        let folder = std::env::temp_dir();
        let own = |kind| folder.join(format!("livetune-nvml-{}.{kind}", std::process::id()));
        let (source, library) = (own("c"), own("so"));
        std::fs::write(&source, SOURCE).ok()?;
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status();
        let _ = std::fs::remove_file(source);
        compiled.ok()?.success().then_some(library)
    }

    #[test]
    fn the_busiest_part_of_the_busiest_counts() {
        let Some(library) = fake() else {
            return;
        };
        let gpu = Gpu::open_at(library.as_os_str());
        assert_eq!(gpu.read(), Some(Ratio::new(0.64)));
        let _ = std::fs::remove_file(library);
    }

    #[test]
    fn a_machine_without_it_says_nothing() {
        assert_eq!(Gpu::open_at(OsStr::new("libno-such.so.1")).read(), None);
    }
}
