//! What happened in one run, put together from what sender, receiver and bottleneck saw.

use std::collections::HashMap;

use crate::bottleneck::Counters;
use crate::cases::{Case, Transport};
use crate::record::{Record, What};
use crate::series::Series;

/// Ethernet, IPv4 and UDP: what a packet is longer on the wire than its RTP.
const HEADERS: f64 = 14.0 + 20.0 + 8.0;
/// SRT adds its own to them.
const SRT_HEADERS: f64 = HEADERS + 16.0;
/// A full TCP segment of 1448 bytes is a frame of 1514.
const TCP_ON_WIRE: f64 = 1514.0 / 1448.0;
const SECOND: f64 = 1e9;

/// Bytes on the wire, delays in ms.
#[derive(Debug, Default)]
pub struct Trace {
    /// Bytes that came out of the bottleneck; of SRT only what came in time, and once.
    pub arrived: Series,
    /// What the queue, or one that waits for a blocking sink, adds to the delay.
    pub queue: Series,
    /// Packets that were sent, and those of them that the bottleneck dropped.
    pub sent: Series,
    pub lost: Series,
    /// bit/s.
    pub target: Series,
    /// Bytes of the TCP flow that came.
    pub tcp: Series,
}

/// What there is to put together.
pub struct Seen {
    pub start: u64,
    pub sender: Vec<Record>,
    pub receiver: Vec<Record>,
    pub bottleneck: Vec<(u64, Counters)>,
}

impl Trace {
    pub fn of(case: &Case, seen: &Seen) -> Self {
        let mut trace = Self::default();
        let at = |time: u64| time.saturating_sub(seen.start) as f64 / SECOND;
        let records = seen.sender.iter().chain(&seen.receiver);
        for record in records {
            match record.what {
                What::Target(bps) => trace.target.push(at(record.at), bps.into()),
                What::Age(ms) => trace.queue.push(at(record.at), ms),
                What::Tcp(bytes) => trace
                    .tcp
                    .push(at(record.at), f64::from(bytes) * TCP_ON_WIRE),
                What::Media(bytes) => {
                    trace
                        .arrived
                        .push(at(record.at), f64::from(bytes) + SRT_HEADERS);
                }
                What::Packet { .. } => {}
            }
        }
        if case.transport == Transport::Rtp {
            trace.add_packets(seen, at);
        } else {
            trace.add_counters(case, seen, at);
        }
        trace.subtract_least_delay();
        trace
    }

    /// Each packet of RTP is known at both ends.
    fn add_packets(&mut self, seen: &Seen, at: impl Fn(u64) -> f64) {
        let sent = numbered(&seen.sender, None);
        let first = sent.first().map(|(number, _)| *number);
        let received: HashMap<_, _> = numbered(&seen.receiver, first).into_iter().collect();
        for (number, departure) in &sent {
            self.sent.push(at(departure.at), 1.0);
            if !received.contains_key(number) {
                self.lost.push(at(departure.at), 1.0);
            }
        }
        let mut passed: Vec<_> = sent
            .iter()
            .filter_map(|(number, departure)| Some((*departure, *received.get(number)?)))
            .collect();
        passed.sort_unstable_by_key(|(_, arrival)| arrival.at);
        for (departure, arrival) in passed {
            if let What::Packet { bytes, .. } = arrival.what {
                self.arrived
                    .push(at(arrival.at), f64::from(bytes) + HEADERS);
            }
            let delay = arrival.at.saturating_sub(departure.at) as f64 / 1e6;
            self.queue.push(at(arrival.at), delay);
        }
    }

    /// Of other transports the bottleneck knows what there is to know.
    fn add_counters(&mut self, case: &Case, seen: &Seen, at: impl Fn(u64) -> f64) {
        let ages_tell = !self.queue.0.is_empty();
        let media_tells = !self.arrived.0.is_empty();
        for pair in seen.bottleneck.windows(2) {
            let [(_, before), (time, now)] = pair else {
                continue;
            };
            let time = at(*time);
            let dropped = (now.dropped - before.dropped) as f64;
            if !media_tells {
                self.arrived.push(time, (now.bytes - before.bytes) as f64);
            }
            self.sent
                .push(time, (now.packets - before.packets) as f64 + dropped);
            self.lost.push(time, dropped);
            if !ages_tell {
                let waiting = 8.0 * now.waiting_bytes as f64;
                self.queue.push(time, 1e3 * waiting / case.capacity(time));
            }
        }
    }

    fn subtract_least_delay(&mut self) {
        let delays = self.queue.0.iter().map(|(_, delay)| *delay);
        let least = delays.min_by(f64::total_cmp).unwrap_or_default();
        for (_, delay) in &mut self.queue.0 {
            *delay -= least;
        }
    }
}

/// The packets in `records`, with sequence numbers that do not wrap, counted from `near`.
fn numbered(records: &[Record], near: Option<i64>) -> Vec<(i64, &Record)> {
    let mut last = near;
    let mut packets = Vec::new();
    for record in records {
        let What::Packet { sequence, .. } = record.what else {
            continue;
        };
        let number = last.map_or(i64::from(sequence), |last| {
            last + i64::from(sequence.wrapping_sub(last as u16) as i16)
        });
        last = Some(number);
        packets.push((number, record));
    }
    packets
}
