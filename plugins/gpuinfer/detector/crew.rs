//! The threads that prepare the pictures of a batch and read what came out of it; one set for the process.

use std::sync::OnceLock;
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Frames are scaled faster than memory brings them, from a few cores on.
const MOST_THREADS: usize = 8;

/// Does `all`, which is split by rayon, on the crew; on this thread where there can be none.
pub(super) fn work<T: Send>(all: impl FnOnce() -> T + Send) -> T {
    static CREW: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let crew = CREW.get_or_init(|| {
        let cores = available_parallelism().map_or(1, usize::from);
        let builder = ThreadPoolBuilder::new()
            .num_threads(cores.min(MOST_THREADS))
            .thread_name(|number| format!("gpuinfer-{number}"));
        builder.build().ok()
    });
    match crew {
        Some(crew) => crew.install(all),
        None => all(),
    }
}
