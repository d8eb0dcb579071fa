//! Transport-wide congestion control: the fate of every RTP packet, as rtpsession tells it in an event.
//!
//! The event `RTPTWCCPackets` goes upstream from the session, on the thread that received the RTCP packet. All of it
//! but the time of departure is the peer's word.

use std::time::Duration;

use gst::glib;
use livetune_core::bitrate::PacketResult;
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

use super::Packets;

/// The event's name.
pub(in super::super) const EVENT: &str = "RTPTWCCPackets";

/// What a packet is longer than the payload that the session counts: RTP header, header extension with the sequence
/// number, UDP and IPv4.
const OVERHEAD: u64 = 12 + 8 + 8 + 20;
/// Feedback lags behind by less than this: 4 s at 10 Mbit/s in packets of 1200 bytes.
const OLDEST: u64 = 4096;
/// Sequence numbers have 16 bits; the count starts one round up, so that reordered ones do not fall below zero.
const ROUND: u64 = 1 << 16;
/// Feedback on a packet is older than this only where its time of departure is that of another clock.
const SAME_CLOCK: Duration = Duration::from_secs(10);
/// Payload of a UDP datagram at most.
const LARGEST: u32 = 65_507;

/// One packet as the event tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    sequence: u16,
    departed: MediaTime,
    arrived: Option<MediaTime>,
    size: u32,
    payload_type: u8,
}

/// Reads the events of one stream.
#[derive(Debug, Default)]
pub(super) struct Twcc {
    newest: Option<(u64, MediaTime)>,
    /// The clock of departures is behind ours by this much, in nanoseconds.
    behind: i64,
}

impl Twcc {
    /// What the event's `structure` tells, which came at `now`. Nothing is sorted out that was told before. Our packets
    /// are those of the payload type `ours`, or all.
    pub(super) fn take_in(
        &mut self,
        structure: &gst::StructureRef,
        ours: Option<u8>,
        now: MediaTime,
    ) -> Packets {
        let packets = structure.value("packets").ok();
        let packets = packets.and_then(|value| value.get::<&glib::ValueArray>().ok());
        let told = packets.into_iter().flat_map(|packets| packets.iter());
        let told = told.filter_map(|packet| read(packet.get::<&gst::StructureRef>().ok()?));
        let (mut own, mut others) = (0, 0);
        let take = |told: Told| {
            let result = self.on_packet(told);
            let is_ours = ours.is_none_or(|ours| ours == told.payload_type);
            let sum = if is_ours { &mut own } else { &mut others };
            *sum += result.size.as_u64();
            result
        };
        let mut results: Vec<PacketResult> = told.map(take).collect();
        self.bring_to_our_clock(&mut results, now);
        Packets {
            results,
            own: ByteCount::new(own),
            others: ByteCount::new(others),
        }
    }

    fn on_packet(&mut self, packet: Told) -> PacketResult {
        let sequence = self.unwrap(packet);
        if self.newest.is_none_or(|(newest, _)| sequence > newest) {
            self.newest = Some((sequence, packet.departed));
        }
        PacketResult {
            sequence,
            departed: packet.departed,
            arrived: packet.arrived,
            size: ByteCount::new(u64::from(packet.size.min(LARGEST)) + OVERHEAD),
        }
    }

    /// The sequence number without its wrap at 16 bits.
    fn unwrap(&self, packet: Told) -> u64 {
        let Some((newest, departed)) = self.newest else {
            return ROUND + u64::from(packet.sequence);
        };
        let ahead = packet.sequence.wrapping_sub(newest as u16).cast_signed();
        let near = newest.saturating_add_signed(ahead.into());
        // A session that starts anew starts anywhere: what left later is later.
        let restarted = near + OLDEST <= newest && packet.departed > departed;
        if restarted { near + ROUND } else { near }
    }

    /// Round trips are counted from departures to now, so both must be on one clock. They are where the session uses
    /// the system's monotonic clock, as it does by default.
    fn bring_to_our_clock(&mut self, results: &mut [PacketResult], now: MediaTime) {
        let Some(latest) = results.iter().map(|result| result.departed).max() else {
            return;
        };
        let ours = shifted(latest, self.behind);
        if ours > now || now.since(ours) > SAME_CLOCK {
            let (now, latest) = (now.as_nanos(), latest.as_nanos());
            self.behind = i64::try_from(i128::from(now) - i128::from(latest)).unwrap_or(0);
        }
        for result in results {
            result.departed = shifted(result.departed, self.behind);
        }
    }
}

fn shifted(time: MediaTime, by: i64) -> MediaTime {
    MediaTime::from_nanos(time.as_nanos().saturating_add_signed(by))
}

/// One `RTPTWCCPacket`; `None` for what the session does not remember to have sent.
fn read(packet: &gst::StructureRef) -> Option<Told> {
    let time = |name| {
        let time = packet.get::<u64>(name).ok();
        time.filter(|time| *time != u64::MAX)
            .map(MediaTime::from_nanos)
    };
    let lost = packet.get::<bool>("lost").unwrap_or(false);
    Some(Told {
        sequence: packet.get::<u32>("seqnum").ok()? as u16,
        departed: time("local-ts")?,
        arrived: time("remote-ts").filter(|_| !lost),
        size: packet.get("size").unwrap_or(0),
        payload_type: packet.get("payload-type").unwrap_or(0),
    })
}
