//! Execution providers: what ONNX Runtime hands a network to.

use std::fmt;
use std::fs;
use std::sync::Arc;

use libloading::Library;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{self, ArenaExtendStrategy, ExecutionProvider, ExecutionProviderDispatch};
use ort::error::ErrorCode;
use ort::session::Session;

use super::Model;
use super::library::{Runtime, logged_error};
use crate::gpuinfer::engine::machine;
use crate::gpuinfer::engine::options::{Device, EngineOptions, Precision};
use crate::gpuinfer::engine::{ActiveDevice, EngineError, Fault};

/// A device with the providers that reach it, first choice first.
pub(super) struct Target {
    pub(super) device: Device,
    /// Such as `CUDA 0`.
    name: String,
    accelerates: bool,
    pub(super) providers: Vec<ExecutionProviderDispatch>,
}

/// What errors of a GPU that is gone or out of memory have in them: cudaGetErrorString's and ONNX Runtime's words.
const LOST: [&str; 10] = [
    "CUDA failure",
    "CUDA error",
    "CUDNN failure",
    "CUBLAS failure",
    "cudaError",
    "CUDNN_STATUS",
    "TensorRT EP execution context enqueue failed",
    "Failed to allocate memory for requested buffer",
    "CL_OUT_OF_RESOURCES",
    "device lost",
];

impl Target {
    fn new(device: Device, name: String, providers: Vec<ExecutionProviderDispatch>) -> Self {
        // By itself ONNX Runtime would go on with the processor and say nothing.
        let providers = providers.into_iter();
        Self {
            device,
            name,
            accelerates: device != Device::Cpu,
            providers: providers
                .map(ExecutionProviderDispatch::error_on_failure)
                .collect(),
        }
    }

    /// Whose fault it is where no session can be made.
    pub(super) fn fault(&self) -> Fault {
        if self.device == Device::Cpu {
            Fault::Model
        } else {
            Fault::Device
        }
    }

    pub(super) fn active_device(&self) -> ActiveDevice {
        if self.accelerates {
            ActiveDevice::Accelerator
        } else {
            ActiveDevice::Cpu
        }
    }

    /// Whether `error`, of a run, says that the device does not work any more.
    pub(super) fn was_lost(&self, error: &ort::Error) -> bool {
        self.device != Device::Cpu && is_loss(error.code(), error.message())
    }
}

fn is_loss(code: ErrorCode, text: &str) -> bool {
    matches!(code, ErrorCode::DeviceReset | ErrorCode::EngineError)
        || LOST.iter().any(|words| text.contains(words))
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The best device that `runtime` was made for and that this machine seems to have.
pub(in crate::gpuinfer::engine) fn best_device(_: &Arc<Runtime>) -> Device {
    let made_for_cuda = ep::CUDA::is_available().unwrap_or(false);
    if made_for_cuda && has_nvidia_driver() {
        Device::Cuda
    } else {
        Device::Cpu
    }
}

/// Whether the driver's library is there, which comes with no machine that has no NVIDIA GPU.
fn has_nvidia_driver() -> bool {
    // SAFETY: the driver's initialisers are run, as by every program that uses the GPU.
    let driver = unsafe { Library::new("libcuda.so.1") };
    // It stays open: ONNX Runtime opens it next.
    driver.map(std::mem::forget).is_ok()
}

/// Makes a session by `make` for the first target of `device` that works.
pub(super) fn open(
    device: Device,
    model: Model<'_>,
    options: &EngineOptions,
    make: impl Fn(&Target) -> Result<Session, EngineError>,
) -> Result<(Session, Target), EngineError> {
    if let Some(folder) = options.engine_cache.as_ref().filter(|_| caches(device)) {
        fs::create_dir_all(folder).map_err(|error| {
            let folder = folder.display();
            EngineError::of(Fault::Device, format!("engine-cache={folder}: {error}"))
        })?;
    }
    let mut failures = Vec::new();
    for target in targets(device, model, options) {
        let _ = logged_error();
        match make(&target) {
            Ok(session) => return Ok((session, target)),
            Err(error) if target.device == Device::Cpu => return Err(error),
            Err(error) => failures.push(reason(&target, &error)),
        }
    }
    Err(EngineError::of(Fault::Device, failures.join("; ")))
}

/// What `error` says of `target`, and what the log says besides.
fn reason(target: &Target, error: &EngineError) -> String {
    let text = error.text.trim();
    match logged_error().filter(|logged| !text.contains(logged)) {
        Some(logged) => format!("{target}: {text} ({logged})"),
        None => format!("{target}: {text}"),
    }
}

const fn caches(device: Device) -> bool {
    matches!(device, Device::TensorRt | Device::OpenVino)
}

/// What to try for `device`, one after the other.
fn targets(device: Device, model: Model<'_>, options: &EngineOptions) -> Vec<Target> {
    let id = options.device_id;
    let name = format!("{} {id}", device.title());
    match device {
        Device::Auto | Device::Cpu => vec![Target::new(Device::Cpu, "CPU".to_owned(), Vec::new())],
        Device::Cuda => vec![Target::new(device, name, vec![cuda(options).build()])],
        Device::TensorRt => {
            let first = tensorrt(model, options).build();
            vec![Target::new(
                device,
                name,
                vec![first, cuda(options).build()],
            )]
        }
        Device::OpenVino => {
            let processor = openvino("CPU", options).build();
            let mut last = Target::new(device, "OpenVINO CPU".to_owned(), vec![processor]);
            last.accelerates = false;
            let gpu = format!("GPU.{id}");
            let provider = openvino(&gpu, options).build();
            let first = Target::new(device, format!("OpenVINO {gpu}"), vec![provider]);
            vec![first, last]
        }
    }
}

fn cuda(options: &EngineOptions) -> ep::CUDA {
    let provider = ep::CUDA::default()
        .with_device_id(options.device_id as i32)
        // The arena doubles by default, which wastes memory that other programs need.
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        // The exhaustive search, the default, stops the first run of every new batch size for seconds.
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        .with_tf32(options.precision != Precision::Fp32);
    match usize::try_from(options.memory_limit) {
        Ok(0) | Err(_) => provider,
        Ok(limit) => provider.with_memory_limit(limit),
    }
}

fn tensorrt(model: Model<'_>, options: &EngineOptions) -> ep::TensorRT {
    let mut provider = ep::TensorRT::default()
        .with_device_id(options.device_id as i32)
        // Layers that have no calibration are computed in 16 bit then.
        .with_fp16(matches!(
            options.precision,
            Precision::Fp16 | Precision::Int8
        ))
        .with_int8(options.precision == Precision::Int8);
    if let Some(limit) = usize::try_from(options.memory_limit)
        .ok()
        .filter(|limit| *limit > 0)
    {
        provider = provider.with_max_workspace_size(limit);
    }
    if let Some([min, best, max]) = profiles(model, options) {
        provider = provider
            .with_profile_min_shapes(min)
            .with_profile_opt_shapes(best)
            .with_profile_max_shapes(max);
    }
    let Some(folder) = &options.engine_cache else {
        return provider;
    };
    provider = provider
        .with_engine_cache(true)
        .with_engine_cache_path(folder.display())
        .with_timing_cache(true)
        .with_timing_cache_path(folder.display());
    // ONNX Runtime looks for calibration tables in the folder of the engines.
    let table = model.path.with_extension("flatbuffers");
    let table = table.file_name().map(|name| folder.join(name));
    match table.filter(|table| options.precision == Precision::Int8 && table.exists()) {
        Some(table) => provider.with_int8_calibration_table_name(
            table.file_name().unwrap_or_default().to_string_lossy(),
        ),
        None => provider,
    }
}

/// The smallest, the best and the largest batch of the only input, as TensorRT writes shapes; `None` where the batch is
/// fixed, or where other sizes are free too: TensorRT builds an engine again for each new size then.
fn profiles(model: Model<'_>, options: &EngineOptions) -> Option<[String; 3]> {
    let [(name, sizes)] = &model.survey?.inputs[..] else {
        return None;
    };
    let (None, rest) = sizes.split_first()? else {
        return None;
    };
    let rest: Option<Vec<String>> = rest
        .iter()
        .map(|size| Some(size.as_ref()?.to_string()))
        .collect();
    let rest = rest?.join("x");
    let max = options.max_batch.max(1);
    let best = match options.preferred {
        0 => max,
        preferred => preferred.min(max),
    };
    Some([1, best, max].map(|batch| format!("{name}:{batch}x{rest}")))
}

fn openvino(device: &str, options: &EngineOptions) -> ep::OpenVINO {
    let mut provider = ep::OpenVINO::default().with_device_type(device);
    if device == "CPU" {
        provider = provider.with_num_threads(machine::threads(options.threads));
    }
    match options.precision {
        Precision::Auto => {}
        Precision::Fp32 => provider = provider.with_precision("FP32"),
        // The processor's plugin refuses it.
        Precision::Fp16 if device == "CPU" => {}
        Precision::Fp16 => provider = provider.with_precision("FP16"),
        // The model says where; OpenVINO leaves it as it is.
        Precision::Int8 => provider = provider.with_precision("ACCURACY"),
    }
    if let Some(folder) = &options.engine_cache {
        provider = provider.with_cache_dir(folder.display());
    }
    provider
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::gpuinfer::engine::survey::Survey;

    fn profiles_of(sizes: &[Option<u64>], max_batch: u32, preferred: u32) -> Option<[String; 3]> {
        let survey = Survey {
            inputs: vec![("images".to_owned(), sizes.to_vec())],
            is_quantised: false,
        };
        let model = Model {
            path: Path::new("model.onnx"),
            survey: Some(&survey),
        };
        let options = EngineOptions {
            max_batch,
            preferred,
            ..EngineOptions::default()
        };
        profiles(model, &options)
    }

    #[test]
    fn a_gpu_that_is_gone_is_told_from_a_network_that_fails() {
        let gone = "Non-zero status code returned while running Conv node. CUDNN failure 4000: \
                    CUDNN_STATUS_INTERNAL_ERROR ; GPU=0";
        assert!(is_loss(ErrorCode::GenericFailure, gone));
        let gone = "CUDA failure 700: an illegal memory access was encountered ; GPU=0";
        assert!(is_loss(ErrorCode::GenericFailure, gone));
        assert!(is_loss(ErrorCode::DeviceReset, ""));
        let fails = "Non-zero status code returned while running Gather node. Name:'index' indices element out of \
                     data bounds, idx=1 must be within the inclusive range [-1,0]";
        assert!(!is_loss(ErrorCode::InvalidArgument, fails));
    }

    #[test]
    fn a_limit_of_memory_is_told_to_the_gpu_and_none_is_none() {
        let mut options = EngineOptions {
            memory_limit: 123_000_000,
            ..EngineOptions::default()
        };
        let model = Model {
            path: Path::new("model.onnx"),
            survey: None,
        };
        let told = |options: &EngineOptions| {
            [
                format!("{:?}", cuda(options)),
                format!("{:?}", tensorrt(model, options)),
            ]
        };
        let limited = told(&options);
        assert!(
            limited.iter().all(|told| told.contains("123000000")),
            "{limited:?}"
        );
        options.memory_limit = 0;
        let free = told(&options);
        let names = ["gpu_mem_limit", "trt_max_workspace_size"];
        let is_named = |(told, name): (&String, &str)| told.contains(name);
        assert!(limited.iter().zip(names).all(is_named), "{limited:?}");
        assert!(!free.iter().zip(names).any(is_named), "{free:?}");
    }

    #[test]
    fn profiles_span_the_batches_that_will_be_run() {
        let free = [None, Some(3), Some(416), Some(416)];
        let written = profiles_of(&free, 32, 8);
        let expected = [
            "images:1x3x416x416",
            "images:8x3x416x416",
            "images:32x3x416x416",
        ];
        assert_eq!(written, Some(expected.map(str::to_owned)));
        let written = profiles_of(&free, 4, 0).map(|[_, best, max]| best == max);
        assert_eq!(written, Some(true), "the largest is the best");
    }

    #[test]
    fn a_fixed_batch_and_free_sides_have_no_profile() {
        assert_eq!(
            profiles_of(&[Some(1), Some(3), Some(416), Some(416)], 8, 0),
            None
        );
        assert_eq!(profiles_of(&[None, Some(3), None, None], 8, 0), None);
    }
}
