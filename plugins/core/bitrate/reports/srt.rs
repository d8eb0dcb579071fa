//! Interval reports out of an SRT sender's counters.
//!
//! SRT says nothing of its send buffer, its bandwidth estimate follows after ten seconds, and its count of lost packets
//! counts a packet once for each complaint (measured with libsrt 1.5). What moves within a tenth of a second is the
//! round trip: a queue grows by what the path does not carry, so it carries what is sent over 1 + d(round trip)/dt.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount, Ratio};

use super::super::report::IntervalReport;
use super::super::window::WindowedMin;

/// SRT's own and UDP's and IPv4's headers, which it counts with the bytes.
const HEADERS: u64 = 44;
/// The path without a queue is the shortest round trip of this time.
const BASE_WINDOW: Duration = Duration::from_secs(30);
/// The slope of the round trip is taken over so many looks: SRT smooths it over eight answers, 80 ms.
const LOOKS: usize = 4;
/// A longer round trip is a lie.
const ABSURD: Duration = Duration::from_secs(30);

/// The counters of one connection, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SrtCounters {
    /// Packets sent, with those sent again.
    pub packets: u64,
    /// Bytes sent, with those sent again, and with headers.
    pub bytes: u64,
    /// Packets sent again.
    pub packets_again: u64,
    /// Bytes sent again, with headers.
    pub bytes_again: u64,
    /// Packets given up, for they were too late.
    pub dropped: u64,
    /// The smoothed round trip.
    pub rtt: Duration,
    /// The latency that both ends agreed on.
    pub latency: Duration,
}

/// What happened between two looks at the counters.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    at: MediaTime,
    counters: SrtCounters,
}

/// Turns one connection's counters into reports.
#[derive(Clone, Debug)]
pub struct SrtMeter {
    looks: [Option<Look>; LOOKS],
    base: WindowedMin<Duration>,
}

impl Default for SrtMeter {
    fn default() -> Self {
        Self {
            looks: [None; LOOKS],
            base: WindowedMin::new(BASE_WINDOW),
        }
    }
}

impl SrtMeter {
    /// Takes in the `counters`; `None` for the first, and where nothing was sent since the last look.
    pub fn on_counters(&mut self, counters: SrtCounters, now: MediaTime) -> Option<IntervalReport> {
        let look = Look { at: now, counters };
        if counters.rtt > Duration::ZERO && counters.rtt <= ABSURD {
            self.base.update(counters.rtt, now);
        }
        let last = self.looks[LOOKS - 1];
        let restarted = last.is_some_and(|last| counters.packets < last.counters.packets);
        if restarted {
            self.looks = [None; LOOKS];
        }
        self.looks.rotate_left(1);
        self.looks[LOOKS - 1] = Some(look);
        let oldest = self.looks.iter().copied().flatten().next()?;
        self.report(last.filter(|_| !restarted)?, oldest, look)
    }

    /// The round trip above the shortest, and that.
    pub fn queue_and_base(&self) -> (Duration, Duration) {
        let rtt = self.looks[LOOKS - 1].map_or(Duration::ZERO, |look| look.counters.rtt);
        let base = self.base.min().unwrap_or(rtt);
        (rtt.saturating_sub(base), base)
    }

    fn report(&self, last: Look, oldest: Look, look: Look) -> Option<IntervalReport> {
        let (before, now) = (last.counters, look.counters);
        let sent = now.packets.saturating_sub(before.packets);
        if sent == 0 || look.at <= last.at {
            return None;
        }
        let again = now.packets_again.saturating_sub(before.packets_again);
        let dropped = now.dropped.saturating_sub(before.dropped);
        Some(IntervalReport {
            loss: Ratio::of(again.saturating_add(dropped), sent.saturating_add(dropped)),
            expected: u32::try_from(sent).ok(),
            delivered: Some(carried(oldest, look)),
            rtt: Some(now.rtt).filter(|rtt| *rtt <= ABSURD),
            jitter: None,
            budget: Some(now.latency).filter(|latency| *latency > Duration::ZERO),
        })
    }
}

/// The rate of what was sent for the first time, as far as the queue does not grow by it.
fn carried(oldest: Look, look: Look) -> Bitrate {
    let (before, now) = (oldest.counters, look.counters);
    let passed = look.at.since(oldest.at);
    let bytes = now.bytes.saturating_sub(before.bytes);
    let again = now.bytes_again.saturating_sub(before.bytes_again);
    let packets = now.packets.saturating_sub(before.packets);
    let packets_again = now.packets_again.saturating_sub(before.packets_again);
    let headers = packets
        .saturating_sub(packets_again)
        .saturating_mul(HEADERS);
    let payload = bytes.saturating_sub(again).saturating_sub(headers);
    let grown = now.rtt.as_secs_f64() - before.rtt.as_secs_f64();
    let slope = (grown / passed.as_secs_f64().max(f64::EPSILON)).max(0.0);
    Bitrate::from_bytes_over(ByteCount::new(payload), passed).scaled(1.0 / (1.0 + slope))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counters(packets: u64, rtt_ms: u64) -> SrtCounters {
        SrtCounters {
            packets,
            bytes: packets * (1_250 + HEADERS),
            rtt: Duration::from_millis(rtt_ms),
            latency: Duration::from_millis(120),
            ..SrtCounters::default()
        }
    }

    #[test]
    fn a_round_trip_that_grows_says_what_the_path_carries() {
        let mut meter = SrtMeter::default();
        let mut last = None;
        // 3 Mbit/s are sent; the queue grows by half a second each second, so 2 Mbit/s are carried.
        for n in 0..10 {
            let now = MediaTime::from_millis(n * 100);
            last = meter.on_counters(counters(n * 30, 50 + n * 50), now);
        }
        let delivered = last.unwrap().delivered.unwrap().as_bps();
        assert!((1_990_000..=2_010_000).contains(&delivered), "{delivered}");
        assert_eq!(meter.queue_and_base().0, Duration::from_millis(450));
    }

    #[test]
    fn a_connection_that_starts_anew_is_not_a_negative_rate() {
        let mut meter = SrtMeter::default();
        meter.on_counters(counters(1_000, 50), MediaTime::ZERO);
        let again = meter.on_counters(counters(5, 50), MediaTime::from_millis(100));
        assert_eq!(again, None);
        let next = meter.on_counters(counters(15, 50), MediaTime::from_millis(200));
        assert_eq!(next.unwrap().expected, Some(10));
    }

    proptest! {
        #[test]
        fn any_counters_do_no_harm(looks in proptest::collection::vec(any::<[u64; 8]>(), 1..20)) {
            let mut meter = SrtMeter::default();
            for [packets, bytes, packets_again, bytes_again, dropped, rtt, latency, at] in looks {
                let counters = SrtCounters {
                    packets,
                    bytes,
                    packets_again,
                    bytes_again,
                    dropped,
                    rtt: Duration::from_nanos(rtt),
                    latency: Duration::from_nanos(latency),
                };
                meter.on_counters(counters, MediaTime::from_nanos(at));
            }
        }
    }
}
