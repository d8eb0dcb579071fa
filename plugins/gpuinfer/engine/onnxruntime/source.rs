//! What sessions of one model are made from, and shared by.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::SystemTime;

use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::library::Runtime;
use super::provider::Target;
use super::session::OrtEngine;
use crate::gpuinfer::engine::options::{Device, EngineOptions};
use crate::gpuinfer::engine::{Engine, EngineError, Seed, machine};
use crate::runtime::lock::lock;

/// What further sessions are made from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) runtime: Arc<Runtime>,
    path: PathBuf,
    state: Option<(u64, SystemTime)>,
    pub(super) options: EngineOptions,
    pub(super) target: Target,
    pub(super) title: String,
    /// The session of those who run it with one thread each, their own.
    single: Mutex<Weak<Session>>,
}

impl Source {
    /// Of the file at `path` as it is now.
    pub(super) fn of(
        runtime: &Arc<Runtime>,
        path: &Path,
        options: &EngineOptions,
        target: Target,
    ) -> Self {
        Self {
            title: format!("onnxruntime {}, {target}", runtime.version),
            runtime: runtime.clone(),
            path: path.to_owned(),
            state: state(path),
            options: options.clone(),
            target,
            single: Mutex::default(),
        }
    }

    /// The first session is there.
    pub(super) fn on_first(&self, session: &Arc<Session>) {
        if self.shares(self.options.threads) {
            *lock(&self.single) = Arc::downgrade(session);
        }
    }

    /// Whether engines of so many `threads` have one session together: its weights are there once then. One that has
    /// threads of its own would be short of them.
    fn shares(&self, threads: u32) -> bool {
        self.target.device == Device::Cpu && machine::threads(threads) == 1
    }

    /// Engines that have the session of one thread.
    #[cfg(test)]
    pub(super) fn sharing(&self) -> usize {
        lock(&self.single).strong_count()
    }

    fn session(&self, threads: u32) -> Result<Arc<Session>, EngineError> {
        if state(&self.path) != self.state {
            return Err(EngineError::new("the file was changed after it was loaded"));
        }
        let (path, options) = (&self.path, &self.options);
        session(&self.runtime, path, options, &self.target, threads).map(Arc::new)
    }
}

impl Seed for Arc<Source> {
    fn grow(&self, threads: u32) -> Result<Box<dyn Engine>, EngineError> {
        if !self.shares(threads) {
            let session = self.session(threads)?;
            return Ok(Box::new(OrtEngine::of(self.clone(), session)?));
        }
        // Held while it is loaded: others want the same.
        let mut single = lock(&self.single);
        let session = match single.upgrade() {
            Some(session) => session,
            None => self.session(threads)?,
        };
        *single = Arc::downgrade(&session);
        drop(single);
        Ok(Box::new(OrtEngine::of(self.clone(), session)?))
    }
}

pub(super) fn session(
    runtime: &Runtime,
    path: &Path,
    options: &EngineOptions,
    target: &Target,
    threads: u32,
) -> Result<Session, EngineError> {
    let failed = |error: ort::Error| EngineError::of(target.fault(), error);
    let build = || -> ort::Result<Session> {
        Session::builder(&runtime.environment)?
            .with_intra_threads(machine::threads(threads))?
            .with_inter_threads(1)?
            .with_intra_op_spinning(options.spin)?
            .with_inter_op_spinning(options.spin)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_log_level(LogLevel::Error)?
            .with_execution_providers(&target.providers)?
            .commit_from_file(path)
    };
    build().map_err(failed)
}

/// Size and time of the file at `path`, by which a change is seen.
fn state(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
