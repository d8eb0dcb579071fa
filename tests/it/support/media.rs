//! Real videos and real models, where the machine has them.

use std::path::{Path, PathBuf};

/// The file at `path` of the folder `shared` beside the project, or `None` and a line that says so.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("SKIP: {} is not here", file.display());
    None
}
