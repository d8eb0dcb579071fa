//! Where ONNX Runtime may lie.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::gpuinfer::engine::options::{Device, EngineOptions};
use crate::gpuinfer::engine::places;

/// A library to try, and who names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) named_by: &'static str,
}

/// Names that the dynamic linker is asked for; Debian's package has neither.
const NAMES: [&str; 2] = ["libonnxruntime.so.1", "libonnxruntime.so"];
/// Environment variables, ours before that of the package ort.
const VARIABLES: [&str; 2] = ["LIVETUNE_ORT_PATH", "ORT_DYLIB_PATH"];
/// Folders of libraries; `*` in a name is anything.
const FOLDERS: [&str; 7] = [
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/*-linux-gnu",
    "/opt/onnxruntime*/lib",
    "/opt/onnxruntime*/lib64",
];
/// Below a Python installation; only the wheel's own folder, so that no import of Python is needed.
const PYTHON: [&str; 2] = [
    "lib/python3*/site-packages/onnxruntime/capi",
    "lib/python3*/dist-packages/onnxruntime/capi",
];

/// The libraries to try, best first. One that the user names is the only one.
pub(super) fn candidates(options: &EngineOptions) -> Vec<Candidate> {
    if let Some(path) = &options.library {
        return named(path, "the property onnxruntime-library");
    }
    if let Some((path, name)) = by_variable() {
        return named(&path, name);
    }
    let names = NAMES.map(|name| Candidate {
        path: name.into(),
        named_by: "the dynamic linker",
    });
    names.into_iter().chain(installed(options.device)).collect()
}

/// Whether the user says which library to take.
pub(in crate::gpuinfer::engine) fn is_named(options: &EngineOptions) -> bool {
    options.library.is_some() || by_variable().is_some()
}

fn by_variable() -> Option<(PathBuf, &'static str)> {
    VARIABLES.iter().find_map(|name| {
        let value = env::var_os(name).filter(|value| !value.is_empty())?;
        Some((PathBuf::from(value), *name))
    })
}

/// The library at `path`, or the newest in the folder `path`.
fn named(path: &Path, named_by: &'static str) -> Vec<Candidate> {
    let path = if path.is_dir() {
        let mut inside = libraries(path);
        sort(&mut inside, Device::Cpu);
        inside.into_iter().next().unwrap_or(path.to_owned())
    } else {
        path.to_owned()
    };
    vec![Candidate { path, named_by }]
}

/// What is installed where such libraries are.
fn installed(device: Device) -> impl Iterator<Item = Candidate> {
    let roots = places::python().into_iter();
    let wheels = roots.flat_map(|root| PYTHON.map(|below| root.join(below)));
    let folders = FOLDERS.iter().map(PathBuf::from).chain(wheels);
    let mut paths: Vec<PathBuf> = folders
        .flat_map(|pattern| places::expand(&pattern))
        .flat_map(|folder| libraries(&folder))
        .collect();
    sort(&mut paths, device);
    paths.dedup();
    paths.into_iter().map(|path| Candidate {
        path,
        named_by: "a usual folder",
    })
}

/// Those that have what `device` needs beside them first, then the newest.
fn sort(paths: &mut [PathBuf], device: Device) {
    let provider = match device {
        Device::Cpu => None,
        Device::Auto | Device::Cuda => Some("libonnxruntime_providers_cuda.so"),
        Device::TensorRt => Some("libonnxruntime_providers_tensorrt.so"),
        Device::OpenVino => Some("libonnxruntime_providers_openvino.so"),
    };
    paths.sort_by_cached_key(|path| {
        let has_provider = provider.is_some_and(|name| path.with_file_name(name).exists());
        (Reverse(has_provider), Reverse(version(path)), path.clone())
    });
}

/// The files in `folder` that are ONNX Runtime, links followed.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so.")
        })
        .filter_map(|entry| fs::canonicalize(entry.path()).ok())
        .collect()
}

/// The numbers behind `.so.` in the name of a file.
fn version(path: &Path) -> Vec<u32> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let numbers = name.split_once(".so.").map_or("", |(_, numbers)| numbers);
    let numbers = numbers.split('.').map_while(|number| number.parse().ok());
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_in_a_folder_is_taken_by_number_and_not_by_letter() {
        let folder = env::temp_dir().join(format!("livetune-search-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("made");
        for name in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime_providers_shared.so",
        ] {
            fs::write(folder.join(name), b"").expect("written");
        }
        let found = named(&folder, "a test");
        fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with("libonnxruntime.so.1.31.1"));
    }

    #[test]
    fn what_the_property_names_is_the_only_one() {
        let options = EngineOptions {
            library: Some("/no/such/library.so".into()),
            ..EngineOptions::default()
        };
        let found = candidates(&options);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, Path::new("/no/such/library.so"));
    }
}
