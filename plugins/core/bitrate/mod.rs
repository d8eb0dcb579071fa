//! What bit rate a network path carries, and how it is divided and spent.
//!
//! [`Controller`] learns it from the fate of every packet ([`PacketResult`]), from interval reports ([`IntervalReport`],
//! [`SrtReport`]) or from the backlog of a sink that waits ([`Backlog`]). The shape follows GCC
//! (draft-ietf-rmcat-gcc-02) and SCReAM (RFC 8298) with what measurements of their implementations asked for: a queue is
//! drained and the rate then goes straight back to the capacity, loss that does not follow the rate is tolerated, a sender
//! that has little to send neither raises nor lowers the target, and beside TCP it takes its part as TCP does.
//!
//! [`Coupling`] divides what is carried among streams (RFC 8699), [`Overhead`] knows what travels beside the encoder's bytes,
//! [`Granularity`] and [`Steps`] are the user's word on how the rate moves, [`Gain`] and [`QualityLoop`] see to it that an
//! encoder sends what it is asked.
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
mod arrival;
mod backlog;
mod cadence;
mod controller;
mod coupling;
mod fixed_step;
mod gain;
mod granularity;
mod loss;
mod overhead;
mod packets;
mod progress;
mod quality;
mod repair;
mod report;
mod reports;
mod sent;
mod share;
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
pub use coupling::Coupling;
pub use fixed_step::Steps;
pub use gain::Gain;
pub use granularity::Granularity;
pub use overhead::Overhead;
pub use packets::PacketResult;
pub use progress::Progress;
pub use quality::QualityLoop;
pub use repair::Repair;
pub use report::{Config, ConfigError, Decision, IntervalReport, Reason};
pub use sent::Sent;
pub use share::{Claim, Share, divide};
pub use srt::{SrtCounters, SrtMeter, SrtReport};
pub use thinning::Thinning;
