//! Where the work around an engine is done.

use std::fmt;
use std::sync::Arc;

use rten::ThreadPool;

/// One of the threads that an engine runs on. What is done there reaches the engine without waking another thread, and
/// finds in the caches what the engine left there.
#[derive(Clone, Default)]
pub(in crate::gpuinfer) struct Home(Option<Arc<ThreadPool>>);

impl Home {
    /// One of the threads of `pool`: nobody else may have it wait for that.
    pub(super) const fn in_pool(pool: Arc<ThreadPool>) -> Self {
        Self(Some(pool))
    }

    /// Does `work` there, and returns when it is done.
    pub(in crate::gpuinfer) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.run(work),
            None => work(),
        }
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Home").field(&self.0.is_some()).finish()
    }
}
