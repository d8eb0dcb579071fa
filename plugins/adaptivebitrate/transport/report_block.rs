//! RTCP report blocks, as an RTP session shows them, turned into interval reports. All of it is the peer's word.

use std::time::Duration;

use gst::glib;
use livetune_core::bitrate::IntervalReport;
use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, ByteCount, Ratio};

/// Who reports in one session is up to the network; so many are remembered.
const MOST_REPORTERS: usize = 16;
/// RTP's clock rate for video (RFC 3551), where the session does not know it.
const VIDEO_CLOCK_RATE: u32 = 90_000;
/// The fraction lost is counted in 1/256 (RFC 3550, 6.4.1).
const FRACTION: u64 = 256;
/// Times are counted in 1/65536 s (RFC 3550, 6.4.1).
const SHORT_SECOND: f64 = 65_536.0;
/// Sequence numbers may run ahead of what is sent by the packets between two looks at the counter.
const AHEAD: u64 = 1_000;

/// One receiver's report on our stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReportBlock {
    pub(super) reporter: u32,
    pub(super) fraction_lost: u32,
    pub(super) packets_lost: i32,
    pub(super) highest: u32,
    pub(super) jitter: u32,
    /// When the sender's last report left it, and how long the receiver has had it.
    pub(super) lsr: u32,
    pub(super) dlsr: u32,
    pub(super) round_trip: u32,
}

/// What the session shows at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// Of our stream, since its start.
    pub(super) packets_sent: u64,
    pub(super) octets_sent: u64,
    pub(super) clock_rate: u32,
    pub(super) blocks: Vec<ReportBlock>,
}

impl Snapshot {
    /// Reads a session's `stats`, for the stream `ssrc` or, where there is none, the one that sends most.
    pub(super) fn read(stats: &gst::StructureRef, ssrc: Option<u32>) -> Option<Self> {
        let sources = stats.get::<glib::ValueArray>("source-stats").ok()?;
        let sources = sources
            .iter()
            .filter_map(|source| source.get::<gst::Structure>().ok());
        let (own, others): (Vec<_>, Vec<_>) =
            sources.partition(|source| source.get("internal").unwrap_or(false));
        let sent = |source: &gst::Structure| source.get::<u64>("packets-sent").unwrap_or(0);
        // ristsink sends under another number than the payloader says.
        let named = own
            .iter()
            .find(|s| ssrc.is_some() && s.get::<u32>("ssrc").ok() == ssrc);
        let ours = named.or_else(|| own.iter().max_by_key(|source| sent(source)))?;
        let ssrc = ours.get::<u32>("ssrc").ok()?;
        Some(Self {
            packets_sent: sent(ours),
            octets_sent: ours.get("octets-sent").unwrap_or(0),
            clock_rate: clock_rate(ours),
            blocks: others
                .iter()
                .filter_map(|source| block(source, ssrc))
                .collect(),
        })
    }
}

fn clock_rate(source: &gst::StructureRef) -> u32 {
    let rate = source.get::<i32>("clock-rate").ok();
    let rate = rate.and_then(|rate| u32::try_from(rate).ok());
    rate.filter(|rate| *rate > 0).unwrap_or(VIDEO_CLOCK_RATE)
}

fn block(source: &gst::StructureRef, ssrc: u32) -> Option<ReportBlock> {
    let about_us = source.get::<u32>("rb-ssrc").ok()? == ssrc;
    if !about_us || !source.get::<bool>("have-rb").ok()? {
        return None;
    }
    Some(ReportBlock {
        reporter: source.get("ssrc").ok()?,
        fraction_lost: source.get("rb-fractionlost").ok()?,
        packets_lost: source.get("rb-packetslost").ok()?,
        highest: source.get("rb-exthighestseq").ok()?,
        jitter: source.get("rb-jitter").ok()?,
        lsr: source.get("rb-lsr").ok()?,
        dlsr: source.get("rb-dlsr").ok()?,
        round_trip: source.get("rb-round-trip").ok()?,
    })
}

/// The last report of each receiver, to tell what is new in the next.
#[derive(Debug, Default)]
pub(super) struct Reporters(Vec<Seen>);

#[derive(Clone, Debug)]
struct Seen {
    block: ReportBlock,
    packets_sent: u64,
    octets_sent: u64,
    at: MediaTime,
}

impl Reporters {
    /// What is new in `snapshot`: nothing for a report that was there before.
    pub(super) fn on_snapshot(
        &mut self,
        snapshot: &Snapshot,
        now: MediaTime,
    ) -> Vec<IntervalReport> {
        let blocks = snapshot.blocks.iter();
        blocks
            .filter_map(|block| self.on_block(*block, snapshot, now))
            .collect()
    }

    fn on_block(
        &mut self,
        block: ReportBlock,
        snapshot: &Snapshot,
        now: MediaTime,
    ) -> Option<IntervalReport> {
        let seen = Seen {
            block,
            packets_sent: snapshot.packets_sent,
            octets_sent: snapshot.octets_sent,
            at: now,
        };
        let known = self
            .0
            .iter_mut()
            .find(|seen| seen.block.reporter == block.reporter);
        let before = match known {
            Some(known) if known.block == block => return None,
            Some(known) => Some(std::mem::replace(known, seen.clone())),
            None => {
                self.remember(seen.clone());
                None
            }
        };
        Some(interval(before.as_ref(), &seen, snapshot.clock_rate))
    }

    fn remember(&mut self, seen: Seen) {
        if self.0.len() >= MOST_REPORTERS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, seen)| seen.at);
            if let Some(index) = oldest.map(|(index, _)| index) {
                self.0.swap_remove(index);
            }
        }
        self.0.push(seen);
    }
}

fn interval(before: Option<&Seen>, seen: &Seen, clock_rate: u32) -> IntervalReport {
    let block = seen.block;
    let heard_anew = before.is_none_or(|before| before.block.lsr != block.lsr);
    let jitter = Duration::from_secs_f64(f64::from(block.jitter) / f64::from(clock_rate.max(1)));
    let report = IntervalReport {
        loss: Ratio::of(block.fraction_lost.into(), FRACTION),
        rtt: round_trip(block).filter(|_| heard_anew),
        jitter: Some(jitter),
        ..IntervalReport::default()
    };
    match before {
        Some(before) => with_counts(report, before, seen),
        None => report,
    }
}

/// Loss and delivery from the counters, where they fit what was sent; they miss no report that got lost.
fn with_counts(report: IntervalReport, before: &Seen, seen: &Seen) -> IntervalReport {
    let sent = seen.packets_sent.saturating_sub(before.packets_sent);
    let expected = seen.block.highest.wrapping_sub(before.block.highest);
    if u64::from(expected) > sent.saturating_mul(2).saturating_add(AHEAD) {
        return report;
    }
    if expected == 0 {
        // Nothing arrives of what is sent: receivers report no fraction then. Between two frames nothing is sent.
        let loss = Ratio::new(if sent > 0 { 1.0 } else { 0.0 });
        let expected = u32::try_from(sent).ok();
        let delivered = (sent > 0).then_some(Bitrate::ZERO);
        return IntervalReport {
            loss,
            expected,
            delivered,
            ..report
        };
    }
    let lost = i64::from(seen.block.packets_lost) - i64::from(before.block.packets_lost);
    let lost = u64::try_from(lost).unwrap_or(0).min(expected.into());
    let octets = seen.octets_sent.saturating_sub(before.octets_sent);
    let arrived = (u128::from(octets) * u128::from(u64::from(expected) - lost))
        .checked_div(sent.into())
        .map(|bytes| ByteCount::new(u64::try_from(bytes).unwrap_or(u64::MAX)));
    let passed = seen.at.since(before.at);
    IntervalReport {
        loss: Ratio::of(lost, expected.into()),
        expected: Some(expected),
        delivered: arrived.map(|bytes| Bitrate::from_bytes_over(bytes, passed)),
        ..report
    }
}

/// The round trip; `None` where no sender's report came through yet. What clocks round below zero is zero.
fn round_trip(block: ReportBlock) -> Option<Duration> {
    if block.lsr == 0 {
        return None;
    }
    let units = u32::try_from(block.round_trip.cast_signed()).unwrap_or(0);
    Some(Duration::from_secs_f64(f64::from(units) / SHORT_SECOND))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn block() -> ReportBlock {
        ReportBlock {
            reporter: 7,
            highest: 1_000,
            lsr: 5,
            round_trip: 6_554,
            jitter: 900,
            ..ReportBlock::default()
        }
    }

    fn snapshot(packets_sent: u64, block: ReportBlock) -> Snapshot {
        Snapshot {
            packets_sent,
            octets_sent: packets_sent * 1_000,
            clock_rate: 90_000,
            blocks: vec![block],
        }
    }

    const LATER: MediaTime = MediaTime::from_millis(1_000);

    /// The report on `next`, after one on [`block`] with 1000 packets sent and a second before.
    fn after(next: ReportBlock, packets_sent: u64) -> Option<IntervalReport> {
        let mut reporters = Reporters::default();
        reporters.on_snapshot(&snapshot(1_000, block()), MediaTime::ZERO);
        reporters
            .on_snapshot(&snapshot(packets_sent, next), LATER)
            .pop()
    }

    #[test]
    fn a_report_says_what_changed_since_the_last() {
        let next = ReportBlock {
            highest: 1_100,
            packets_lost: 25,
            lsr: 6,
            ..block()
        };
        let report = after(next, 1_100).unwrap();
        assert_eq!(report.loss, Ratio::new(0.25));
        assert_eq!(report.expected, Some(100));
        assert_eq!(report.delivered, Some(Bitrate::from_kbps(600)));
        assert_eq!(report.jitter, Some(Duration::from_millis(10)));
        let rtt = report.rtt.unwrap().as_secs_f64();
        assert!((rtt - 0.1).abs() < 0.001);
    }

    #[test]
    fn the_same_report_counts_once_and_the_same_round_trip_too() {
        assert_eq!(after(block(), 1_100), None);
        let next = ReportBlock {
            highest: 1_001,
            dlsr: 9,
            ..block()
        };
        assert_eq!(after(next, 1_001).unwrap().rtt, None);
    }

    #[test]
    fn sequence_numbers_wrap() {
        let mut reporters = Reporters::default();
        let first = ReportBlock {
            highest: u32::MAX - 9,
            packets_lost: i32::MAX,
            ..block()
        };
        reporters.on_snapshot(&snapshot(1_000, first), MediaTime::ZERO);
        let next = ReportBlock {
            highest: 90,
            packets_lost: i32::MIN,
            ..block()
        };
        let report = reporters
            .on_snapshot(&snapshot(1_100, next), LATER)
            .pop()
            .unwrap();
        assert_eq!(report.expected, Some(100));
        assert_eq!(report.loss, Ratio::ZERO);
    }

    #[test]
    fn numbers_that_cannot_be_fall_back_on_the_fraction() {
        let next = ReportBlock {
            highest: 5,
            fraction_lost: 64,
            ..block()
        };
        let report = after(next, 1_100).unwrap();
        assert_eq!(report.loss, Ratio::new(0.25));
        assert_eq!(report.expected, None);
    }

    #[test]
    fn a_receiver_that_gets_nothing_reports_that_everything_is_lost() {
        let next = ReportBlock {
            dlsr: 77,
            ..block()
        };
        assert_eq!(after(next, 1_100).unwrap().loss, Ratio::new(1.0));
    }

    #[test]
    fn a_report_between_two_frames_says_nothing_of_what_arrives() {
        let next = ReportBlock {
            dlsr: 77,
            ..block()
        };
        let report = after(next, 1_000).unwrap();
        assert_eq!((report.loss, report.delivered), (Ratio::ZERO, None));
    }

    #[test]
    fn any_numbers_do_no_harm_and_strangers_are_forgotten() {
        let mut reporters = Reporters::default();
        for n in 0..200_u32 {
            let wild = n.wrapping_mul(0x9E37_79B9);
            let block = ReportBlock {
                reporter: n % 40,
                fraction_lost: wild,
                packets_lost: wild.cast_signed(),
                highest: wild,
                jitter: wild,
                lsr: wild,
                dlsr: wild,
                round_trip: wild,
            };
            reporters.on_snapshot(
                &snapshot(wild.into(), block),
                MediaTime::from_nanos(n.into()),
            );
        }
        assert_eq!(reporters.0.len(), MOST_REPORTERS);
    }
}
