//! How many cores there are.

use std::collections::BTreeSet;
use std::fs;
use std::thread;

/// Cores that this process may use, each counted once however many threads it runs at a time.
pub(super) fn physical() -> usize {
    let usable = thread::available_parallelism().map_or(1, usize::from);
    siblings().map_or(usable, |cores| cores.min(usable))
}

/// Different groups of processors that share a core, where the system tells.
fn siblings() -> Option<usize> {
    let processors = fs::read_dir("/sys/devices/system/cpu").ok()?;
    let groups: BTreeSet<String> = processors
        .filter_map(|entry| {
            let file = entry.ok()?.path().join("topology/thread_siblings_list");
            fs::read_to_string(file).ok()
        })
        .collect();
    (!groups.is_empty()).then_some(groups.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_core_and_not_more_than_the_system_grants() {
        let usable = thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=usable).contains(&physical()));
    }
}
