//! Which packets were heard of already: feedback repeats itself, overtakes itself and changes its mind.

use super::result::PacketResult;

/// Packets that are remembered: two seconds of 10 Mbit/s, a longer reordering than any network's.
const REMEMBERED: usize = 2048;

/// What a result adds to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Arrived, and this is the first word of it.
    Arrived,
    /// Did not arrive so far.
    Lost,
    /// Was said to be lost, and arrived nevertheless.
    Late,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Unknown,
    Arrived,
    Lost,
}

#[derive(Clone, Debug)]
pub(super) struct Ledger {
    fates: Box<[Fate; REMEMBERED]>,
    /// The newest packet that was heard of.
    newest: Option<u64>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            fates: Box::new([Fate::Unknown; REMEMBERED]),
            newest: None,
        }
    }

    /// Takes in `result`; `None` where it says nothing new, or speaks of a packet too long gone.
    pub(super) fn on_result(&mut self, result: &PacketResult) -> Option<News> {
        let sequence = result.sequence;
        let newest = *self.newest.get_or_insert(sequence);
        if sequence > newest {
            self.forget(newest, sequence);
        } else if newest - sequence >= REMEMBERED as u64 {
            return None;
        }
        let fate = &mut self.fates[slot(sequence)];
        let (next, news) = match (*fate, result.arrived) {
            (Fate::Unknown, Some(_)) => (Fate::Arrived, News::Arrived),
            (Fate::Unknown, None) => (Fate::Lost, News::Lost),
            (Fate::Lost, Some(_)) => (Fate::Arrived, News::Late),
            _ => return None,
        };
        *fate = next;
        Some(news)
    }

    /// The numbers from `newest` to `sequence` are yet to be heard of.
    fn forget(&mut self, newest: u64, sequence: u64) {
        let steps = (sequence - newest).min(REMEMBERED as u64);
        for step in 0..steps {
            self.fates[slot(sequence - step)] = Fate::Unknown;
        }
        self.newest = Some(sequence);
    }
}

const fn slot(sequence: u64) -> usize {
    (sequence % REMEMBERED as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MediaTime;
    use crate::units::ByteCount;

    fn result(sequence: u64, arrived: bool) -> PacketResult {
        PacketResult {
            sequence,
            departed: MediaTime::ZERO,
            arrived: arrived.then_some(MediaTime::ZERO),
            size: ByteCount::new(1_200),
        }
    }

    #[test]
    fn what_was_said_before_is_no_news() {
        let mut ledger = Ledger::new();
        assert_eq!(ledger.on_result(&result(7, true)), Some(News::Arrived));
        assert_eq!(ledger.on_result(&result(7, true)), None);
        assert_eq!(ledger.on_result(&result(7, false)), None);
        assert_eq!(ledger.on_result(&result(9, false)), Some(News::Lost));
        assert_eq!(ledger.on_result(&result(9, false)), None);
        assert_eq!(ledger.on_result(&result(9, true)), Some(News::Late));
        assert_eq!(ledger.on_result(&result(8, true)), Some(News::Arrived));
    }

    #[test]
    fn numbers_far_ahead_and_far_behind_do_no_harm() {
        let mut ledger = Ledger::new();
        ledger.on_result(&result(0, true));
        assert_eq!(
            ledger.on_result(&result(u64::MAX, true)),
            Some(News::Arrived)
        );
        assert_eq!(ledger.on_result(&result(0, true)), None);
        let near = u64::MAX - REMEMBERED as u64 + 1;
        assert_eq!(ledger.on_result(&result(near, true)), Some(News::Arrived));
    }
}
