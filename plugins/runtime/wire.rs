//! What elements tell each other: the names and the typed forms of events that one sends and another reads.

mod load;
mod target_bitrate;

pub(crate) use load::Load;
pub(crate) use target_bitrate::TargetBitrate;
