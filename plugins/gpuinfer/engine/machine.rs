//! What this machine has: how many threads one run is worth, and how much memory there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

/// What Linux tells of the processors.
const PROCESSORS: &str = "/sys/devices/system/cpu";

const MEMORY: &str = "/proc/meminfo";
/// Taken where the machine does not tell: less than any that runs networks.
const LEAST_MEMORY: u64 = 1 << 30;

/// Bytes of main memory.
pub(super) fn memory() -> u64 {
    let text = fs::read_to_string(MEMORY).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map_or(LEAST_MEMORY, |kilobytes| kilobytes * 1024)
}

/// Has the allocator give back to the system what a network left that is gone: glibc keeps it for the thread that had
/// it, which has ended. Takes a moment, and holds up nobody for longer.
pub(super) fn trim() {
    // SAFETY: may be called at any time, from any thread.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Pages that this thread got of the system so far; 0 where that is not known.
#[cfg(target_os = "linux")]
pub(super) fn pages() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills the structure that it is given; zeroes are valid where it did not.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage.ru_minflt as u64
}

/// Pages that this thread got of the system so far; 0 where that is not known.
#[cfg(not(target_os = "linux"))]
pub(super) const fn pages() -> u64 {
    0
}

/// Has the allocator keep so many `pages` where they are free. glibc keeps at most twice the largest block that it ever
/// gave back, a size that it learns in this way only, and no more than 64 MiB (`M_MMAP_THRESHOLD` in mallopt(3)).
pub(super) fn keep(pages: u64) {
    const PAGE: u64 = 4096;
    const MOST: u64 = 31 << 20;
    let block: Vec<u8> = Vec::with_capacity((pages * PAGE / 2).min(MOST) as usize);
    drop(std::hint::black_box(block));
}

/// `wanted` threads, or where it is 0, one per physical core that this process may use.
pub(super) fn threads(wanted: u32) -> usize {
    if wanted > 0 {
        return wanted as usize;
    }
    let allowed = thread::available_parallelism().map_or(1, usize::from);
    match physical() {
        0 => allowed,
        cores => cores.min(allowed),
    }
}

/// Physical cores of the machine; 0 where that is not known.
fn physical() -> usize {
    let entries = fs::read_dir(PROCESSORS).into_iter().flatten().flatten();
    let cores: BTreeSet<_> = entries
        .filter_map(|entry| {
            let topology = entry.path().join("topology");
            Some((
                number(&topology, "physical_package_id")?,
                number(&topology, "core_id")?,
            ))
        })
        .collect();
    cores.len()
}

fn number(topology: &Path, name: &str) -> Option<i64> {
    fs::read_to_string(topology.join(name))
        .ok()?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_memory() {
        assert!(memory() >= LEAST_MEMORY / 2);
    }

    #[test]
    fn zero_is_a_number_of_cores_and_the_rest_is_itself() {
        let most = thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=most).contains(&threads(0)));
        assert_eq!(threads(3), 3);
    }
}
