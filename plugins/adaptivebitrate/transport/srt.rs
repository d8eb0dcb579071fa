//! What an SRT sink counts: of its peer where it calls, of each caller where it listens.
//!
//! The counters are read from a thread of ours: the sink's getter shares a lock with its writing.

use std::sync::Mutex;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use livetune_core::bitrate::{SrtCounters, SrtMeter, SrtReport};
use livetune_core::time::MediaTime;

use crate::runtime::lock::lock;

/// Callers of one listener that are looked at.
const MOST_CALLERS: usize = 64;
/// A round trip above this is no number.
const LONGEST_MS: f64 = 3_600_000.0;

/// Reads one sink's counters. Weak: it keeps no element alive.
#[derive(Debug)]
pub(in super::super) struct Srt {
    sink: glib::WeakRef<gst::Element>,
    meters: Mutex<Vec<SrtMeter>>,
}

impl Srt {
    pub(super) fn of(sink: &gst::Element) -> Self {
        Self {
            sink: sink.downgrade(),
            meters: Mutex::default(),
        }
    }

    /// What is new since the last look, of the connection with the longest queue.
    pub(super) fn read(&self, now: MediaTime) -> Option<SrtReport> {
        let stats = self.sink.upgrade()?.property_value("stats");
        let counters = connections(stats.get::<&gst::StructureRef>().ok()?);
        let mut meters = lock(&self.meters);
        meters.resize_with(counters.len(), SrtMeter::default);
        worst(&mut meters, &counters, now)
    }
}

/// The slowest rules.
fn worst(meters: &mut [SrtMeter], counters: &[SrtCounters], now: MediaTime) -> Option<SrtReport> {
    let reports = meters.iter_mut().zip(counters);
    let reports = reports.filter_map(|(meter, counters)| meter.on_counters(*counters, now));
    reports.max_by_key(SrtReport::badness)
}

/// The counters in `stats`: one of a caller, any number of a listener, none before there is a connection.
fn connections(stats: &gst::StructureRef) -> Vec<SrtCounters> {
    let callers = stats.value("callers").ok();
    let callers = callers.and_then(|value| value.get::<&glib::ValueArray>().ok());
    match callers {
        Some(callers) => of_callers(callers),
        None => counters(stats).into_iter().collect(),
    }
}

fn of_callers(callers: &glib::ValueArray) -> Vec<SrtCounters> {
    let callers = callers.iter().take(MOST_CALLERS);
    let callers = callers.filter_map(|caller| caller.get::<&gst::StructureRef>().ok());
    callers.filter_map(counters).collect()
}

fn counters(stats: &gst::StructureRef) -> Option<SrtCounters> {
    let count = |name: &str| {
        let long = stats.get::<i64>(name).ok();
        let count = long.or_else(|| stats.get::<i32>(name).ok().map(i64::from));
        let count = count.and_then(|count| u64::try_from(count).ok());
        count.or_else(|| stats.get::<u64>(name).ok()).unwrap_or(0)
    };
    let rtt = stats.get::<f64>("rtt-ms").ok()?;
    let rtt = Some(rtt).filter(|rtt| (0.0..=LONGEST_MS).contains(rtt))?;
    Some(SrtCounters {
        packets: count("packets-sent"),
        bytes: count("bytes-sent"),
        packets_again: count("packets-retransmitted"),
        bytes_again: count("bytes-retransmitted"),
        dropped: count("packets-sent-dropped"),
        rtt: Duration::from_secs_f64(rtt / 1_000.0),
        latency: Duration::from_millis(count("negotiated-latency-ms")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use gst::glib::prelude::*;
    use proptest::prelude::*;

    use super::*;

    fn caller(packets: i64, rtt: f64) -> gst::Structure {
        gst::init().unwrap();
        gst::Structure::builder("application/x-srt-statistics")
            .field("packets-sent", packets)
            .field("packets-retransmitted", 3_i32)
            .field("bytes-sent", 4_000_u64)
            .field("negotiated-latency-ms", 120_i32)
            .field("rtt-ms", rtt)
            .build()
    }

    #[test]
    fn a_caller_has_one_connection_a_listener_many_and_nobody_none() {
        gst::init().unwrap();
        let one = connections(&caller(9, 50.0));
        assert_eq!((one.len(), one[0].packets, one[0].packets_again), (1, 9, 3));
        assert_eq!(one[0].rtt, Duration::from_millis(50));
        assert_eq!(one[0].latency, Duration::from_millis(120));
        let callers = [
            caller(1, 1.0).to_send_value(),
            caller(2, 2.0).to_send_value(),
        ];
        assert_eq!(of_callers(&glib::ValueArray::new(callers)).len(), 2);
        let nobody = gst::Structure::builder("application/x-srt-statistics")
            .field("bytes-sent-total", 5_u64)
            .build();
        assert_eq!(connections(&nobody), []);
    }

    #[test]
    fn the_caller_with_the_longest_queue_is_told() {
        let counters = |packets, rtt| SrtCounters {
            packets,
            rtt: Duration::from_millis(rtt),
            ..SrtCounters::default()
        };
        let mut meters = vec![SrtMeter::default(), SrtMeter::default()];
        let looks = [[90, 90], [20, 200], [25, 300]];
        let reports = looks.iter().zip(1_u64..).map(|(rtts, n)| {
            let counters = rtts.map(|rtt| counters(n, rtt));
            worst(&mut meters, &counters, MediaTime::from_millis(n * 50))
        });
        let last = reports.last().flatten().unwrap();
        assert_eq!(last.base, Duration::from_millis(200));
        assert_eq!(last.queue, Duration::from_millis(100));
    }

    proptest! {
        #[test]
        fn any_counters_do_no_harm(looks in proptest::collection::vec(any::<(i64, f64, u64)>(), 1..20)) {
            gst::init().unwrap();
            let mut meters = vec![SrtMeter::default()];
            for (packets, rtt, now) in looks {
                let counters = connections(&caller(packets, rtt));
                meters.resize_with(counters.len(), SrtMeter::default);
                worst(&mut meters, &counters, MediaTime::from_nanos(now));
            }
        }
    }
}
