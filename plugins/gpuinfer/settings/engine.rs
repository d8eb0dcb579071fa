//! What runs the network.

use super::spec::{READY, choice, flag, group, number, text};
use crate::gpuinfer::engine::{Backend, Device, EngineOptions, Fallback, Precision};

/// More than a machine has; a typing error must not start a million threads.
const MOST_THREADS: u32 = 256;
/// More than a machine has; as TensorRT and CUDA count them.
const MOST_DEVICES: u32 = 255;

group! {
    /// What runs the network.
    EngineSettings {
        backend: Backend = Backend::Auto, "backend", choice((READY, "Backend",
            "The engine that runs the network; ONNX Runtime is looked for as onnxruntime-library says"));
        device: Device = Device::Auto, "device", choice((READY, "Device",
            "What the network runs on; all but auto and cpu need ONNX Runtime, made for that device. One that does not \
             work is an error, see fallback"));
        device_id: u32 = 0, "device-id", number(0, MOST_DEVICES, (READY, "Device number",
            "Which GPU, counted from 0, as CUDA and OpenVINO count them (the processor has none)"));
        precision: Precision = Precision::Auto, "precision", choice((READY, "Precision",
            "Numbers that the network is computed with; int8 takes a quantised model, or with TensorRT the table \
             MODEL.flatbuffers in the folder engine-cache"));
        fallback: Fallback = Fallback::None, "fallback", choice((READY, "Fallback",
            "What happens where the device does not work; active-backend says what runs"));
        /// Megabytes of GPU memory; 0 for no limit.
        memory_limit: u32 = 0, "memory-limit", number(0, u32::MAX, (READY, "Memory limit",
            "GPU memory that the network may take, in megabytes: CUDA's arena, TensorRT's workspace (0 = no limit; the \
             processor has none)"));
        /// Folder of engines that were built ahead.
        engine_cache: Option<String> = None, "engine-cache", text((READY, "Engine cache",
            "Folder for what TensorRT and OpenVINO build out of the model, so that the next start is fast (NULL = build \
             it every time)"));
        /// Threads of the engine; 0 for one per physical core.
        threads: u32 = 0, "threads", number(0, MOST_THREADS, (READY, "Threads",
            "Threads that work on one frame (0 = one per physical core)"));
        spin: bool = false, "spin", flag((READY, "Spin",
            "Let ONNX Runtime's threads wait busily: faster on an idle machine, at the cost of everything else on the \
             same cores"));
        /// Path of ONNX Runtime's shared library.
        onnxruntime_library: Option<String> = None, "onnxruntime-library", text((READY, "ONNX Runtime library",
            "Absolute path of libonnxruntime.so, or of its folder (NULL = the variables LIVETUNE_ORT_PATH and \
             ORT_DYLIB_PATH, the dynamic linker, the newest in the usual folders and in Python's packages); one per process"));
    }
}

impl EngineSettings {
    pub(in crate::gpuinfer) fn options(&self) -> EngineOptions {
        let path = |text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.map(Into::into)
        };
        EngineOptions {
            backend: self.backend,
            device: self.device,
            device_id: self.device_id,
            precision: self.precision,
            memory_limit: u64::from(self.memory_limit) * 1_000_000,
            engine_cache: path(&self.engine_cache),
            threads: self.threads,
            spin: self.spin,
            fallback: self.fallback,
            library: path(&self.onnxruntime_library),
            max_batch: 1,
            processor_batch: 1,
            preferred: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_memory_is_in_megabytes() {
        let settings = EngineSettings {
            memory_limit: 512,
            ..EngineSettings::DEFAULT
        };
        assert_eq!(settings.options().memory_limit, 512_000_000);
    }
}
