//! Which size and frame rate a video is sent at: a ladder of rungs, how each fits the input, and when to step.
//!
//! [`Governor`] is the whole: it is told of the input, of levels set by hand, of the load as each [`Sensor`] reads it and
//! of bit rates that the network carries, and answers which rung holds and why. [`Arbiter`] decides among several of
//! them. [`Decimator`] brings the frame rate down to that of the rung; [`Selector`] switches among renditions that are
//! encoded already.
//!
//! Load steps down as soon as a trusted sensor has read too much of it for a hold, as libwebrtc's OveruseFrameDetector
//! does with the time that encoding takes; here it is the time of everything behind, and what comes first of several
//! sensors. It steps up only where the load on the next rung is projected to be borne: pixels a second, corrected by
//! what was measured on both.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account;
mod arbiter;
mod backoff;
mod config;
mod cost;
mod decimator;
mod fit;
mod governor;
mod ladder;
mod load;
mod pace;
mod policy;
mod preference;
mod rate;
mod selector;
mod sensor;
#[cfg(test)]
mod world;

pub use account::Account;
pub use arbiter::{Arbiter, ArbiterConfig, MemberId, Order, Standing};
pub use config::{Config, ConfigError};
pub use cost::CostModel;
pub use decimator::Decimator;
pub use fit::{Fitted, InputVideo, bitrate_needed, fit, usable};
pub use governor::{Governor, Reason, Switch};
pub use ladder::{DEFAULT_LADDER, Ladder, LadderError, LadderProblem, Rung};
pub use load::{Load, LoadMeter, LoadState};
pub use pace::{Pace, PaceStep};
pub use preference::{BoundsError, Preference, StepMode};
pub use rate::FrameRate;
pub use selector::{Encoded, KeyRequest, Rendition, Selector, SelectorConfig, Verdict};
pub use sensor::{Sensor, Sensors, Thresholds, Trust};
