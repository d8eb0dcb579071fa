//! Python, as Debian has it and with packages from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The distribution's Python, which knows GStreamer by introspection.
pub const SYSTEM: &str = "/usr/bin/python3";

/// A Python that can `import hdrh`, or `None` and a line that says so where PyPI cannot be reached.
pub fn with_hdrhistogram() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(make_environment).as_deref()
}

/// A Python that can `import onnxruntime` and `numpy`, or `None` and a line that says so where PyPI cannot be reached.
pub fn with_onnxruntime() -> Option<&'static Path> {
    with_hdrhistogram()
}

fn make_environment() -> Option<PathBuf> {
    /// Exit status of the script where PyPI cannot be reached.
    const UNREACHABLE: i32 = 75;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/python.sh");
    let made = Command::new("sh")
        .arg(script)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    if made.status.code() == Some(UNREACHABLE) {
        eprintln!("SKIP: PyPI cannot be reached, so Python's packages are not here");
        return None;
    }
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{script}: {said}");
    Some(target.join("python/bin/python"))
}

#[test]
fn hdrhistogram_for_python_is_there_or_pypi_cannot_be_reached() {
    let Some(python) = with_hdrhistogram() else {
        return;
    };
    let code = "from hdrh.log import HistogramLogReader";
    let status = Command::new(python).args(["-c", code]).status().unwrap();
    assert!(status.success(), "{} lacks it", python.display());
}

#[test]
fn the_system_python_knows_gstreamer() {
    let code = "import gi; gi.require_version('GstRtspServer', '1.0'); \
                from gi.repository import GstRtspServer";
    let status = Command::new(SYSTEM).args(["-c", code]).status().unwrap();
    assert!(
        status.success(),
        "run `make deps`: {SYSTEM} lacks GstRtspServer"
    );
}
