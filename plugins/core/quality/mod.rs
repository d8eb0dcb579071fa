//! Which size and frame rate a video is sent at: a ladder of rungs, how each fits the input, and when to step.
//!
//! [`Controller`] is the whole: it is told of the input, of levels set by hand and of bit rates that the network
//! carries, and answers which rung holds and why. [`Decimator`] brings the frame rate down to that of the rung.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod controller;
mod decimator;
mod fit;
mod ladder;
mod policy;
mod rate;

pub use controller::{Controller, Reason, Switch};
pub use decimator::Decimator;
pub use fit::{Fitted, InputVideo, bitrate_needed, fit, usable};
pub use ladder::{DEFAULT_LADDER, Ladder, LadderError, LadderProblem, Rung};
pub use policy::{Config, ConfigError, NetworkPolicy};
pub use rate::FrameRate;
