//! How late buffers are at the places of a pipeline: percentiles, rates, losses and a limit, per interval and in total.

mod arrivals;
mod breakdown;
mod capture;
mod histogram;
mod point;
mod recent;
mod regression;
pub mod sei;
mod sla;
mod span;
mod track;

pub use arrivals::Arrivals;
pub use breakdown::{Bottleneck, BottleneckReason, Breakdown, Kind, StageShare, breakdown};
pub use capture::Capture;
pub use histogram::{Counter, Histogram, LONGEST, Summary, quantiles};
pub use point::{BUCKETS, Measured, Point, Sample, Source};
pub use recent::Recent;
pub use regression::{
    Baseline, BaselineError, BaselineSource, Block, RegressionChange, RegressionConfig,
    RegressionConfigError, RegressionDetector, RegressionState, Statistic,
};
pub use sla::{SlaChange, SlaConfig, SlaConfigError, SlaMonitor, SlaState};
pub use span::{Counts, Figures};
