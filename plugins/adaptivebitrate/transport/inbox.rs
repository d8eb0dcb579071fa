//! Where foreign threads leave what they were told, until the next buffer passes.

use std::collections::VecDeque;
use std::sync::Mutex;

use livetune_core::bitrate::{Backlog, IntervalReport, PacketResult, SrtReport};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use crate::runtime::lock::lock;

/// A second of feedback on every frame at 60 frames a second; with more, the oldest goes.
const MOST_WAITING: usize = 64;

/// One piece of feedback.
#[derive(Debug)]
pub(in super::super) enum Input {
    /// The fate of single packets.
    Packets(Packets),
    /// What a receiver says of the time since its last report.
    Report(IntervalReport),
    /// What an SRT sender saw.
    Srt(SrtReport),
    /// How far a sink is behind.
    Backlog(Backlog),
}

/// What one message of feedback tells.
#[derive(Debug, Default)]
pub(in super::super) struct Packets {
    pub(in super::super) results: Vec<PacketResult>,
    /// Bytes on the wire in packets of our payload type.
    pub(in super::super) own: ByteCount,
    /// In all others: audio, repairs.
    pub(in super::super) others: ByteCount,
}

/// A bounded queue of feedback, each with the time at which it came.
#[derive(Debug, Default)]
pub(in super::super) struct Inbox(Mutex<VecDeque<(Input, MediaTime)>>);

impl Inbox {
    pub(in super::super) fn put(&self, input: Input, now: MediaTime) {
        let mut waiting = lock(&self.0);
        if waiting.len() >= MOST_WAITING {
            waiting.pop_front();
        }
        waiting.push_back((input, now));
    }

    /// The oldest that was not taken yet, and when it came.
    pub(in super::super) fn take(&self) -> Option<(Input, MediaTime)> {
        lock(&self.0).pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_takes_does_not_pile_up() {
        let inbox = Inbox::default();
        for ms in 0..10_000 {
            let report = Input::Report(IntervalReport::default());
            inbox.put(report, MediaTime::from_millis(ms));
        }
        let taken: Vec<_> = std::iter::from_fn(|| inbox.take()).collect();
        assert_eq!(taken.len(), MOST_WAITING);
        assert_eq!(
            taken[0].1,
            MediaTime::from_millis(10_000 - MOST_WAITING as u64)
        );
    }
}
