//! What bit rate a network path carries, learnt from what the receiver says of each packet, or from interval reports:
//! loss, round trip and what arrived.
//!
//! The shape follows GCC (draft-ietf-rmcat-gcc-02: back off to 0.85 of what arrives, grow slowly near the known
//! capacity) with what measurements of its implementations asked for: a queue is drained and the rate then goes
//! straight back to the capacity (as SCReAM, RFC 8298, does), loss that does not follow the rate is tolerated, and
//! a sender that has little to send neither raises nor lowers the target.
//!
//! ```
//! use livetune_core::bitrate::{Config, Controller, IntervalReport};
//! use livetune_core::time::MediaTime;
//! use livetune_core::units::{Bitrate, ByteCount};
//!
//! let config = Config { min: Bitrate::from_kbps(100), max: Bitrate::from_kbps(8_000) };
//! let mut controller = Controller::new(config).expect("min is below max");
//! controller.start_at(Bitrate::from_kbps(600), MediaTime::ZERO);
//! for frame in 0..60 {
//!     let now = MediaTime::from_millis(frame * 33);
//!     controller.on_sent(ByteCount::new(2_500), now);
//!     if frame % 6 == 5 {
//!         controller.on_report(IntervalReport::default(), now);
//!     }
//! }
//! assert!(controller.target() > Bitrate::from_kbps(600));
//! ```

mod advice;
mod backlog;
mod cadence;
mod controller;
mod gain;
mod loss;
mod packets;
mod progress;
mod quality;
mod report;
mod reports;
mod sent;
mod srt;
mod thinning;
mod window;

#[cfg(test)]
mod link;
#[cfg(test)]
mod network;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod scenarios;

pub use backlog::{Backlog, Meter};
pub use controller::Controller;
pub use gain::Gain;
pub use packets::PacketResult;
pub use progress::Progress;
pub use quality::QualityLoop;
pub use report::{Config, ConfigError, Decision, IntervalReport, Reason};
pub use srt::{SrtCounters, SrtMeter, SrtReport};
pub use thinning::Thinning;
