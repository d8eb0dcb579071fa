//! Durations in nanoseconds, and what a set of them comes to.

/// The monotonic clock.
pub fn now() -> u64 {
    gst::get_timestamp().nseconds()
}

/// By nearest rank; 0 of none.
pub fn percentile(samples: &mut [u64], percent: usize) -> u64 {
    samples.sort_unstable();
    let rank = (samples.len() * percent).div_ceil(100).max(1) - 1;
    samples.get(rank).copied().unwrap_or_default()
}

pub fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
