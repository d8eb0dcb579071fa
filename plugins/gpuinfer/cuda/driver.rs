//! CUDA's driver, opened at run time, as far as it is used here: what is taken is given back.
//!
//! cudarc panics where the library or one of its functions is missing, so both are looked for before anything is called.

use std::ffi::{CStr, c_void};
use std::sync::{Arc, OnceLock};

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;

use crate::runtime::guard::guard;

/// Or a sentence for a warning.
pub(super) type Done<T> = Result<T, String>;

/// All functions that are called here, by the names that the library has for them.
const FUNCTIONS: [&CStr; 23] = [
    c"cuInit",
    c"cuDeviceGet",
    c"cuDeviceGetAttribute",
    c"cuDevicePrimaryCtxRetain",
    c"cuDevicePrimaryCtxRelease_v2",
    c"cuCtxPushCurrent_v2",
    c"cuCtxPopCurrent_v2",
    c"cuGetErrorName",
    c"cuGetErrorString",
    c"cuStreamCreate",
    c"cuStreamSynchronize",
    c"cuStreamDestroy_v2",
    c"cuMemAlloc_v2",
    c"cuMemFree_v2",
    c"cuMemsetD8Async",
    c"cuMemcpyHtoDAsync_v2",
    c"cuMemcpyDtoDAsync_v2",
    c"cuMemcpyPeerAsync",
    c"cuPointerGetAttribute",
    c"cuModuleLoadData",
    c"cuModuleUnload",
    c"cuModuleGetFunction",
    c"cuLaunchKernel",
];

/// Whether the driver can be called; the error says why not. Looked for once.
fn ready() -> Done<()> {
    static READY: OnceLock<Done<()>> = OnceLock::new();
    let look = || {
        // SAFETY: the driver's initialisers are run, as by every program that uses the GPU.
        if !unsafe { sys::is_culib_present() } {
            return Err("there is no libcuda.so.1, NVIDIA's driver".to_owned());
        }
        // SAFETY: as above; it was found.
        let library = unsafe { sys::culib() };
        for name in FUNCTIONS {
            // SAFETY: nothing is called; a name of the library is looked up.
            let found = unsafe { library.get::<*const c_void>(name.to_bytes()) };
            if found.is_err() {
                let name = name.to_string_lossy();
                return Err(format!("NVIDIA's driver is too old, it has no {name}"));
            }
        }
        result::init().map_err(said)
    };
    let panicked = || Err("the search for NVIDIA's driver panicked".to_owned());
    READY
        .get_or_init(|| guard("CUDA's driver", None, || Some(look())).unwrap_or_else(panicked))
        .clone()
}

/// An error in words, with its number.
pub(super) fn said(error: DriverError) -> String {
    let text = |text: Result<&CStr, DriverError>| {
        text.map_or_else(
            |_| String::new(),
            |text| text.to_string_lossy().into_owned(),
        )
    };
    let (name, meaning) = (text(error.error_name()), text(error.error_string()));
    format!("CUDA error {} {name}: {meaning}", error.0 as u32)
}

/// The primary context of a GPU, which ONNX Runtime works in.
#[derive(Debug)]
pub(super) struct Context {
    device: sys::CUdevice,
    raw: sys::CUcontext,
}

// SAFETY: contexts can be used from every thread.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// Until it is dropped, the context is that of this thread.
pub(super) struct Entered<'a> {
    context: &'a Context,
}

impl Context {
    /// Of GPU number `ordinal`.
    pub(super) fn open(ordinal: u32) -> Done<Arc<Self>> {
        ready()?;
        let device = result::device::get(ordinal as i32).map_err(said)?;
        // SAFETY: the driver gave the device.
        let raw = unsafe { result::primary_ctx::retain(device) }.map_err(said)?;
        Ok(Arc::new(Self { device, raw }))
    }

    /// Such as 86 for compute capability 8.6.
    pub(super) fn architecture(&self) -> Done<u32> {
        let number = |attribute| {
            // SAFETY: the driver gave the device.
            unsafe { result::device::get_attribute(self.device, attribute) }.map_err(said)
        };
        let major = number(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = number(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        Ok(major as u32 * 10 + minor as u32)
    }

    pub(super) fn enter(&self) -> Done<Entered<'_>> {
        // SAFETY: the context is held.
        let pushed = unsafe { sys::cuCtxPushCurrent_v2(self.raw) };
        pushed.result().map_err(said)?;
        Ok(Entered { context: self })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was retained once. A GPU that is gone says so, and nothing can be done.
        let _ = unsafe { result::primary_ctx::release(self.device) };
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut popped = std::ptr::null_mut();
        // SAFETY: it was pushed in this thread, and what was pushed after that was popped.
        let _ = unsafe { sys::cuCtxPopCurrent_v2(&mut popped) };
        debug_assert_eq!(popped, self.context.raw);
    }
}

/// Where a device pointer is at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// In this context.
    Context(sys::CUcontext),
    /// On a device, in no context: virtual memory, or ordered by a stream.
    Device,
}

fn home(address: u64) -> Done<Home> {
    let mut context: sys::CUcontext = std::ptr::null_mut();
    let attribute = sys::CUpointer_attribute::CU_POINTER_ATTRIBUTE_CONTEXT;
    // SAFETY: the attribute is a context, and that is what it is written to.
    let asked =
        unsafe { sys::cuPointerGetAttribute((&raw mut context).cast(), attribute, address) };
    asked.result().map_err(said)?;
    Ok(if context.is_null() {
        Home::Device
    } else {
        Home::Context(context)
    })
}

/// Work for the GPU, one after the other.
#[derive(Debug)]
pub(super) struct Stream {
    context: Arc<Context>,
    raw: sys::CUstream,
}

// SAFETY: streams can be used from every thread.
unsafe impl Send for Stream {}

impl Stream {
    /// One that waits for no other.
    pub(super) fn new(context: &Arc<Context>) -> Done<Self> {
        let _entered = context.enter()?;
        let kind = result::stream::StreamKind::NonBlocking;
        Ok(Self {
            raw: result::stream::create(kind).map_err(said)?,
            context: context.clone(),
        })
    }

    pub(super) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Waits until all of it is done.
    pub(super) fn wait(&self) -> Done<()> {
        // SAFETY: the stream lives.
        unsafe { result::stream::synchronize(self.raw) }.map_err(said)
    }

    /// Makes all of `memory` 0.
    pub(super) fn clear(&self, memory: &Memory) -> Done<()> {
        // SAFETY: it is that long.
        unsafe { result::memset_d8_async(memory.address, 0, memory.bytes, self.raw) }.map_err(said)
    }

    /// Brings `bytes` to `to`, at its offset `at`, once what came before is done. They stay until [`Self::wait`]
    /// returns.
    pub(super) fn upload(&self, to: &Memory, at: usize, bytes: &[u8]) -> Done<()> {
        to.check(at, bytes.len())?;
        // SAFETY: it fits, and the caller keeps the bytes.
        unsafe { result::memcpy_htod_async(to.address + at as u64, bytes, self.raw) }.map_err(said)
    }

    /// Copies so many `bytes` from `address`, whichever context and GPU it is at home at, to `to`.
    pub(super) fn copy(&self, to: &Memory, address: u64, bytes: usize) -> Done<()> {
        to.check(0, bytes)?;
        let own = self.context.raw;
        // SAFETY: it fits; the driver checks the other address, which the caller keeps.
        let copied = match home(address)? {
            Home::Context(theirs) if theirs != own => unsafe {
                result::memcpy_peer_async(own, to.address, theirs, address, bytes, self.raw)
            },
            // SAFETY: as above.
            Home::Context(_) | Home::Device => unsafe {
                result::memcpy_dtod_async(to.address, address, bytes, self.raw)
            },
        };
        copied.map_err(said)
    }

    /// Runs `kernel` with `arguments`, each a pointer to what it is.
    ///
    /// # Safety
    /// They are what the kernel takes, and memory that they point to on the GPU stays until [`Self::wait`] returns.
    pub(super) unsafe fn launch(
        &self,
        kernel: &Kernel,
        (blocks, threads): ([u32; 2], [u32; 2]),
        arguments: &mut [*mut c_void],
    ) -> Done<()> {
        let grid = |[x, y]: [u32; 2]| (x, y, 1);
        // SAFETY: as the caller's.
        let launched = unsafe {
            let (blocks, threads) = (grid(blocks), grid(threads));
            result::launch_kernel(kernel.function, blocks, threads, 0, self.raw, arguments)
        };
        launched.map_err(said)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Ok(_entered) = self.context.enter() {
            // SAFETY: nobody uses it any more; what it still does is done first.
            let _ = unsafe { result::stream::synchronize(self.raw) };
            // SAFETY: as above.
            let _ = unsafe { result::stream::destroy(self.raw) };
        }
    }
}

/// Memory of the GPU.
#[derive(Debug)]
pub(super) struct Memory {
    context: Arc<Context>,
    pub(super) address: u64,
    pub(super) bytes: usize,
}

impl Memory {
    /// So many `bytes`; what is in them is not said.
    pub(super) fn new(context: &Arc<Context>, bytes: usize) -> Done<Self> {
        let _entered = context.enter()?;
        // SAFETY: any byte is good for what is made of it.
        let address = unsafe { result::malloc_sync(bytes) }.map_err(said)?;
        Ok(Self {
            context: context.clone(),
            address,
            bytes,
        })
    }

    fn check(&self, at: usize, bytes: usize) -> Done<()> {
        let end = at.checked_add(bytes);
        let fits = end.is_some_and(|end| end <= self.bytes);
        let refusal = || format!("{bytes} bytes at {at} do not fit in {}", self.bytes);
        fits.then_some(()).ok_or_else(refusal)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Ok(_entered) = self.context.enter() {
            // SAFETY: it was allocated once, and nobody uses it any more.
            let _ = unsafe { result::free_sync(self.address) };
        }
    }
}

/// A function that the GPU runs.
#[derive(Debug)]
pub(super) struct Kernel {
    context: Arc<Context>,
    module: sys::CUmodule,
    function: sys::CUfunction,
}

// SAFETY: modules and functions can be used from every thread.
unsafe impl Send for Kernel {}

impl Kernel {
    /// The function `name` of `image`: a compiled program, or assembly that ends in a zero byte.
    pub(super) fn load(context: &Arc<Context>, image: &[u8], name: &CStr) -> Done<Self> {
        let _entered = context.enter()?;
        // SAFETY: the compiler made the image, and says its own length or ends in a zero byte.
        let module = unsafe { result::module::load_data(image.as_ptr().cast()) }.map_err(said)?;
        let mut kernel = Self {
            context: context.clone(),
            module,
            function: std::ptr::null_mut(),
        };
        // SAFETY: the module was just loaded.
        let function = unsafe { result::module::get_function(module, name.to_owned()) };
        kernel.function = function.map_err(said)?;
        Ok(kernel)
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if let Ok(_entered) = self.context.enter() {
            // SAFETY: it was loaded once, and nobody runs it any more.
            let _ = unsafe { result::module::unload(self.module) };
        }
    }
}
