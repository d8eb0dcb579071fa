//! The integration tests: one binary, one file per element or property of the whole.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod adaptivebitrate;
mod bufferrecycler;
mod demo;
mod golden;
mod gpuinfer;
mod latencytracer;
mod lifecycle;
mod packaging;
mod properties;
mod qualityswitch;
mod readme;
mod support;
mod tidy;
