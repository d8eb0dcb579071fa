//! How busy the machine's processors are, all together: the first line of `/proc/stat`
//! (<https://docs.kernel.org/filesystems/proc.html>).

use std::fs;
use std::path::{Path, PathBuf};

use livetune_core::units::Ratio;

/// The columns of that line: user, nice, system, idle, iowait, irq, softirq, steal. What follows, guests, is in the first
/// two.
const COLUMNS: usize = 8;
/// Those in which nothing ran.
const IDLE: [usize; 2] = [3, 4];

/// The kernel's file, and what it said last.
#[derive(Debug)]
pub(super) struct Processors {
    file: PathBuf,
    before: Option<Times>,
}

/// In the kernel's ticks, since it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    all: u64,
    idle: u64,
}

impl Processors {
    /// What there is below `root`: `/`.
    pub(super) fn open(root: &Path) -> Self {
        Self {
            file: root.join("proc/stat"),
            before: None,
        }
    }

    /// The part of the time since the last call that they were busy.
    pub(super) fn read(&mut self) -> Option<Ratio> {
        let times = times(&fs::read_to_string(&self.file).ok()?)?;
        let before = self.before.replace(times)?;
        let all = times.all.checked_sub(before.all).filter(|all| *all > 0)?;
        let idle = times.idle.saturating_sub(before.idle).min(all);
        Some(Ratio::of(all - idle, all))
    }
}

fn times(text: &str) -> Option<Times> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks = line.split_whitespace().take(COLUMNS);
    let ticks: Vec<u64> = ticks.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(Times {
        all: ticks.iter().sum(),
        idle: IDLE.iter().filter_map(|column| ticks.get(*column)).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qualityswitch::sensors::cgroup::tests::Tree;

    #[test]
    fn the_part_in_which_something_ran_is_read() {
        let tree = Tree::new("processors");
        tree.write(
            "proc/stat",
            "cpu  100 10 50 800 40 0 0 0 9 9\ncpu0 1 1 1 1\n",
        );
        let mut processors = Processors::open(tree.root());
        assert_eq!(processors.read(), None);
        assert_eq!(processors.read(), None, "no time passed");
        tree.write(
            "proc/stat",
            "cpu  130 10 60 815 45 5 5 10 9 9\ncpu0 1 1 1 1\n",
        );
        assert_eq!(processors.read(), Some(Ratio::new(0.75)));
        tree.write("proc/stat", "intr 5\n");
        assert_eq!(processors.read(), None);
    }
}
