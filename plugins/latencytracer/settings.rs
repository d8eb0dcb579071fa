//! What the user can set.

use std::path::PathBuf;
use std::time::Duration;

use livetune_core::latency::SlaConfig;

use super::network::Choice;
use super::output::{Plan, Targets};
use super::{ReportAt, ReportFormat, Scope, SlaOn};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Name of the stage in reports; `None`: the element's name.
    pub(super) stage: Option<String>,
    /// Milliseconds between two reports; 0: only at the end of the stream.
    pub(super) interval: u32,
    pub(super) post_messages: bool,
    /// Limit in milliseconds; 0: none.
    pub(super) sla: u32,
    pub(super) sla_on: SlaOn,
    /// In percent.
    pub(super) sla_percentile: f64,
    /// In milliseconds.
    pub(super) window: u32,
    /// Length of the baseline to record, in milliseconds; 0: none.
    pub(super) baseline: u32,
    /// File of the baseline; `None`: none.
    pub(super) baseline_location: Option<String>,
    /// Attach the capture time as NTP time, for receivers on the network.
    pub(super) network: bool,
    /// Put the capture time into H.264 and H.265 video.
    pub(super) sei: bool,
    /// Nanoseconds to add to the clock for capture times.
    pub(super) clock_offset: i64,
    pub(super) scope: Scope,
    pub(super) report: ReportAt,
    pub(super) report_format: ReportFormat,
    /// `None` or empty: standard error.
    pub(super) report_location: Option<String>,
    /// `None` or empty: no log.
    pub(super) log_location: Option<String>,
}

impl Settings {
    pub(super) const DEFAULT: Self = Self {
        stage: None,
        interval: 1_000,
        post_messages: true,
        sla: 0,
        sla_on: SlaOn::Age,
        sla_percentile: 95.0,
        window: 10_000,
        baseline: 0,
        baseline_location: None,
        network: false,
        sei: false,
        clock_offset: 0,
        scope: Scope::Own,
        report: ReportAt::None,
        report_format: ReportFormat::Table,
        report_location: None,
        log_location: None,
    };

    /// The longest `sla` in milliseconds: percentiles reach to 68 s.
    pub(super) const LONGEST_SLA: u32 = 60_000;
    pub(super) const LEAST_PERCENTILE: f64 = 50.0;
    pub(super) const MOST_PERCENTILE: f64 = 99.99;
    /// 600 blocks of a second.
    pub(super) const LONGEST_BASELINE: u32 = 600_000;
    pub(super) const SHORTEST_WINDOW: u32 = 100;

    pub(super) fn to_choice(&self) -> Choice {
        Choice {
            stamp: self.network,
            embed: self.sei,
            offset: self.clock_offset,
        }
    }

    pub(super) fn interval(&self) -> Duration {
        millis(self.interval)
    }

    pub(super) fn plan(&self) -> Plan {
        Plan {
            interval: self.interval(),
            report: self.report,
            targets: Targets {
                format: self.report_format,
                report: location(&self.report_location),
                log: location(&self.log_location),
            },
            tell: self.scope == Scope::Pipeline,
        }
    }

    pub(super) fn baseline(&self) -> Option<Duration> {
        (self.baseline > 0).then(|| millis(self.baseline))
    }

    pub(super) fn baseline_file(&self) -> Option<PathBuf> {
        location(&self.baseline_location)
    }

    pub(super) fn sla(&self) -> SlaConfig {
        let window = millis(self.window);
        SlaConfig {
            limit: millis(self.sla),
            percentile: self.sla_percentile,
            window,
            // A second change of the same kind before that would be told mostly of the same frames.
            cooldown: window / 2,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn location(setting: &Option<String>) -> Option<PathBuf> {
    let named = setting.as_ref().filter(|name| !name.is_empty());
    named.map(PathBuf::from)
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}
