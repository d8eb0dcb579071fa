//! How late buffers are at one point of a pipeline: percentiles, rates and a limit, per interval and in total.
//!
//! Values go into HDR histograms (G. Tene, HdrHistogram): constant memory, a few nanoseconds a value, percentiles
//! within 1 %. Means, extremes and counts are exact.

mod breakdown;
mod histogram;
mod meter;
mod regression;
mod sla;
mod tally;

pub use breakdown::{Bottleneck, BottleneckReason, Breakdown, Kind, StageShare, breakdown};
pub use histogram::{Counter, Histogram, LONGEST, Summary, quantiles};
pub use meter::{BUCKETS, Config, ConfigError, Report, StageMeter};
pub use regression::{
    Baseline, BaselineError, BaselineSource, Block, RegressionChange, RegressionConfig,
    RegressionConfigError, RegressionDetector, RegressionState, Statistic,
};
pub use sla::{SlaChange, SlaConfig, SlaConfigError, SlaMonitor, SlaState};
pub use tally::Figures;
