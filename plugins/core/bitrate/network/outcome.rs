//! How a flow fared in a phase.

use super::Phase;

/// A flow in a phase. Times are seconds, queues milliseconds as its packets met them.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Outcome {
    /// Share of the capacity that arrived, in the whole phase and in its second half.
    pub(in super::super) used: f64,
    pub(in super::super) used_late: f64,
    /// The first second that had 85 % of the capacity began then.
    pub(in super::super) to_85: f64,
    pub(in super::super) queue_p50: f64,
    pub(in super::super) queue_p95: f64,
    pub(in super::super) queue_max: f64,
    /// When the queue was above 100 ms for the last time.
    pub(in super::super) short_after: f64,
    /// Share of the packets that the queue dropped.
    pub(in super::super) dropped: f64,
}

/// Longest queue that is told apart, in milliseconds.
const LONGEST: usize = 4_000;
/// Arrivals are summed over so many microseconds.
const SLICE_US: u64 = 100_000;

pub(super) struct Watch {
    start_us: u64,
    phase: Phase,
    sent: u64,
    dropped: u64,
    waits: Vec<u32>,
    slices: Vec<u64>,
    short_after: f64,
}

impl Watch {
    pub(super) fn new(start_us: u64, phase: Phase) -> Self {
        Self {
            start_us,
            phase,
            sent: 0,
            dropped: 0,
            waits: vec![0; LONGEST],
            slices: vec![0; (phase.seconds * 1e6) as usize / SLICE_US as usize + 1],
            short_after: 0.0,
        }
    }

    pub(super) fn on_sent(&mut self, packets: usize) {
        self.sent += packets as u64;
    }

    pub(super) fn on_dropped(&mut self) {
        self.dropped += 1;
    }

    pub(super) fn on_arrival(&mut self, size: u64, waited_ms: f64, now_us: u64) {
        let at = now_us.saturating_sub(self.start_us);
        if let Some(slice) = self.slices.get_mut((at / SLICE_US) as usize) {
            *slice += size;
        }
        self.waits[(waited_ms as usize).min(LONGEST - 1)] += 1;
        if waited_ms > 100.0 {
            self.short_after = at as f64 / 1e6;
        }
    }

    pub(super) fn outcome(&mut self) -> Outcome {
        let slice = SLICE_US as f64 / 1e6;
        let share = |slices: &[u64]| {
            let bytes: u64 = slices.iter().sum();
            bytes as f64 * 8.0 / (slices.len() as f64 * slice * self.phase.capacity)
        };
        let slices = &self.slices[..self.slices.len() - 1];
        let second = (1.0 / slice) as usize;
        let to_85 = slices
            .windows(second)
            .position(|window| share(window) >= 0.85);
        Outcome {
            used: share(slices),
            used_late: share(&slices[slices.len() / 2..]),
            to_85: to_85.map_or(f64::INFINITY, |at| at as f64 * slice),
            queue_p50: self.percentile(0.5),
            queue_p95: self.percentile(0.95),
            queue_max: self.percentile(1.0),
            short_after: self.short_after,
            dropped: self.dropped as f64 / self.sent.max(1) as f64,
        }
    }

    fn percentile(&self, part: f64) -> f64 {
        let all: u32 = self.waits.iter().sum();
        let mut left = (f64::from(all) * part).ceil() as u32;
        for (ms, count) in self.waits.iter().enumerate() {
            left = left.saturating_sub(*count);
            if left == 0 {
                return ms as f64;
            }
        }
        LONGEST as f64
    }
}
