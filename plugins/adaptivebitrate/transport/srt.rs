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
    let Some(callers) = callers else {
        return counters(stats).into_iter().collect();
    };
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
