//! Child processes that load the plugin as a user's would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A folder that holds nothing but a link to the plugin as it was just built.
pub fn plugin_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let library = test.with_file_name("libgstlivetune.so");
        assert!(library.exists(), "{} is missing", library.display());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
        std::fs::create_dir_all(&dir).unwrap();
        let link = dir.join("libgstlivetune.so");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(library, link).unwrap();
        dir
    })
}

/// `program` of GStreamer with the plugin on its path and a registry of its own; criticals kill it.
pub fn gstreamer(program: &str) -> Command {
    let dir = plugin_dir();
    let mut command = Command::new(program);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("GST_PLUGIN_PATH", dir)
        .env(
            "GST_PRESET_PATH",
            concat!(env!("CARGO_MANIFEST_DIR"), "/presets"),
        )
        .env("GST_REGISTRY", dir.join("registry.bin"))
        .env_remove("LIVETUNE_ORT_PATH")
        .env_remove("ORT_DYLIB_PATH")
        .env("G_DEBUG", "fatal-criticals");
    command
}

/// Runs a line of gst-launch-1.0 to its end.
pub fn gst_launch(line: &str) -> Output {
    gstreamer("gst-launch-1.0")
        .arg("-q")
        .args(line.split_whitespace())
        .output()
        .unwrap()
}
