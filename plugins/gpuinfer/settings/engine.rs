//! What runs the network.

use super::spec::{READY, group, number};

/// More than a machine has; a typing error must not start a million threads.
const MOST_THREADS: u32 = 256;

group! {
    /// What runs the network.
    EngineSettings {
        /// Threads of the engine; 0 leaves it to the engine.
        threads: u32 = 0, "threads", number(0, MOST_THREADS, (READY, "Threads",
            "Threads that work on one frame (0 = one per physical core)"));
    }
}
