//! A GPU that is played: NVIDIA's driver and compiler as [`driver.cpp`](driver.cpp) has them, for a process of their own,
//! and GStreamer's real library for CUDA on top of them.

use std::ffi::{c_int, c_void};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use gst::glib::translate::{ToGlibPtr, from_glib_full};
use gst_video::{VideoFrameRef, VideoInfo, VideoMeta, prelude::*};
use libloading::Library;

use super::{compile, skip};
use crate::gpuinfer::cuda::memory::CudaMemory;
use crate::gpuinfer::engine::{
    DeviceInput, DeviceTensor, Engine, EngineError, Number, TensorInfo, TensorRef,
};
use crate::runtime::lock::lock;

/// Says to the child that it is one.
const VARIABLE: &str = "LIVETUNE_PLAYED";

/// Whether this process has the GPU. Where it has not, the test `name` is run once more in a process that has, with a
/// driver compiled with `arguments` and these `variables`.
pub(in crate::gpuinfer) fn is_on(
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> bool {
    if std::env::var_os(VARIABLE).is_some() {
        gst::init().expect("GStreamer starts");
        return true;
    }
    let Some(library) = driver(name, arguments) else {
        return false;
    };
    let folder = library.parent().expect("a folder");
    let (_, name) = name.split_once("::").expect("a path of modules");
    let mut child = Command::new(std::env::current_exe().expect("a program"));
    child
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, "1")
        .env("LD_LIBRARY_PATH", folder)
        .env("PLAYED_FOLDER", folder)
        .env("LIVETUNE_NVRTC_PATH", &library)
        .envs(variables.iter().copied());
    let output = child.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    std::fs::remove_dir_all(folder).expect("removed");
    assert!(output.status.success(), "{told}{said}");
    assert!(told.contains("1 passed"), "{name} is no test: {told}");
    if let Some(line) = said.lines().find(|line| line.starts_with("SKIP: ")) {
        skip(line);
    }
    false
}

fn driver(name: &str, arguments: &[&str]) -> Option<PathBuf> {
    let name = name.rsplit("::").next().expect("a name");
    let shim = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/plugins/gpuinfer/cuda/tests/shim.cpp"
    );
    let define = format!("-DSHIM=\"{shim}\"");
    let all = [
        &[
            "-std=c++17",
            "-O0",
            "-Wl,-soname,libcuda.so.1",
            "-ldl",
            &define,
        ],
        arguments,
    ]
    .concat();
    let made = compile(name, include_str!("driver.cpp"), &all)?;
    let library = made.with_file_name("libcuda.so.1");
    std::fs::rename(made, &library).expect("renamed");
    Some(library)
}

/// What the player tells of itself.
pub(in crate::gpuinfer) struct Player(Library);

impl Player {
    pub(in crate::gpuinfer) fn here() -> Self {
        // SAFETY: it is ours, and loaded already.
        Self(unsafe { Library::new("libcuda.so.1") }.expect("it is played"))
    }

    /// The GPU is lost from here on.
    pub(in crate::gpuinfer) fn lose(&self) {
        self.call(c"played_lose");
    }

    /// Memory belongs to no context from here on.
    pub(super) fn homeless(&self) {
        self.call(c"played_homeless");
    }

    /// All that was taken and not given back.
    pub(super) fn left(&self) -> c_int {
        self.call(c"played_left")
    }

    pub(super) fn kernels(&self) -> c_int {
        self.call(c"played_kernels")
    }

    pub(super) fn copies(&self) -> c_int {
        self.call(c"played_copies")
    }

    fn call(&self, name: &std::ffi::CStr) -> c_int {
        type Call = unsafe extern "C" fn() -> c_int;
        // SAFETY: those that answer nothing leave something in the register.
        unsafe { self.0.get::<Call>(name).expect("it is there")() }
    }

    /// What lies on the GPU.
    fn read(&self, address: u64, bytes: usize) -> Vec<u8> {
        type Host = unsafe extern "C" fn(u64) -> *const u8;
        // SAFETY: this is its type, and so many bytes are there.
        unsafe {
            let memory = self.0.get::<Host>(c"played_host").expect("it is there")(address);
            std::slice::from_raw_parts(memory, bytes).to_vec()
        }
    }
}

/// GStreamer's library for CUDA, and a context of it.
pub(in crate::gpuinfer) struct Gstreamer {
    library: Library,
    context: *mut c_void,
}

type Alloc = unsafe extern "C" fn(
    *mut gst::ffi::GstAllocator,
    *mut c_void,
    *const gst_video::ffi::GstVideoInfo,
) -> *mut gst::ffi::GstMemory;

impl Gstreamer {
    /// `None` where it is not installed.
    pub(in crate::gpuinfer) fn open() -> Option<Self> {
        // SAFETY: its initialisers are run, as by GStreamer's own elements.
        let Ok(library) = (unsafe { Library::new("libgstcuda-1.0.so.0") }) else {
            skip("GStreamer's library for CUDA is not here");
            return None;
        };
        // SAFETY: these are their types in the headers of 1.22.
        unsafe {
            let load = library.get::<unsafe extern "C" fn() -> c_int>(c"gst_cuda_load_library");
            assert_ne!(
                load.expect("it is there")(),
                0,
                "GStreamer takes the driver"
            );
            let init = library.get::<unsafe extern "C" fn()>(c"gst_cuda_memory_init_once");
            init.expect("it is there")();
            let new =
                library.get::<unsafe extern "C" fn(u32) -> *mut c_void>(c"gst_cuda_context_new");
            let context = new.expect("it is there")(0);
            assert!(!context.is_null());
            Some(Self { library, context })
        }
    }

    /// `frame` in CUDA memory, with or without the meta that says how it lies.
    pub(in crate::gpuinfer) fn upload(
        &self,
        frame: &gst::BufferRef,
        info: &VideoInfo,
        has_meta: bool,
    ) -> gst::Buffer {
        let allocator = gst::Allocator::find(Some("gst.cuda.memory")).expect("registered");
        // SAFETY: this is its type, and the memory is ours.
        let (mut memory, own) = unsafe {
            let alloc = self.library.get::<Alloc>(c"gst_cuda_allocator_alloc");
            let alloc = alloc.expect("it is there");
            let raw = alloc(
                allocator.to_glib_none().0,
                self.context,
                info.to_glib_none().0,
            );
            assert!(!raw.is_null());
            let own = (*raw.cast::<CudaMemory>()).info;
            (from_glib_full::<_, gst::Memory>(raw), own)
        };
        let source = VideoFrameRef::from_buffer_ref_readable(frame, info).expect("a frame");
        let mut target = memory
            .get_mut()
            .expect("ours")
            .map_writable()
            .expect("mapped");
        let planes = info.n_planes() as usize;
        for plane in 0..planes {
            let stride = source.plane_stride()[plane] as usize;
            let rows = source
                .plane_data(plane as u32)
                .expect("a plane")
                .chunks(stride);
            let place = target[own.offset[plane]..].chunks_mut(own.stride[plane] as usize);
            for (row, place) in rows.zip(place) {
                let bytes = row.len().min(place.len());
                place[..bytes].copy_from_slice(&row[..bytes]);
            }
        }
        drop(target);
        let mut buffer = gst::Buffer::new();
        let inside = buffer.get_mut().expect("ours");
        inside.append_memory(memory);
        if has_meta {
            let flags = gst_video::VideoFrameFlags::empty();
            let (offsets, strides) = (&own.offset[..planes], &own.stride[..planes]);
            let size = (info.width(), info.height());
            VideoMeta::add_full(
                inside,
                flags,
                info.format(),
                size.0,
                size.1,
                offsets,
                strides,
            )
            .expect("added");
        }
        buffer
    }
}

impl Drop for Gstreamer {
    fn drop(&mut self) {
        // SAFETY: it is an object, and ours.
        unsafe { gst::ffi::gst_object_unref(self.context.cast()) };
    }
}

/// A network on the GPU that only notes what it is given.
pub(in crate::gpuinfer) struct Recorder {
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    shape: Vec<usize>,
    numbers: Vec<f32>,
    /// The last tensor, and whether it lay on the GPU.
    pub(in crate::gpuinfer) seen: Arc<Mutex<(Vec<f32>, bool)>>,
}

/// Side of its input.
pub(in crate::gpuinfer) const SIDE: usize = 64;

impl Recorder {
    pub(in crate::gpuinfer) fn new() -> Self {
        let info = |name: &str, shape: &[Option<usize>]| TensorInfo {
            name: name.to_owned(),
            shape: shape.to_vec(),
            is_float: true,
        };
        Self {
            inputs: vec![info("in", &[None, Some(3), Some(SIDE), Some(SIDE)])],
            outputs: vec![info("out", &[None, Some(2)])],
            shape: Vec::new(),
            numbers: Vec::new(),
            seen: Arc::default(),
        }
    }

    fn see(&mut self, shape: &[usize], numbers: Vec<f32>, on_device: bool) {
        self.shape = vec![shape[0], 2];
        self.numbers = vec![0.0; shape[0] * 2];
        *lock(&self.seen) = (numbers, on_device);
    }
}

impl Engine for Recorder {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError> {
        self.see(tensor.shape, tensor.data.to_vec(), false);
        Ok(())
    }

    fn device_input(&self) -> Option<DeviceInput> {
        Some(DeviceInput {
            ordinal: 0,
            number: Number::F32,
        })
    }

    fn run_on_device(&mut self, tensor: DeviceTensor<'_>) -> Result<(), EngineError> {
        static PLAYER: OnceLock<Player> = OnceLock::new();
        let bytes = PLAYER
            .get_or_init(Player::here)
            .read(tensor.address, tensor.bytes);
        let (numbers, _) = bytes.as_chunks::<4>();
        let numbers = numbers.iter().map(|number| f32::from_ne_bytes(*number));
        self.see(tensor.shape, numbers.collect(), true);
        Ok(())
    }

    fn output(&self, index: usize) -> Option<TensorRef<'_>> {
        let (shape, data) = (&self.shape[..], &self.numbers[..]);
        (index == 0).then_some(TensorRef { shape, data })
    }
}

/// A frame of `info` with something to see, in main memory.
pub(in crate::gpuinfer) fn frame(info: &VideoInfo, seed: usize) -> gst::Buffer {
    let bytes = (0..info.size()).map(|at| 16 + ((at * 31 + at / 97 * 7 + seed * 53) % 200) as u8);
    gst::Buffer::from_mut_slice(bytes.collect::<Vec<u8>>())
}
