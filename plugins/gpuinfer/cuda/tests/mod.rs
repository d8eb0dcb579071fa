//! What can be proved of CUDA where there is none.

mod cases;
mod element;
mod kernel;
mod played;
pub(in crate::gpuinfer) mod stage;
mod surface;
mod twin;

use std::path::PathBuf;
use std::process::Command;

/// Says why a test does not run here.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn skip(why: &str) {
    eprintln!("SKIP: {why}");
}

/// Where the files of this test process go.
fn folder(name: &str) -> PathBuf {
    let process = std::process::id();
    let folder = std::env::temp_dir().join(format!("livetune-cuda-{process}-{name}"));
    std::fs::create_dir_all(&folder).expect("made");
    folder
}

/// A shared library made of this C++, or `None` where there is no compiler.
fn compile(name: &str, source: &str, arguments: &[&str]) -> Option<PathBuf> {
    let folder = folder(name);
    let text = folder.join(format!("{name}.cpp"));
    std::fs::write(&text, source).expect("written");
    let library = folder.join(format!("lib{name}.so"));
    // Products are rounded before they are added to, as the kernel is compiled for the GPU.
    let made = Command::new("c++")
        .args([
            "-O2",
            "-ffp-contract=off",
            "-shared",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
        ])
        .arg("-o")
        .arg(&library)
        .arg(text)
        .args(arguments)
        .output();
    match made {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {said}");
            Some(library)
        }
        Err(error) => {
            skip(&format!("no C++ compiler ({error})"));
            None
        }
    }
}
