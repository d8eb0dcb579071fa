//! Pressure stall information: for how long tasks waited for a processor, or for memory.
//!
//! The sums are read, not the kernel's averages: the shortest of those remembers ten seconds
//! (<https://docs.kernel.org/accounting/psi.html>).

use std::fs;
use std::path::{Path, PathBuf};

use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::meter::Meter;

/// What is waited for.
const RESOURCES: [&str; 2] = ["cpu", "memory"];
const NANOS_IN_MICRO: u64 = 1_000;

/// The kernel's files that can be read.
#[derive(Debug)]
pub(super) struct Pressure(Vec<(PathBuf, Meter)>);

impl Pressure {
    /// What there is below `root`: `/`.
    pub(super) fn open(root: &Path) -> Self {
        let files = RESOURCES.map(|resource| root.join("proc/pressure").join(resource));
        let readable = files.into_iter().filter(|file| stalled(file).is_some());
        Self(readable.map(|file| (file, Meter::default())).collect())
    }

    /// The part of the time since the last call in which some task waited, for whatever was waited for most.
    pub(super) fn read(&mut self, now: MediaTime) -> Option<Ratio> {
        let parts = self.0.iter_mut().filter_map(|(file, meter)| {
            let sum = stalled(file)?;
            meter.on_sum(sum, now)
        });
        parts.max_by(|a, b| a.as_f64().total_cmp(&b.as_f64()))
    }
}

/// Nanoseconds that `some` task waited.
fn stalled(file: &Path) -> Option<u64> {
    total(&fs::read_to_string(file).ok()?)
}

fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let field = line
        .split_whitespace()
        .find_map(|f| f.strip_prefix("total="))?;
    let micros: u64 = field.parse().ok()?;
    micros.checked_mul(NANOS_IN_MICRO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qualityswitch::sensors::cgroup::tests::Tree;

    #[test]
    fn the_sum_of_some_is_read() {
        let text = "some avg10=0.00 avg60=0.84 avg300=15.34 total=16184186588\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=3\n";
        assert_eq!(total(text), Some(16_184_186_588_000));
        assert_eq!(total("full avg10=0.00 total=3\n"), None);
        assert_eq!(total("some avg10=0.00\n"), None);
    }

    #[test]
    fn what_is_waited_for_most_counts() {
        let tree = Tree::new("psi");
        tree.write("proc/pressure/cpu", "some avg10=0 total=1000\n");
        tree.write("proc/pressure/memory", "some avg10=0 total=500\n");
        let mut pressure = Pressure::open(tree.root());
        assert_eq!(pressure.read(MediaTime::from_millis(0)), None);
        tree.write("proc/pressure/cpu", "some avg10=0 total=26000\n");
        tree.write("proc/pressure/memory", "some avg10=0 total=100500\n");
        let part = pressure.read(MediaTime::from_millis(250));
        assert_eq!(part, Some(Ratio::new(0.4)));
    }

    #[test]
    fn a_kernel_without_it_says_nothing() {
        let tree = Tree::new("no-psi");
        let mut pressure = Pressure::open(tree.root());
        assert_eq!(pressure.read(MediaTime::from_millis(0)), None);
        assert_eq!(pressure.read(MediaTime::from_millis(250)), None);
    }
}
