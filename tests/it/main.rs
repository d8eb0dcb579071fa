//! The integration tests: one binary, one file per element or property of the whole.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod gpuinfer;
mod support;
