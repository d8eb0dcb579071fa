//! Opens ONNX Runtime, once for the process, and says why where it cannot.

use std::cell::Cell;
use std::error::Error;
use std::ffi::{CStr, c_char};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use libloading::Library;
use ort::environment::Environment;
use ort::logging::LogLevel;

use super::search::{self, Candidate};
use crate::gpuinfer::engine::options::EngineOptions;
use crate::gpuinfer::engine::{CAT, EngineError, Fault};
use crate::runtime::lock::lock;

/// ONNX Runtime, open for as long as the process lives: nothing can close it.
#[derive(Debug)]
pub(in crate::gpuinfer::engine) struct Runtime {
    pub(in crate::gpuinfer::engine) environment: Environment,
    pub(super) path: PathBuf,
    /// Of the library, such as 1.31.1.
    pub(super) version: String,
}

static RUNTIME: Mutex<Option<Arc<Runtime>>> = Mutex::new(None);

/// What to do about any error of the search.
const ADVICE: &str = "install ONNX Runtime 1.17 or later, or set the property onnxruntime-library to the absolute \
     path of its libonnxruntime.so";

/// The process's ONNX Runtime, opened by the first who asks; an error where `options` ask for another one.
pub(in crate::gpuinfer::engine) fn runtime(
    options: &EngineOptions,
) -> Result<Arc<Runtime>, EngineError> {
    let unusable = |why: String| EngineError::of(Fault::Library, why);
    if let Some(path) = options.library.as_ref().filter(|path| !path.is_absolute()) {
        return Err(unusable(format!(
            "onnxruntime-library={} is no absolute path",
            path.display()
        )));
    }
    // Held while the library is opened, as only one may be.
    let mut opened = lock(&RUNTIME);
    if let Some(runtime) = &*opened {
        return runtime.fits(options).map_err(unusable);
    }
    let mut tried = Vec::new();
    for candidate in search::candidates(options) {
        match open(&candidate) {
            Ok(runtime) => {
                let (version, path) = (&runtime.version, runtime.path.display());
                gst::info!(CAT, "ONNX Runtime {version} out of {path}");
                let runtime = Arc::new(runtime);
                *opened = Some(runtime.clone());
                return Ok(runtime);
            }
            Err(why) => {
                let (path, named_by) = (candidate.path.display(), candidate.named_by);
                tried.push(format!("{path}, named by {named_by}: {why}"));
            }
        }
    }
    let tried = tried.join("; ");
    Err(unusable(format!(
        "no ONNX Runtime can be used ({tried}): {ADVICE}"
    )))
}

impl Runtime {
    fn fits(self: &Arc<Self>, options: &EngineOptions) -> Result<Arc<Self>, String> {
        let Some(wanted) = &options.library else {
            return Ok(self.clone());
        };
        let asked = search::candidates(options);
        let is_it = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == self.path);
        if asked.iter().any(|candidate| is_it(&candidate.path)) {
            return Ok(self.clone());
        }
        Err(format!(
            "onnxruntime-library={} cannot be opened: this process already runs {}, and a process can run one ONNX \
             Runtime only",
            wanted.display(),
            self.path.display()
        ))
    }
}

fn open(candidate: &Candidate) -> Result<Runtime, String> {
    // A name that the dynamic linker is asked for stays as it is.
    let path = fs::canonicalize(&candidate.path).unwrap_or_else(|_| candidate.path.clone());
    let (library, version) = probe(&path)?;
    let builder = ort::init_from(&path).map_err(|error| error.to_string())?;
    // ort holds it from here on.
    drop(library);
    let environment = builder
        .with_name("livetune")
        .with_telemetry(false)
        .with_logger(Arc::new(|level, _, _, place, message| {
            log(level, place, message);
        }))
        .build()
        .map_err(|error| error.to_string())?;
    environment.set_log_level(LogLevel::Warning);
    Ok(Runtime {
        environment,
        path,
        version,
    })
}

/// Opens the library at `path` and asks for its version.
fn probe(path: &Path) -> Result<(Library, String), String> {
    // SAFETY: the initialisers of a library that the user or the system names are run, as with any plugin.
    let library = unsafe { Library::new(path) }.map_err(|error| reason(&error))?;
    type GetBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: this is the type of that function since the first release.
    let get_base = unsafe { library.get::<GetBase>(c"OrtGetApiBase") }
        .map_err(|_| "it is no ONNX Runtime, as it does not export OrtGetApiBase".to_owned())?;
    // SAFETY: it takes nothing, and gives a table that lives as long as the library, or null.
    let base = unsafe { get_base().as_ref() }.ok_or("its OrtGetApiBase gives nothing")?;
    // SAFETY: as above; a string that lives as long as the library, or null.
    let version: *const c_char = unsafe { (base.GetVersionString)() };
    if version.is_null() {
        return Err("it does not tell its version".to_owned());
    }
    // SAFETY: not null, and ended by a zero byte.
    let version = unsafe { CStr::from_ptr(version) };
    let version = version.to_string_lossy().into_owned();
    check(&version)?;
    // SAFETY: any number may be asked for; null where the library does not have that version of the interface.
    if unsafe { (base.GetApi)(ort::sys::ORT_API_VERSION) }.is_null() {
        return Err(format!(
            "it is version {version} and lacks the interface of version 1.{}",
            ort::MINOR_VERSION
        ));
    }
    Ok((library, version))
}

/// Refuses what is too old, or too new to be known.
fn check(version: &str) -> Result<(), String> {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (major, minor) = (numbers.next(), numbers.next());
    match (major, minor) {
        (Some(Ok(1)), Some(Ok(minor))) if minor >= ort::MINOR_VERSION => Ok(()),
        _ => Err(format!(
            "it is version {version}, and 1.{} or a later 1.x is needed",
            ort::MINOR_VERSION
        )),
    }
}

/// The linker's own words.
fn reason(error: &libloading::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

thread_local! {
    static LAST_ERROR: Cell<Option<String>> = const { Cell::new(None) };
}

/// The last error that ONNX Runtime logged on this thread since this was asked; what it returns may leave that out.
pub(super) fn logged_error() -> Option<String> {
    LAST_ERROR.take().map(|message| {
        let reason = message.rsplit("[ERROR]").next().unwrap_or(&message);
        reason.trim().to_owned()
    })
}

/// What ONNX Runtime says goes where GStreamer's log goes.
fn log(level: LogLevel, place: &str, message: &str) {
    match level {
        LogLevel::Fatal | LogLevel::Error => {
            gst::info!(CAT, "{message} ({place})");
            // The thread may be ending.
            let _ = LAST_ERROR.try_with(|last| last.set(Some(message.to_owned())));
        }
        LogLevel::Warning => gst::info!(CAT, "{message} ({place})"),
        LogLevel::Info => gst::debug!(CAT, "{message} ({place})"),
        LogLevel::Verbose => gst::trace!(CAT, "{message} ({place})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_from_1_17_on_are_taken() {
        for version in ["1.17.0", "1.31.1", "1.999"] {
            assert_eq!(check(version), Ok(()));
        }
        for version in ["1.16.3", "0.5.0", "2.0.0", "", "new"] {
            let why = check(version).expect_err("refused");
            assert!(why.contains("1.17"), "{why}");
        }
    }

    #[test]
    fn a_library_that_is_something_else_says_so() {
        let why = probe(Path::new("/lib/x86_64-linux-gnu/libm.so.6"));
        let why = why.err().unwrap_or_default();
        assert!(
            why.contains("OrtGetApiBase") || why.contains("cannot open"),
            "{why}"
        );
        let why = probe(Path::new("/no/such/library.so")).err();
        let why = why.unwrap_or_default();
        assert!(why.contains("cannot open shared object file"), "{why}");
    }
}
