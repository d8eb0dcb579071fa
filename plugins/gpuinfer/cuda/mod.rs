//! Frames that lie in the memory of an NVIDIA GPU (`memory:CUDAMemory`), for networks that run there: they are not
//! downloaded.
//!
//! ```text
//! GstCudaMemory --copy--> staging --kernel--> tensor --> ONNX Runtime --> outputs, the only thing that is downloaded
//!  GStreamer's context    the primary context of the GPU
//! ```
//!
//! GStreamer works in a context of its own, ONNX Runtime in the primary one of the GPU, and a kernel reads memory of its
//! own context only. So each frame is copied from there to here first, from GPU memory to GPU memory (cuMemcpyPeerAsync:
//! 3 MB at hundreds of GB/s for 1080p), and the kernel touches memory of ours only. The other way, the kernel in
//! GStreamer's context and its tensor copied, needs a module, a stream and memory for each foreign context and must
//! outlive none of them; tensors are no smaller than frames; and a frame that is not what it says would be read by the
//! kernel there, where a fault ends the context. Here the driver checks the addresses of a copy and refuses, and that is
//! an error of one batch.
//!
//! Work is ordered by one stream. What others still do to a frame is waited for before it is copied
//! (`gst_cuda_memory_sync` since GStreamer 1.24; before, elements push what is done), and the stream is waited for before
//! the network runs and before the frames are let go.
//!
//! Nothing is linked: NVIDIA's driver and NVRTC are opened when a network on CUDA or TensorRT is. Where any of it does not
//! work, frames are downloaded, with a warning.

mod driver;
mod memory;
mod nvrtc;
mod plan;
mod preparer;
mod upload;

use std::sync::LazyLock;

pub(super) use memory::{FEATURE, FORMATS, Mapped, is_cuda};
pub(super) use plan::Surface;
pub(super) use preparer::{Preparer, Shown};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "gpuinfer-cuda",
        gst::DebugColorFlags::empty(),
        Some("Frames in the memory of an NVIDIA GPU"),
    )
});

#[cfg(test)]
pub(super) mod tests;
