//! How late buffers are at one point of a pipeline: percentiles, rates and a limit, per interval and in total.
//!
//! Values go into HDR histograms (G. Tene, HdrHistogram): constant memory, a few nanoseconds a value, percentiles
//! within 1 %. Means, extremes and counts are exact.

mod histogram;
mod meter;
pub mod sei;
mod sla;
mod tally;

pub use histogram::{Counter, Histogram, LONGEST, Summary, quantiles};
pub use meter::{BUCKETS, Config, ConfigError, Report, StageMeter};
pub use sla::{SlaChange, SlaMonitor, SlaState};
pub use tally::Figures;
