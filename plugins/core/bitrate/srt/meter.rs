//! What happened on an SRT connection between two looks at its counters.

use std::time::Duration;

use crate::time::MediaTime;
use crate::units::ByteCount;

use super::super::window::WindowedMin;
use super::SrtReport;

/// SRT's own and UDP's and IPv4's headers, which it counts with the bytes.
const HEADERS: u64 = 44;
/// The path without a queue is the shortest round trip of this time.
const BASE_WINDOW: Duration = Duration::from_secs(30);
/// A longer round trip is a lie.
const ABSURD: Duration = Duration::from_secs(30);

/// The counters of one connection, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Turns one connection's counters into reports.
#[derive(Clone, Debug)]
pub struct SrtMeter {
    last: Option<(MediaTime, SrtCounters)>,
    /// SRT says a guess until it has measured.
    guess: Option<Duration>,
    base: WindowedMin<Duration>,
}

impl Default for SrtMeter {
    fn default() -> Self {
        Self {
            last: None,
            guess: None,
            base: WindowedMin::new(BASE_WINDOW),
        }
    }
}

impl SrtMeter {
    /// Takes in the `counters`; `None` for the first, and as long as the round trip was not measured.
    pub fn on_counters(&mut self, counters: SrtCounters, now: MediaTime) -> Option<SrtReport> {
        let (at, before) = self.last.replace((now, counters))?;
        if counters.packets < before.packets || counters.rtt > ABSURD {
            return None;
        }
        if *self.guess.get_or_insert(before.rtt) == counters.rtt {
            return None;
        }
        self.guess = Some(Duration::MAX);
        self.base.update(counters.rtt, now);
        let base = self.base.min().unwrap_or(counters.rtt);
        let grown = |of: fn(&SrtCounters) -> u64| of(&counters).saturating_sub(of(&before));
        let (packets, again) = (grown(|c| c.packets), grown(|c| c.packets_again));
        let headers = packets.saturating_sub(again).saturating_mul(HEADERS);
        let bytes = grown(|c| c.bytes).saturating_sub(grown(|c| c.bytes_again));
        let headers_again = again.saturating_mul(HEADERS);
        Some(SrtReport {
            base,
            queue: counters.rtt.saturating_sub(base),
            latency: counters.latency,
            sent: ByteCount::new(bytes.saturating_sub(headers)),
            sent_again: ByteCount::new(grown(|c| c.bytes_again).saturating_sub(headers_again)),
            passed: now.since(at),
            packets,
            again,
            dropped: grown(|c| c.dropped),
        })
    }
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
    fn says_what_was_sent_and_how_long_it_waits() {
        let mut meter = SrtMeter::default();
        meter.on_counters(counters(0, 100), MediaTime::ZERO);
        meter.on_counters(counters(10, 50), MediaTime::from_millis(50));
        let report = meter.on_counters(counters(30, 90), MediaTime::from_millis(100));
        let report = report.unwrap();
        assert_eq!(report.base, Duration::from_millis(50));
        assert_eq!(report.queue, Duration::from_millis(40));
        assert_eq!(report.sent, ByteCount::new(20 * 1_250));
        assert_eq!(report.passed, Duration::from_millis(50));
    }

    #[test]
    fn the_first_round_trip_is_a_guess() {
        let mut meter = SrtMeter::default();
        meter.on_counters(counters(0, 100), MediaTime::ZERO);
        let guess = meter.on_counters(counters(10, 100), MediaTime::from_millis(50));
        assert_eq!(guess, None);
        let known = meter.on_counters(counters(20, 180), MediaTime::from_millis(100));
        assert_eq!(known.unwrap().queue, Duration::ZERO);
        let again = meter.on_counters(counters(30, 100), MediaTime::from_millis(150));
        assert_eq!(again.unwrap().base, Duration::from_millis(100));
    }

    #[test]
    fn a_connection_that_starts_anew_is_not_a_negative_rate() {
        let mut meter = SrtMeter::default();
        meter.on_counters(counters(900, 100), MediaTime::ZERO);
        meter.on_counters(counters(1_000, 50), MediaTime::from_millis(50));
        let again = meter.on_counters(counters(5, 51), MediaTime::from_millis(100));
        assert_eq!(again, None);
        let next = meter.on_counters(counters(15, 52), MediaTime::from_millis(200));
        assert_eq!(next.unwrap().packets, 10);
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
