//! NVRTC, CUDA's compiler, opened at run time.
//!
//! Not through cudarc, which looks for the names of one generation of it only and finds none of those that pip installs;
//! a newer or older NVRTC than the driver is as good, as it makes machine code.

use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr;

use libloading::Library;

use super::driver::Done;
use crate::gpuinfer::engine::places;

/// Names that the dynamic linker is asked for, newest first.
const NAMES: [&str; 4] = [
    "libnvrtc.so.13",
    "libnvrtc.so.12",
    "libnvrtc.so.11.2",
    "libnvrtc.so",
];
/// Environment variable with the path of the library.
const VARIABLE: &str = "LIVETUNE_NVRTC_PATH";
/// Where toolkits lie; `*` in a name is anything.
const FOLDERS: [&str; 3] = [
    "/usr/local/cuda*/lib64",
    "/usr/local/cuda*/targets/*-linux/lib",
    "/usr/lib/*-linux-gnu",
];
/// Below a Python installation, as pip puts them for ONNX Runtime.
const PYTHON: [&str; 2] = [
    "lib/python3*/*-packages/nvidia/cu1*/lib",
    "lib/python3*/*-packages/nvidia/cuda_nvrtc/lib",
];
/// Architectures that any NVRTC since 11 may know, newest first; a GPU runs assembly for older ones.
const KNOWN: [u32; 8] = [90, 89, 86, 80, 75, 70, 60, 52];

type Program = *mut c_void;
type Create = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> c_int;
type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int;
type Size = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type Get = unsafe extern "C" fn(Program, *mut c_char) -> c_int;
type Destroy = unsafe extern "C" fn(*mut Program) -> c_int;

/// The functions of the library, which stays open as long as this is.
pub(super) struct Nvrtc {
    create: Create,
    compile: Compile,
    log: (Size, Get),
    assembly: (Size, Get),
    /// Missing before CUDA 11.1.
    code: Option<(Size, Get)>,
    destroy: Destroy,
    _library: Library,
}

impl Nvrtc {
    /// The first that can be opened; the error says what was tried.
    pub(super) fn open() -> Done<Self> {
        Self::open_one_of(&candidates())
    }

    pub(super) fn open_one_of(paths: &[PathBuf]) -> Done<Self> {
        let mut tried = Vec::new();
        for path in paths {
            // It looks for a second library beside the first, where that really lies.
            let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            // SAFETY: the initialisers of a library that the user or the system names are run, as with any plugin.
            match unsafe { Library::new(path) } {
                Ok(library) => match Self::of(library) {
                    Ok(nvrtc) => return Ok(nvrtc),
                    Err(error) => tried.push(format!("{}: {error}", path.display())),
                },
                Err(error) => gst::debug!(super::CAT, "{}: {error}", path.display()),
            }
        }
        let tried = tried.join("; ");
        Err(format!(
            "there is no libnvrtc.so, CUDA's run-time compiler{}{tried}: install it, or set {VARIABLE} to its path",
            if tried.is_empty() {
                ""
            } else {
                ", that works: "
            }
        ))
    }

    fn of(library: Library) -> Result<Self, libloading::Error> {
        // SAFETY: these are the types of those functions since they came.
        unsafe {
            let pair = |size: &CStr, get: &CStr| -> Result<(Size, Get), libloading::Error> {
                Ok((*library.get::<Size>(size)?, *library.get::<Get>(get)?))
            };
            Ok(Self {
                create: *library.get(c"nvrtcCreateProgram")?,
                compile: *library.get(c"nvrtcCompileProgram")?,
                log: pair(c"nvrtcGetProgramLogSize", c"nvrtcGetProgramLog")?,
                assembly: pair(c"nvrtcGetPTXSize", c"nvrtcGetPTX")?,
                code: pair(c"nvrtcGetCUBINSize", c"nvrtcGetCUBIN").ok(),
                destroy: *library.get(c"nvrtcDestroyProgram")?,
                _library: library,
            })
        }
    }

    /// `source` for GPUs of this `architecture`, such as 86: machine code, or assembly where this NVRTC makes none for
    /// it, which ends in a zero byte.
    pub(super) fn build(&self, source: &CStr, architecture: u32) -> Done<Vec<u8>> {
        let code = self.code.ok_or_else(|| "it makes no code".to_owned());
        let code = code.and_then(|code| {
            let target = format!("sm_{architecture}");
            self.build_for(source, &target, code)
        });
        let Err(mut why) = code else {
            return code;
        };
        let older = KNOWN.into_iter().filter(|known| *known < architecture);
        for known in [architecture].into_iter().chain(older) {
            match self.build_for(source, &format!("compute_{known}"), self.assembly) {
                Ok(assembly) => return Ok(assembly),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn build_for(&self, source: &CStr, target: &str, image: (Size, Get)) -> Done<Vec<u8>> {
        let mut program = Building {
            nvrtc: self,
            raw: ptr::null_mut(),
        };
        // SAFETY: the texts live for the call, which copies them.
        let created = unsafe {
            let (name, none) = (c"kernel.cu".as_ptr(), ptr::null());
            (self.create)(&mut program.raw, source.as_ptr(), name, 0, none, none)
        };
        check(created, "create the program")?;
        let target = CString::new(format!("--gpu-architecture={target}"));
        let target = target.map_err(|error| error.to_string())?;
        // As on the processor: a product is rounded before it is added to.
        let options = [target.as_ptr(), c"--fmad=false".as_ptr()];
        // SAFETY: the program lives, and so do as many options as is said.
        let compiled =
            unsafe { (self.compile)(program.raw, options.len() as c_int, options.as_ptr()) };
        if let Err(why) = check(compiled, "compile") {
            let log = program.get(self.log).unwrap_or_default();
            let log = String::from_utf8_lossy(&log).into_owned();
            return Err(format!("{why}: {}", log.trim_matches(['\0', '\n', ' '])));
        }
        program.get(image)
    }
}

/// A program until it is built.
struct Building<'a> {
    nvrtc: &'a Nvrtc,
    raw: Program,
}

impl Building<'_> {
    fn get(&self, (size, get): (Size, Get)) -> Done<Vec<u8>> {
        let mut bytes = 0;
        // SAFETY: the program lives.
        check(unsafe { size(self.raw, &mut bytes) }, "say how long it is")?;
        let mut image = vec![0; bytes];
        // SAFETY: as many bytes as it said.
        check(
            unsafe { get(self.raw, image.as_mut_ptr().cast()) },
            "give what it made",
        )?;
        Ok(image)
    }
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: it was created, and is destroyed once.
            unsafe { (self.nvrtc.destroy)(&mut self.raw) };
        }
    }
}

fn check(result: c_int, what: &str) -> Done<()> {
    match result {
        0 => Ok(()),
        error => Err(format!("NVRTC does not {what} (error {error})")),
    }
}

fn candidates() -> Vec<PathBuf> {
    let named = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    if let Some(path) = named {
        return vec![path.into()];
    }
    let wheels = places::python().into_iter();
    let wheels = wheels.flat_map(|root| PYTHON.map(|below| root.join(below)));
    let folders = FOLDERS.iter().map(PathBuf::from).chain(wheels);
    let folders = folders.flat_map(|pattern| places::expand(&pattern));
    let inside = folders.flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let there = inside.filter(|path| Path::exists(path));
    NAMES.map(PathBuf::from).into_iter().chain(there).collect()
}
