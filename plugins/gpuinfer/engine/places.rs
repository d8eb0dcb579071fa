//! Where libraries lie that users install.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Roots of installations of Python: the one that is in use, the user's, the system's.
pub(in crate::gpuinfer) fn python() -> Vec<PathBuf> {
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].map(env::var_os);
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".local"));
    let roots = environments.into_iter().flatten().map(PathBuf::from);
    let system = ["/usr/local".into(), "/usr".into()];
    roots.chain(home).chain(system).collect()
}

/// The folders that `pattern` means; a `*` stands in a single component.
pub(in crate::gpuinfer) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern {
        let star = component.to_str().and_then(|text| text.split_once('*'));
        found = match star {
            None => found.iter().map(|path| path.join(component)).collect(),
            Some((head, tail)) => found
                .iter()
                .flat_map(|path| fs::read_dir(path).into_iter().flatten().flatten())
                .filter(|entry| fits(&entry.file_name(), head, tail))
                .map(|entry| entry.path())
                .collect(),
        };
    }
    found.retain(|path| path.is_dir());
    found
}

fn fits(name: &OsStr, head: &str, tail: &str) -> bool {
    let name = name.to_string_lossy();
    name.strip_prefix(head)
        .is_some_and(|rest| rest.ends_with(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_folders() {
        assert!(expand(Path::new("/us*/li*")).contains(&"/usr/lib".into()));
        assert!(expand(Path::new("/no-such-*/lib")).is_empty());
    }
}
