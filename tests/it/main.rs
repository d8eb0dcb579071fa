//! The integration tests: one binary, one file per element or property of the whole.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod demo;
mod golden;
mod lifecycle;
mod packaging;
mod properties;
mod readme;
mod latencytracer;
mod support;
mod tidy;
