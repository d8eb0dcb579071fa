//! How many threads one run is worth.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

/// What Linux tells of the processors.
const PROCESSORS: &str = "/sys/devices/system/cpu";

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
    fn zero_is_a_number_of_cores_and_the_rest_is_itself() {
        let most = thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=most).contains(&threads(0)));
        assert_eq!(threads(3), 3);
    }
}
