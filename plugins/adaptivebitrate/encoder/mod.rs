//! How the encoder is driven: what it is told and when, and how it is set up for a purpose.

mod drive;
mod pace;
mod profile_table;
mod profiles;

pub(super) use self::drive::{Drive, Frame};
pub use self::profiles::Profile;
pub(super) use self::profiles::{Applied, NotApplied};
pub(super) use crate::runtime::encoder::{Encoder, Hint, Refusal, Setting};
