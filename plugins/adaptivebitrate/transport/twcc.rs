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
    /// The clock of departures is behind ours by so many nanoseconds, wrapping.
    behind: u64,
}

impl Twcc {
    /// What an event's `packets` tell, which came at `now`. Nothing is sorted out that was told before. Ours are those of
    /// the payload type `ours`, or all.
    pub(super) fn take_in(
        &mut self,
        packets: &glib::ValueArray,
        ours: Option<u8>,
        now: MediaTime,
    ) -> Packets {
        let told = packets
            .iter()
            .filter_map(|packet| read(packet.get::<&gst::StructureRef>().ok()?));
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
            self.behind = now.as_nanos().wrapping_sub(latest.as_nanos());
        }
        for result in results {
            result.departed = shifted(result.departed, self.behind);
        }
    }
}

/// The packets in an event of this name.
pub(super) fn packets(event: &gst::StructureRef) -> Option<&glib::ValueArray> {
    event.value("packets").ok()?.get().ok()
}

fn shifted(time: MediaTime, by: u64) -> MediaTime {
    MediaTime::from_nanos(time.as_nanos().wrapping_add(by))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use gst::glib::prelude::*;
    use proptest::prelude::*;

    use super::*;

    const NOW: MediaTime = MediaTime::from_millis(1_000_000);

    fn packet(sequence: u32, departed: u64, arrived: u64) -> gst::Structure {
        gst::init().unwrap();
        gst::Structure::builder("RTPTWCCPacket")
            .field("seqnum", sequence)
            .field("local-ts", departed)
            .field("remote-ts", arrived)
            .field("size", 1_000_u32)
            .field("lost", arrived == u64::MAX)
            .build()
    }

    fn event(packets: &[gst::Structure]) -> glib::ValueArray {
        glib::ValueArray::new(packets.iter().map(ToSendValue::to_send_value))
    }

    /// Departs a millisecond after the one before, a second ago at the latest.
    fn at(n: u64) -> u64 {
        NOW.as_nanos() - 1_000_000_000 + n * 1_000_000
    }

    #[test]
    fn sequence_numbers_go_on_where_they_wrap_and_lost_packets_have_no_arrival() {
        gst::init().unwrap();
        let mut twcc = Twcc::default();
        let first = [packet(65_534, at(0), 7), packet(65_535, at(1), u64::MAX)];
        let next = [packet(0, at(2), 8), packet(65_535, at(1), 9)];
        let mut results = twcc.take_in(&event(&first), None, NOW).results;
        results.extend(twcc.take_in(&event(&next), None, NOW).results);
        let sequences = results.iter().map(|result| result.sequence - ROUND);
        let sequences: Vec<_> = sequences.collect();
        assert_eq!(sequences, [65_534, 65_535, 65_536, 65_535]);
        assert_eq!(results[1].arrived, None);
        assert_eq!(results[2].arrived, Some(MediaTime::from_nanos(8)));
        assert_eq!(results[0].size, ByteCount::new(1_000 + OVERHEAD));
        assert_eq!(results[0].departed, MediaTime::from_nanos(at(0)));
    }

    #[test]
    fn a_session_that_starts_anew_goes_on_above() {
        gst::init().unwrap();
        let mut twcc = Twcc::default();
        let first = twcc
            .take_in(&event(&[packet(30_000, at(0), 7)]), None, NOW)
            .results;
        let again = twcc
            .take_in(&event(&[packet(5, at(1), 7)]), None, NOW)
            .results;
        assert!(again[0].sequence > first[0].sequence);
    }

    #[test]
    fn departures_of_another_clock_are_brought_to_ours() {
        gst::init().unwrap();
        let mut twcc = Twcc::default();
        for clock in [1_000, u64::MAX / 2] {
            let packets = [packet(1, clock, 7), packet(2, clock + 500, 7)];
            let results = twcc.take_in(&event(&packets), None, NOW).results;
            assert_eq!(results[1].departed, NOW);
            assert_eq!(results[0].departed, NOW.before(Duration::from_nanos(500)));
        }
    }

    #[test]
    fn what_was_never_sent_is_left_out() {
        gst::init().unwrap();
        let mut twcc = Twcc::default();
        let unknown = [packet(1, u64::MAX, 7)];
        assert_eq!(twcc.take_in(&event(&unknown), None, NOW).results, []);
    }

    /// A field with a value of any kind, or none.
    fn any_field() -> impl Strategy<Value = Option<glib::SendValue>> {
        prop_oneof![
            Just(None),
            any::<u32>().prop_map(|n| Some(n.to_send_value())),
            any::<u64>().prop_map(|n| Some(n.to_send_value())),
            any::<i64>().prop_map(|n| Some(n.to_send_value())),
            any::<bool>().prop_map(|b| Some(b.to_send_value())),
            any::<String>().prop_map(|text| Some(text.replace('\0', "").to_send_value())),
        ]
    }

    fn any_packet() -> impl Strategy<Value = glib::SendValue> {
        let fields = ["seqnum", "local-ts", "remote-ts", "size", "lost"];
        let wild = proptest::collection::vec(any_field(), fields.len()).prop_map(move |values| {
            gst::init().unwrap();
            let mut packet = gst::Structure::new_empty("RTPTWCCPacket");
            for (field, value) in fields.iter().zip(values) {
                if let Some(value) = value {
                    packet.set_value(*field, value);
                }
            }
            packet.to_send_value()
        });
        let formed = any::<(u32, u64, u64)>().prop_map(|(n, d, a)| packet(n, d, a).to_send_value());
        prop_oneof![
            wild,
            formed,
            any_field().prop_map(|v| v.unwrap_or_else(|| 0.to_send_value()))
        ]
    }

    proptest! {
        #[test]
        fn any_event_does_no_harm(
            events in proptest::collection::vec((proptest::collection::vec(any_packet(), 0..30), any::<u64>()), 1..10),
        ) {
            gst::init().unwrap();
            let mut twcc = Twcc::default();
            for (packets, now) in events {
                let count = packets.len();
                let packets = glib::ValueArray::new(packets);
                let told = twcc.take_in(&packets, None, MediaTime::from_nanos(now));
                prop_assert!(told.results.len() <= count);
            }
            let without = gst::Structure::builder(EVENT).field("packets", 7).build();
            prop_assert!(packets(&without).is_none());
        }
    }
}
