//! What the user can set.

use livetune_core::infer::Thresholds;

use super::engine::{Backend, Device, EngineOptions, Fallback, Precision};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// Path of the .onnx file.
    pub(super) model: Option<String>,
    /// Path of the text file with a class name per line.
    pub(super) labels: Option<String>,
    pub(super) confidence: f64,
    pub(super) iou: f64,
    pub(super) draw: bool,
    pub(super) backend: Backend,
    pub(super) device: Device,
    pub(super) device_id: u32,
    pub(super) precision: Precision,
    pub(super) fallback: Fallback,
    /// Megabytes of GPU memory; 0 for no limit.
    pub(super) memory_limit: u32,
    /// Folder of engines that were built ahead.
    pub(super) engine_cache: Option<String>,
    /// Threads of the engine; 0 for one per physical core.
    pub(super) threads: u32,
    pub(super) spin: bool,
    /// Path of ONNX Runtime's shared library.
    pub(super) onnxruntime_library: Option<String>,
    pub(super) post_messages: bool,
}

/// The part that may change from frame to frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) thresholds: Thresholds,
    pub(super) draw: bool,
    pub(super) post_messages: bool,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        model: None,
        labels: None,
        confidence: 0.5,
        iou: 0.45,
        draw: false,
        backend: Backend::Auto,
        device: Device::Auto,
        device_id: 0,
        precision: Precision::Auto,
        fallback: Fallback::None,
        memory_limit: 0,
        engine_cache: None,
        threads: 0,
        spin: false,
        onnxruntime_library: None,
        post_messages: false,
    };

    /// More than a machine has; a typing error must not start a million threads.
    pub(super) const MOST_THREADS: u32 = 256;

    /// More than a machine has; as TensorRT and CUDA count them.
    pub(super) const MOST_DEVICES: u32 = 255;

    pub(super) fn engine(&self) -> EngineOptions {
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
            preferred: 0,
        }
    }

    pub(super) fn live(&self) -> Live {
        Live {
            thresholds: Thresholds {
                confidence: self.confidence as f32,
                iou: self.iou as f32,
            },
            draw: self.draw,
            post_messages: self.post_messages,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
