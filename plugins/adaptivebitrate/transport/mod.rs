//! Feedback of the network: which transport carries the stream, and what it tells.

mod inbox;
mod report_block;
mod rtcp;
pub(super) mod twcc;

pub(super) use inbox::{Inbox, Input};
pub(super) use rtcp::Feedback;
pub(super) use twcc::Twcc;
