//! What the device that runs decides: how large batches are, and how many workers there should be.

use std::sync::Arc;

use super::super::network::Facts;
use super::{Floor, Sizes};
use crate::runtime::lock::lock;

impl Floor {
    /// The sizes of batches.
    pub(in crate::gpuinfer::instance) fn sizes(&self) -> Sizes {
        lock(&self.sizes).clone()
    }

    /// Pictures that go into the network together at most.
    pub(in crate::gpuinfer::instance) fn largest_batch(&self) -> usize {
        lock(&self.sizes).max_batch
    }

    /// A network was opened anew that takes so many pictures at once. Where it runs on another device than those before,
    /// as after a fall back to the processor, batches and workers are what is right for that one.
    pub(in crate::gpuinfer::instance) fn on_opened(
        self: &Arc<Self>,
        facts: Facts,
        possible: usize,
    ) {
        let device = facts.device;
        *lock(&self.facts) = facts;
        let sizes = Sizes::of(device, self.wanted_batch, possible);
        {
            let mut state = lock(&self.state);
            if state.means.device == device {
                return;
            }
            state.means.device = device;
            state.means.max_batch = sizes.max_batch;
            state
                .batcher
                .set_sizes(sizes.max_batch, sizes.preferred.clone());
        }
        *lock(&self.sizes) = sizes;
        self.staff();
    }
}
