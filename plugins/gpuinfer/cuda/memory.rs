//! GStreamer's CUDA memory, without its library: the type has a name, the flags have numbers.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use gst::ffi;
use gst::glib::ffi::GFALSE;
use gst::glib::translate::IntoGlib;
use gst_video::ffi as video;
use gst_video::{VideoFormat, VideoInfo, VideoMeta};
use libloading::os::unix::{Library, RTLD_LAZY};
use livetune_core::infer::Size;

use super::driver::Done;
use super::plan::Surface;

/// `GST_CUDA_MEMORY_TYPE_NAME`, gstcudamemory.h since 1.22.
const TYPE: &str = "gst.cuda.memory";
/// `GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY`, as above.
pub(in crate::gpuinfer) const FEATURE: &str = "memory:CUDAMemory";
/// `GST_MAP_CUDA`, as above: the address on the GPU.
const MAP_CUDA: u32 = ffi::GST_MAP_FLAG_LAST << 1;
/// `GST_CUDA_MEMORY_TRANSFER_NEED_SYNC`, as above since 1.24: a stream still works on the memory.
const NEED_SYNC: u32 = ffi::GST_MEMORY_FLAG_LAST << 2;
/// GStreamer's library, which is loaded where there is such memory.
const LIBRARY: &str = "libgstcuda-1.0.so.0";

/// The public beginning of `GstCudaMemory`, as above.
#[repr(C)]
pub(super) struct CudaMemory {
    memory: ffi::GstMemory,
    context: *mut c_void,
    pub(super) info: video::GstVideoInfo,
}

/// Whether `buffer` is a frame in CUDA memory.
pub(in crate::gpuinfer) fn is_cuda(buffer: &gst::BufferRef) -> bool {
    buffer.n_memory() == 1 && buffer.peek_memory(0).is_type(TYPE)
}

/// A frame that stays where it is on the GPU as long as this is.
pub(in crate::gpuinfer) struct Mapped<'a> {
    _map: Map<'a>,
    surface: Surface,
}

impl<'a> Mapped<'a> {
    /// The frame in `buffer`, which [`is_cuda`], with the format and size of `info`.
    pub(in crate::gpuinfer) fn of(buffer: &'a gst::BufferRef, info: &VideoInfo) -> Done<Self> {
        let map = Map::of(buffer)?;
        let size = Size::new(info.width(), info.height());
        let place = (map.info.data.addr() as u64, map.info.size);
        let planes = planes(buffer, info, map.memory);
        let surface = planes.and_then(|planes| Surface::of(info.format(), size, &planes, place));
        // SAFETY: it is CUDA memory, by its name.
        unsafe { finish(map.memory) }?;
        Ok(Self {
            _map: map,
            surface: surface.ok_or("nobody says how a frame lies there")?,
        })
    }

    pub(in crate::gpuinfer) const fn surface(&self) -> Surface {
        self.surface
    }
}

/// Memory that is mapped for the GPU.
struct Map<'a> {
    memory: *mut ffi::GstMemory,
    info: ffi::GstMapInfo,
    buffer: PhantomData<&'a gst::BufferRef>,
}

impl<'a> Map<'a> {
    fn of(buffer: &'a gst::BufferRef) -> Done<Self> {
        let memory = buffer.peek_memory(0).as_ptr().cast_mut();
        let mut info = MaybeUninit::<ffi::GstMapInfo>::uninit();
        // SAFETY: the buffer has the memory for as long as this is; mapping counts in it, and is undone once.
        let is_mapped =
            unsafe { ffi::gst_memory_map(memory, info.as_mut_ptr(), ffi::GST_MAP_READ | MAP_CUDA) };
        if is_mapped == GFALSE {
            return Err("a frame there cannot be mapped".to_owned());
        }
        Ok(Self {
            memory,
            // SAFETY: mapped, so filled in.
            info: unsafe { info.assume_init() },
            buffer: PhantomData,
        })
    }
}

impl Drop for Map<'_> {
    fn drop(&mut self) {
        // SAFETY: it was mapped, and is unmapped once.
        unsafe { ffi::gst_memory_unmap(self.memory, &mut self.info) };
    }
}

/// Start and stride of each plane: as the buffer's meta says, or else the memory itself.
fn planes(
    buffer: &gst::BufferRef,
    info: &VideoInfo,
    memory: *const ffi::GstMemory,
) -> Option<Vec<(usize, usize)>> {
    let pairs = |offsets: &[usize], strides: &[i32]| -> Option<Vec<(usize, usize)>> {
        let pairs = offsets.iter().zip(strides);
        pairs
            .map(|(offset, stride)| Some((*offset, usize::try_from(*stride).ok()?)))
            .collect()
    };
    if let Some(meta) = buffer.meta::<VideoMeta>() {
        return pairs(meta.offset(), meta.stride());
    }
    // SAFETY: it is CUDA memory, by its name, and begins so since there is such.
    let own = unsafe { &(*memory.cast::<CudaMemory>()).info };
    let format = info.format();
    // SAFETY: a table that lives as long as the program.
    let known = unsafe { video::gst_video_format_get_info(format.into_glib()) };
    let is_it = own.finfo == known
        && own.width == info.width() as i32
        && own.height == info.height() as i32;
    let count = info.n_planes() as usize;
    is_it
        .then(|| pairs(&own.offset[..count], &own.stride[..count]))
        .flatten()
}

type Synchronise = unsafe extern "C" fn(*mut ffi::GstMemory);

/// Waits for what streams of others still do to `memory`.
///
/// # Safety
/// It is CUDA memory.
unsafe fn finish(memory: *mut ffi::GstMemory) -> Done<()> {
    // SAFETY: every memory begins with a mini object.
    if unsafe { (*memory).mini_object.flags } & NEED_SYNC == 0 {
        return Ok(());
    }
    let function =
        synchronise().ok_or("GStreamer's library for CUDA cannot say when it is ready")?;
    // SAFETY: as the caller's.
    unsafe { function(memory) };
    Ok(())
}

/// `gst_cuda_memory_sync` of the library that made the memory.
fn synchronise() -> Option<Synchronise> {
    static FUNCTION: OnceLock<Option<Synchronise>> = OnceLock::new();
    *FUNCTION.get_or_init(|| {
        let name = c"gst_cuda_memory_sync";
        // SAFETY: it is loaded already: nothing of it is run.
        let loaded = unsafe { Library::open(Some(LIBRARY), RTLD_LAZY | libc::RTLD_NOLOAD) };
        let library = loaded.unwrap_or_else(|_| Library::this());
        // SAFETY: this is its type since it came.
        let function = unsafe { library.get::<Synchronise>(name) }
            .ok()
            .map(|found| *found);
        // Its memory is there, so it must not be closed.
        std::mem::forget(library);
        function
    })
}

/// Formats that GStreamer has in CUDA memory and the element reads there.
pub(in crate::gpuinfer) const FORMATS: [VideoFormat; 10] = [
    VideoFormat::Nv12,
    VideoFormat::I420,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
    VideoFormat::Argb,
    VideoFormat::Abgr,
];
