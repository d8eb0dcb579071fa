//! ONNX Runtime as `make check` brings it, and libraries that only look like it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the plain library, or `None` and a line that says so where PyPI cannot be reached.
pub fn plain() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| brought("onnxruntime", &[]))
        .as_deref()
}

/// The folder of the library with the OpenVINO provider, or `None` and a line that says so where PyPI cannot be reached.
pub fn with_openvino() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| brought("onnxruntime-openvino", &["openvino"]))
        .as_deref()
}

/// Brought here for those who run the tests without `make check`.
fn brought(name: &str, words: &[&str]) -> Option<PathBuf> {
    /// Exit status of the script where PyPI cannot be reached.
    const UNREACHABLE: i32 = 75;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/onnxruntime.sh");
    let made = Command::new("sh")
        .arg(script)
        .args(words)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    if made.status.code() == Some(UNREACHABLE) {
        eprintln!("{said}");
        return None;
    }
    assert!(made.status.success(), "{script}: {said}");
    Some(target.join(name))
}

/// A library `lib<name>.so` made of this C, linked with `arguments`, or `None` where there is no C compiler.
pub fn compile(name: &str, source: &str, arguments: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libraries");
    std::fs::create_dir_all(&folder).unwrap();
    let text = folder.join(format!("{name}.c"));
    std::fs::write(&text, source).unwrap();
    let library = folder.join(format!("lib{name}.so"));
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-w", "-o"])
        .arg(&library)
        .arg(text)
        .arg("-L")
        .arg(&folder)
        .args(arguments)
        .status();
    match made {
        Ok(status) => assert!(status.success(), "{name} is not made"),
        Err(error) => {
            eprintln!("SKIP: no C compiler ({error})");
            return None;
        }
    }
    Some(library)
}
