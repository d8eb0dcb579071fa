//! What the user asks of an engine.

use std::path::PathBuf;

use gst::glib;

/// Which engine runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferBackend")]
pub enum Backend {
    /// ONNX Runtime where a library of it is found, else the engine built in.
    #[default]
    #[enum_value(
        name = "ONNX Runtime where it is installed, else the engine built in",
        nick = "auto"
    )]
    Auto,
    /// ONNX Runtime, opened at run time.
    #[enum_value(name = "ONNX Runtime, from a shared library", nick = "onnxruntime")]
    OnnxRuntime,
    /// rten, on the processor.
    #[enum_value(name = "rten, built in, on the processor", nick = "rten")]
    Rten,
}

/// What the network runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferDevice")]
pub enum Device {
    /// CUDA where it works, else the processor.
    #[default]
    #[enum_value(name = "The best that works: CUDA, else the processor", nick = "auto")]
    Auto,
    /// The processor.
    #[enum_value(name = "The processor", nick = "cpu")]
    Cpu,
    /// An NVIDIA GPU, by CUDA.
    #[enum_value(name = "An NVIDIA GPU, by CUDA", nick = "cuda")]
    Cuda,
    /// An NVIDIA GPU, by TensorRT.
    #[enum_value(
        name = "An NVIDIA GPU, by TensorRT, which builds an engine for minutes: set engine-cache",
        nick = "tensorrt"
    )]
    TensorRt,
    /// OpenVINO: an Intel GPU, or a processor.
    #[enum_value(
        name = "OpenVINO: an Intel GPU where it has one, else the processor",
        nick = "openvino"
    )]
    OpenVino,
}

/// The numbers that the network is computed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferPrecision")]
pub enum Precision {
    /// What the model and the device are at their best with.
    #[default]
    #[enum_value(name = "As the model and the device have it", nick = "auto")]
    Auto,
    /// 32 bit floating point.
    #[enum_value(name = "32 bit floating point", nick = "fp32")]
    Fp32,
    /// 16 bit floating point.
    #[enum_value(name = "16 bit floating point (TensorRT, OpenVINO)", nick = "fp16")]
    Fp16,
    /// 8 bit integers.
    #[enum_value(
        name = "8 bit integers: a quantised model, or TensorRT with a calibration table",
        nick = "int8"
    )]
    Int8,
}

/// What happens where the device does not work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferFallback")]
pub enum Fallback {
    /// It is an error.
    #[default]
    #[enum_value(name = "It is an error", nick = "none")]
    None,
    /// The processor takes over, with a warning.
    #[enum_value(name = "A warning, and the processor", nick = "cpu")]
    Cpu,
}

/// All that decides what is opened; networks with equal options can be one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::gpuinfer) struct EngineOptions {
    pub(in crate::gpuinfer) backend: Backend,
    pub(in crate::gpuinfer) device: Device,
    /// Number of the GPU.
    pub(in crate::gpuinfer) device_id: u32,
    pub(in crate::gpuinfer) precision: Precision,
    /// Bytes of GPU memory; 0 for no limit.
    pub(in crate::gpuinfer) memory_limit: u64,
    /// Folder for engines that TensorRT and OpenVINO have built.
    pub(in crate::gpuinfer) engine_cache: Option<PathBuf>,
    /// Threads of one run; 0 for one per physical core.
    pub(in crate::gpuinfer) threads: u32,
    /// Whether threads that wait keep their core busy.
    pub(in crate::gpuinfer) spin: bool,
    pub(in crate::gpuinfer) fallback: Fallback,
    /// The shared library of ONNX Runtime; absolute.
    pub(in crate::gpuinfer) library: Option<PathBuf>,
    /// The largest batch that will be run on an accelerator; 0 counts as 1.
    pub(in crate::gpuinfer) max_batch: u32,
    /// And on the processor.
    pub(in crate::gpuinfer) processor_batch: u32,
    /// The batch that engines built ahead are made for first; 0 for the largest.
    pub(in crate::gpuinfer) preferred: u32,
}

impl Device {
    /// Its name, as users know it.
    pub(in crate::gpuinfer) const fn title(self) -> &'static str {
        match self {
            Self::Auto | Self::Cpu => "CPU",
            Self::Cuda => "CUDA",
            Self::TensorRt => "TensorRT",
            Self::OpenVino => "OpenVINO",
        }
    }
}
