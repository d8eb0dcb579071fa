//! The algorithms of livetune.
//!
//! The law of this crate: no GStreamer, no clock, no thread, no lock, no log, no I/O. An input is a method named
//! after what happened, with the time last; an output is a return value. All of it is tested in virtual time.
#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

pub mod bitrate;
pub mod infer;
pub mod latency;
pub mod quality;
pub mod recycle;
pub mod time;
pub mod units;
