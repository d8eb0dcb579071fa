//! Which frames go into the network together, and when: one network for many streams, and none of them waits for
//! another.
//!
//! Batches close by time as Triton's dynamic batcher does, by the streams' own rhythm, and by what a batch of its size
//! was measured to cost. Frames go earliest deadline first as long as all deadlines can be kept (C. L. Liu, J. W.
//! Layland, "Scheduling Algorithms for Multiprogramming in a Hard-Real-Time Environment", 1973), and the stream that was
//! served least recently goes first where they cannot.

mod batcher;
mod cadence;
mod closing;
mod cost;
mod order;

pub use batcher::{Batcher, Config, ConfigError, Frame, StreamId, Submitted};
pub use closing::{Batch, Due, Reason};
pub use cost::CostModel;

#[cfg(test)]
mod tests;
