//! How late buffers are at the places of a pipeline: percentiles, rates, losses and a limit, per interval and in total.

mod arrivals;
mod capture;
mod histogram;
mod mark;
mod point;
mod recent;
mod sla;
mod span;
mod track;

pub use arrivals::Arrivals;
pub use capture::Capture;
pub use histogram::{Counter, Histogram, LONGEST, Summary, quantiles};
pub use mark::Mark;
pub use point::{BUCKETS, Measured, Point, Sample, Source};
pub use recent::Recent;
pub use sla::{SlaChange, SlaConfig, SlaConfigError, SlaMonitor, SlaState};
pub use span::{Counts, Figures};
