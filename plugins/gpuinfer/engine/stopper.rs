//! Ends runs from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::session::RunOptions;

/// Ends the run that an engine is in, and every later one. ONNX Runtime stops between two nodes of the network, rten
/// before a run only.
#[derive(Clone, Default)]
pub(in crate::gpuinfer) struct Stopper {
    stopped: Arc<AtomicBool>,
    running: Option<Arc<RunOptions>>,
}

impl Stopper {
    pub(super) fn of(running: Arc<RunOptions>) -> Self {
        Self {
            stopped: Arc::default(),
            running: Some(running),
        }
    }

    /// Returns at once; the run ends soon after with [`super::Fault::Stopped`].
    pub(in crate::gpuinfer) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(running) = &self.running {
            // It fails for lack of memory only; the next run is not begun then.
            let _ = running.terminate();
        }
    }

    pub(in crate::gpuinfer) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
