//! ONNX Runtime as `make onnxruntime` leaves it, and libraries that only look like it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the plain library, or `None` and a line that says so.
pub fn plain() -> Option<PathBuf> {
    there("onnxruntime")
}

/// The folder of the library with the OpenVINO provider, or `None` and a line that says so.
pub fn with_openvino() -> Option<PathBuf> {
    there("onnxruntime-openvino")
}

fn there(name: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join(name);
    if folder.join(".complete").exists() {
        return Some(folder);
    }
    eprintln!("SKIP: {} is not here: make onnxruntime", folder.display());
    None
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
