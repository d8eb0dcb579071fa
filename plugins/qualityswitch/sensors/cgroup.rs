//! Control groups: for how long the process was refused a processor because its group had used up its quota.
//!
//! `cpu.stat` of version 2 counts `throttled_usec`, that of version 1 `throttled_time` in nanoseconds
//! (<https://docs.kernel.org/admin-guide/cgroup-v2.html>, <https://docs.kernel.org/scheduler/sched-bwc.html>). The quota
//! may be that of any group around the process, so all of them are read.

use std::fs;
use std::path::{Path, PathBuf};

use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::meter::Meter;

const NANOS_IN_MICRO: u64 = 1_000;
/// Groups lie in groups no deeper than this.
const MOST_GROUPS: usize = 16;

/// `cpu.stat` of every group that the process is in.
#[derive(Debug)]
pub(super) struct Throttling(Vec<(PathBuf, Meter)>);

impl Throttling {
    /// What there is below `root`: `/`.
    pub(super) fn open(root: &Path) -> Self {
        let read = |file: &str| fs::read_to_string(root.join("proc/self").join(file));
        let groups = read("cgroup").unwrap_or_default();
        let mounts = read("mountinfo").unwrap_or_default();
        let mut files = Vec::new();
        for mount in mounts.lines().filter_map(Mount::parse) {
            if let Some(group) = mount.group_in(&groups) {
                let top = root.join(mount.point.trim_start_matches('/'));
                files.extend(stat_files(&top, &group));
            }
        }
        Self(
            files
                .into_iter()
                .map(|file| (file, Meter::default()))
                .collect(),
        )
    }

    /// The part of the time since the last call that the most refused group had to wait.
    pub(super) fn read(&mut self, now: MediaTime) -> Option<Ratio> {
        let parts = self.0.iter_mut().filter_map(|(file, meter)| {
            let sum = throttled(&fs::read_to_string(file).ok()?)?;
            meter.on_sum(sum, now)
        });
        parts.max_by(|a, b| a.as_f64().total_cmp(&b.as_f64()))
    }
}

/// The files of `group` and the groups around it that say something. In a container the group's own name may mean
/// nothing: then the top is the process's own.
fn stat_files(top: &Path, group: &str) -> Vec<PathBuf> {
    let inner = top.join(group.trim_start_matches('/'));
    let inner = if inner.is_dir() {
        inner
    } else {
        top.to_owned()
    };
    let around = inner.ancestors().take_while(|group| group.starts_with(top));
    let files = around.take(MOST_GROUPS).map(|group| group.join("cpu.stat"));
    files
        .filter(|file| fs::read_to_string(file).is_ok_and(|text| throttled(&text).is_some()))
        .collect()
}

/// Where a hierarchy of groups is seen.
#[derive(Debug, PartialEq, Eq)]
struct Mount<'a> {
    point: &'a str,
    /// The group that is seen at its top.
    top: &'a str,
    unified: bool,
}

impl<'a> Mount<'a> {
    /// Reads a line of `mountinfo`; `None` where it is no hierarchy that knows processors.
    fn parse(line: &'a str) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (top, point) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let unified = match kind.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        let cpu = kind.nth(1)?.split(',').any(|option| option == "cpu");
        (unified || cpu).then_some(Self {
            point,
            top,
            unified,
        })
    }

    /// The process's group, as seen from the top of this mount.
    fn group_in(&self, groups: &str) -> Option<String> {
        let group = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
            let own = match self.unified {
                true => controllers.is_empty(),
                false => controllers.split(',').any(|name| name == "cpu"),
            };
            own.then_some(group)
        })?;
        Some(group.strip_prefix(self.top).unwrap_or(group).to_owned())
    }
}

/// Nanoseconds that a group was refused.
fn throttled(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| {
        let (field, number) = line.split_once(' ')?;
        let number: u64 = number.trim().parse().ok()?;
        match field {
            "throttled_usec" => number.checked_mul(NANOS_IN_MICRO),
            "throttled_time" => Some(number),
            _ => None,
        }
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A root of a file system in a folder of the tests.
    pub(in super::super) struct Tree(PathBuf);

    impl Tree {
        pub(in super::super) fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("livetune-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).expect("a folder for the test");
            Self(root)
        }

        pub(in super::super) fn root(&self) -> &Path {
            &self.0
        }

        pub(in super::super) fn write(&self, file: &str, text: &str) {
            let file = self.0.join(file);
            let folder = file.parent().expect("files lie in folders");
            fs::create_dir_all(folder).expect("a folder for the file");
            fs::write(file, text).expect("a file for the test");
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const UNIFIED: &str = "24 1 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    const CPU: &str =
        "33 28 0:29 / /sys/fs/cgroup/cpu rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n";

    #[test]
    fn version_two_is_read_in_microseconds() {
        let tree = Tree::new("v2");
        tree.write("proc/self/cgroup", "0::/shop/camera\n");
        tree.write("proc/self/mountinfo", UNIFIED);
        let stat = "sys/fs/cgroup/shop/camera/cpu.stat";
        tree.write(stat, "usage_usec 9\nnr_throttled 0\nthrottled_usec 1000\n");
        let mut throttling = Throttling::open(tree.root());
        assert_eq!(throttling.read(MediaTime::from_millis(0)), None);
        tree.write(stat, "usage_usec 9\nnr_throttled 1\nthrottled_usec 51000\n");
        let part = throttling.read(MediaTime::from_millis(250));
        assert_eq!(part, Some(Ratio::new(0.2)));
    }

    #[test]
    fn the_quota_of_a_group_around_counts_too() {
        let tree = Tree::new("around");
        tree.write("proc/self/cgroup", "0::/shop/camera\n");
        tree.write("proc/self/mountinfo", UNIFIED);
        tree.write("sys/fs/cgroup/shop/camera/cpu.stat", "throttled_usec 0\n");
        tree.write("sys/fs/cgroup/shop/cpu.stat", "throttled_usec 0\n");
        let mut throttling = Throttling::open(tree.root());
        throttling.read(MediaTime::from_millis(0));
        tree.write("sys/fs/cgroup/shop/cpu.stat", "throttled_usec 25000\n");
        let part = throttling.read(MediaTime::from_millis(100));
        assert_eq!(part, Some(Ratio::new(0.25)));
    }

    #[test]
    fn version_one_is_read_in_nanoseconds() {
        let tree = Tree::new("v1");
        tree.write(
            "proc/self/cgroup",
            "4:memory:/a\n2:cpu,cpuacct:/docker/12\n0::/\n",
        );
        tree.write("proc/self/mountinfo", CPU);
        // As in a container: the group is the top of what is seen, whatever it is called outside.
        let stat = "sys/fs/cgroup/cpu/cpu.stat";
        tree.write(stat, "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
        let mut throttling = Throttling::open(tree.root());
        throttling.read(MediaTime::from_millis(0));
        tree.write(
            stat,
            "nr_periods 9\nnr_throttled 9\nthrottled_time 10000000\n",
        );
        let part = throttling.read(MediaTime::from_millis(100));
        assert_eq!(part, Some(Ratio::new(0.1)));
    }

    #[test]
    fn mounts_without_processors_say_nothing() {
        let memory = "30 28 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        assert_eq!(Mount::parse(memory), None);
        assert_eq!(Mount::parse("21 1 8:1 / / rw - ext4 /dev/sda1 rw"), None);
        assert_eq!(Mount::parse("nonsense"), None);
        let bound = Mount::parse("33 28 0:29 /docker/12 /sys/fs/cgroup rw - cgroup2 none rw");
        let group = bound.and_then(|mount| mount.group_in("0::/docker/12/inner\n"));
        assert_eq!(group.as_deref(), Some("/inner"));
    }

    #[test]
    fn a_machine_without_groups_says_nothing() {
        let tree = Tree::new("no-groups");
        let mut throttling = Throttling::open(tree.root());
        assert_eq!(throttling.read(MediaTime::from_millis(0)), None);
    }
}
